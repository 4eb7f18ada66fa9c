/** Runs the program from its sources: Node strips the types, and keeps what came of it for the next process. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { main } = await import('../../src/app/main.ts');

process.exitCode = await main(process.argv.slice(2));
