import { fileURLToPath } from 'node:url';

/** The package's own folder: above `dist/app` when built, above `src/app` in a test. */
const packageRoot: URL = new URL('../../', import.meta.url);

/** The built console page. */
export const CONSOLE_DIRECTORY: string = fileURLToPath(new URL('dist/console', packageRoot));

/** The clip `--demo` publishes. */
export const DEMO_CLIP: string = fileURLToPath(new URL('dist/demo/bbb.flv', packageRoot));

/** package.json, for the version. */
export const MANIFEST: URL = new URL('package.json', packageRoot);
