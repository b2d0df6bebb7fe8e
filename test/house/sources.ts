/**
 * The files of this repository as the house rules see them: text, code without comments, imports.
 *
 * Read once and shared by all rules. The scanner relies on prettier's layout: a statement begins
 * its own line.
 */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Import {
  readonly specifier: string;
  /** Vanishes when types are stripped. */
  readonly typeOnly: boolean;
}

export interface Source {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** The text with comments blanked out. */
  readonly code: string;
  readonly imports: readonly Import[];
}

function filesOf(...patterns: readonly string[]): readonly string[] {
  return globSync([...patterns], { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

function sourceAt(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = withoutComments(text);
  return { path, text, lines: text.split('\n'), code, imports: importsOf(code) };
}

/** Block comments, and line comments that begin a line or follow a space. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/ .*$/gm, '$1');
}

const STATIC = /^(?:import|export)\s+(type\s)?([^'";]*?)from '([^']+)'/gm;
const BARE = /^import '([^']+)'/gm;
const DYNAMIC = /\bimport\('([^']+)'\)/g;

function importsOf(code: string): readonly Import[] {
  const imports: Import[] = [];
  for (const [, type, names = '', specifier = ''] of code.matchAll(STATIC)) {
    imports.push({ specifier, typeOnly: type !== undefined || namesOnlyTypes(names) });
  }
  for (const [, specifier = ''] of code.matchAll(BARE)) {
    imports.push({ specifier, typeOnly: false });
  }
  for (const [, specifier = ''] of code.matchAll(DYNAMIC)) {
    imports.push({ specifier, typeOnly: false });
  }
  return imports;
}

function namesOnlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}\s*$/.exec(names)?.[1];
  if (inner === undefined) return false;
  const listed = inner.split(',').filter((name) => name.trim() !== '');
  return listed.every((name) => name.trim().startsWith('type '));
}

export const SRC: readonly Source[] = filesOf('src/**/*.ts').map(sourceAt);
export const TESTS: readonly Source[] = filesOf('test/**/*.ts').map(sourceAt);
export const SCRIPTS: readonly Source[] = filesOf('ops/**/*.ts').map(sourceAt);
export const CODE: readonly Source[] = [...SRC, ...TESTS, ...SCRIPTS];
/** Everything that people read here. */
export const WRITTEN: readonly Source[] = [
  ...CODE,
  ...filesOf('*.md', 'docs/**/*.md', 'src/**/*.md', 'ops/**/*.{mjs,yaml,md}', '.ci/*').map(
    sourceAt,
  ),
];

/** Fails with one line per finding. */
export function assertNone(findings: readonly string[], rule: string): void {
  assert.ok(findings.length === 0, `${rule}\n  ${findings.join('\n  ')}`);
}

/** One finding for each line on which the pattern stands. */
export function linesWith(source: Source, pattern: RegExp, text: string = source.text): string[] {
  return text.split('\n').flatMap((line, i) => {
    const found = pattern.exec(line);
    return found === null ? [] : [`${source.path}:${i + 1}: ${found[0].trim()}`];
  });
}
