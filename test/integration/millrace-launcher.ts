/** Runs the program from its sources: Node strips the types. */
import { main } from '../../src/app/main.ts';

process.exitCode = await main(process.argv.slice(2));
