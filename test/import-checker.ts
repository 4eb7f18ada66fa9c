/** Reads the imports of source files and compares them with the layer rules; `architecture.test.ts` holds the rules. */
import { posix } from 'node:path';

/** One file, with its path relative to src/ (`protocol/rtmp/server-session.ts`). */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What each layer may import. Folder names are relative to src/. */
export interface LayerRules {
  /** Layer → the layers it may import besides itself. */
  readonly layers: Readonly<Record<string, readonly string[]>>;
  /** Layers whose folders may not import one another. */
  readonly separated: readonly string[];
  /** Allowed all the same: folder → folders. */
  readonly carriers: Readonly<Record<string, readonly string[]>>;
  /** Layers that may import `node:` modules. */
  readonly mayUseNode: readonly string[];
  /** Layers that may import packages. */
  readonly mayUsePackages: readonly string[];
  /** The packages they may import: the published dependencies. */
  readonly packages: readonly string[];
}

/** One `import` or re-export. `specifier` is `undefined` when it is computed at run time. */
export interface Import {
  readonly specifier: string | undefined;
  /** Counts from 1. */
  readonly line: number;
}

/** Static imports and re-exports start a line, since the formatter puts them there. */
const staticImport = /^(?:import|export)\s(?:[^'"`;=(]*?\sfrom\s*)?['"](?<specifier>[^'"\n]+)['"]/gm;
const dynamicImport = /\bimport\s*\(\s*(?:(?<quote>['"`])(?<specifier>[^'"`$\n]+)\k<quote>\s*[,)])?/g;

/** Every import of a TypeScript file: static, dynamic, re-exports and types. */
export function importsOf(text: string): readonly Import[] {
  const code = blankComments(text);
  return [...code.matchAll(staticImport), ...code.matchAll(dynamicImport)]
    .map((match) => ({
      specifier: match.groups?.['specifier'],
      line: code.slice(0, match.index).split('\n').length,
    }))
    .sort((a, b) => a.line - b.line);
}

/**
 * Replaces comments by blanks. Quoted strings are skipped over, so that `'http://…'` is not taken for a comment; a quote
 * inside a regular expression is taken for a string until the end of its line, which loses nothing that matters here.
 */
function blankComments(text: string): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
  return text.replace(token, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

/** Path of the file a relative import means, relative to src/. */
function targetOf(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? '';
}

/** `protocol/rtmp/x.ts` → `protocol/rtmp`; a file directly in its layer → the layer. */
function folderOf(path: string): string {
  return path.split('/').slice(0, -1).slice(0, 2).join('/');
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Why this file may not import that one, or `undefined` when it may. */
function refusalOf(from: string, to: string, rules: LayerRules): string | undefined {
  const layer = layerOf(from);
  const allowed = rules.layers[layer];
  if (allowed === undefined) return `${layer}/ is not a layer`;
  if (to.startsWith('..')) return 'it is outside src/';
  if (rules.carriers[folderOf(from)]?.includes(folderOf(to)) === true) return undefined;
  if (layerOf(to) !== layer) {
    return allowed.includes(layerOf(to)) ? undefined : `${layer}/ may import ${allowed.join(', ') || 'no other layer'}`;
  }
  const isSideways = rules.separated.includes(layer) && folderOf(from) !== folderOf(to) && folderOf(to) !== layer;
  return isSideways ? `the folders of ${layer}/ do not import one another` : undefined;
}

function refusalOfPackage(from: string, specifier: string, rules: LayerRules): string | undefined {
  if (isTest(from)) return undefined;
  const layer = layerOf(from);
  if (specifier.startsWith('node:')) {
    return rules.mayUseNode.includes(layer) ? undefined : `only ${rules.mayUseNode.join(', ')} use node: modules`;
  }
  if (!rules.mayUsePackages.includes(layer)) return `only ${rules.mayUsePackages.join(', ')} use packages`;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return rules.packages.includes(name) ? undefined : `${name} is not among the dependencies in package.json`;
}

/** One line for each import that breaks a rule. */
export function violationsOf(files: readonly SourceFile[], rules: LayerRules): readonly string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap(({ specifier, line }) => {
      const refusal =
        specifier === undefined
          ? 'a computed import cannot be checked'
          : specifier.startsWith('.')
            ? refusalOf(path, targetOf(path, specifier), rules)
            : refusalOfPackage(path, specifier, rules);
      return refusal === undefined ? [] : [`src/${path}:${line} imports ${specifier ?? '(computed)'}: ${refusal}`];
    }),
  );
}

/** Import cycles between the files, types included; each as the chain of paths that comes back to its start. */
export function cyclesOf(files: readonly SourceFile[]): readonly string[] {
  const targets = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(text).flatMap(({ specifier }) => (specifier?.startsWith('.') ? [targetOf(path, specifier)] : [])),
    ]),
  );
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, chain: readonly string[]): void => {
    const start = chain.indexOf(path);
    if (start >= 0) cycles.push([...chain.slice(start), path].join(' → '));
    if (start >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...chain, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}
