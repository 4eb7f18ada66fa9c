import { readFileSync } from 'node:fs';
import { MANIFEST } from './paths.ts';

/** Millrace's version, as in package.json. */
export const VERSION: string = (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { readonly version: string }).version;
