export { createMedia } from './media/create-media.ts';
