/**
 * What stands in docs/: decisions have a number each, every page is listed, and links lead
 * somewhere.
 */

import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { assertNone, ROOT, WRITTEN, type Source } from './sources.ts';

const DOCUMENTS: readonly Source[] = WRITTEN.filter(({ path }) => path.endsWith('.md'));
const MAP = 'docs/README.md';

/** Where a page points to, apart from the rest of the world; paths from the root. */
function targetsIn({ path, text }: Source): readonly string[] {
  const links = text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g);
  return Array.from(links, ([, target = '']) => target)
    .filter((target) => !target.includes(':'))
    .map((target) => posix.join(posix.dirname(path), target));
}

describe('documents', () => {
  it('give each decision a number of its own, and say it', () => {
    const seen = new Set<string>();
    const wrong = DOCUMENTS.filter(({ path, text }) => {
      const number = /^docs\/adr\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1];
      if (number === undefined) return path.startsWith('docs/adr/');
      const isTaken = seen.has(number);
      seen.add(number);
      return isTaken || !text.startsWith(`# ${number}. `);
    });
    assertNone(
      wrong.map(({ path }) => path),
      'decisions without a number of their own',
    );
  });

  it('are listed', () => {
    const listed = new Set(DOCUMENTS.filter(({ path }) => path === MAP).flatMap(targetsIn));
    const pages = DOCUMENTS.map(({ path }) => path).filter((path) => /^docs\/[^/]+$/.test(path));
    const missing = pages.filter((path) => path !== MAP && !listed.has(path));
    assertNone(missing, `pages that ${MAP} does not list`);
  });

  it('point to what is there', () => {
    const dead = DOCUMENTS.flatMap((page) =>
      targetsIn(page)
        .filter((target) => !existsSync(posix.join(ROOT, target)))
        .map((target) => `${page.path}: ${target}`),
    );
    assertNone(dead, 'links that lead nowhere');
  });
});
