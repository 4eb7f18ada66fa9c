/** The npm packages of the checkout: are they the ones package-lock.json names? */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBundledNode, isNewEnough, OLDEST_NODE } from '../../bin/runtime.js';
import { environmentOutsideCheckout, mustRun, root, ScriptError, say } from './shell.js';

/** @typedef {{ readonly version?: string, readonly optional?: boolean, readonly link?: boolean }} LockedPackage */

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage>}
 */
function readLock(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm itself notes what it installed, at the end of its work,
 * in node_modules/.package-lock.json; comparing the two files needs no stamp of our own and sees `npm install` too.
 *
 * @returns {boolean}
 */
export function areDependenciesCurrent() {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = readLock(installedFile);
  return Object.entries(readLock(join(root, 'package-lock.json'))).every(([path, wanted]) => {
    if (!path.includes('node_modules/')) return true;
    const present = installed[path];
    // Optional packages for other platforms are locked but never installed.
    if (present === undefined) return wanted.optional === true;
    return present.version === wanted.version;
  });
}

/** Installs the npm packages when they are not the locked ones. */
export function ensureDependencies() {
  if (areDependenciesCurrent()) return;
  say('installing npm packages (npm ci)');
  mustRun('npm', ['ci', '--include=dev', '--include=optional'], environmentOutsideCheckout());
}

/**
 * The Node to run builds, tests and the server with: the one npm installed into the checkout or, where there is none for
 * this platform, the current one.
 *
 * @returns {string} path of the binary
 */
export function nodeForCheckout() {
  const bundled = findBundledNode();
  if (bundled !== undefined) return bundled;
  if (isNewEnough(process.version)) return process.execPath;
  throw new ScriptError(
    `needs Node ${OLDEST_NODE.join('.')} or later, this is ${process.version} and npm has no Node package for ` +
      `${process.platform}-${process.arch}: install it from https://nodejs.org`,
  );
}
