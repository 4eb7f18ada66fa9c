#!/usr/bin/env node
/**
 * The command `millrace`. It makes sure of a recent Node, then hands over to the program in dist/. ES2020 syntax, like
 * runtime.js: an old Node has to get as far as the message that it is too old.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findBundledNode, isNewEnough, OLDEST_NODE, replaceBy } from './runtime.js';

const self = fileURLToPath(import.meta.url);
const program = new URL('../dist/app/main.js', import.meta.url);

/** @param {string} message */
function fail(message) {
  process.stderr.write(`millrace: ${message}\n`);
  process.exitCode = 1;
}

async function launch() {
  if (!isNewEnough(process.version)) {
    const node = findBundledNode();
    if (node === undefined) {
      fail(
        `needs Node ${OLDEST_NODE.join('.')} or later, this is ${process.version}: install it from https://nodejs.org`,
      );
    } else {
      replaceBy(node, [self, ...process.argv.slice(2)]);
    }
    return;
  }
  if (!existsSync(program)) {
    fail('not built yet: run `npm run build`');
    return;
  }
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
}

void launch();
