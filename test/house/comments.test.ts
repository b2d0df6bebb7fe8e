/**
 * What stands around the code: a header on every file, citations in one form, nothing left to do,
 * nothing that belongs to somebody's machine.
 */

import { describe, it } from 'node:test';
import { assertNone, CODE, linesWith, WRITTEN, type Source } from './sources.ts';

/** These rules name what they forbid. */
const RULES = 'test/house/comments.test.ts';
const OTHERS: readonly Source[] = WRITTEN.filter(({ path }) => path !== RULES);

/** `RFC 7162 §3.1.4`, `RFC 3501 §A`, `RFC 5321` alone; the IMAP item RFC822 is no citation. */
const CITATION = /\bRFC \d{3,5}(?![\d])(?! ?(?:(?:section|sec\.|chapter) ?\d|§ |:\d))/g;
const ODD_CITATION =
  /\brfc[ -]?\d{3,5}\b|\bRFC-?\d{3,5}\b|\bRFC \d{3,5}[^§]{0,3}(?:section|sec\.) ?\d/i;

const MARKS = /\b(?:TODO|FIXME|XXX|HACK|WIP|TBD)\b/;
const IGNORES = /@ts-(?:ignore|nocheck|expect-error)|eslint-disable|oxlint-disable/;
const PATHS = /(?<![\w.])\/(?:work|home|Users|root)\/[\w.]|[A-Z]:\\Users/;

/** Citations and the IMAP items named after an RFC are what is left when these are taken out. */
function withoutGood(line: string): string {
  return line.replace(CITATION, '').replace(/RFC822(?:\.\w+)?|rfc822|RFC2822/g, '');
}

describe('comments', () => {
  it('begin every file, saying what it is for', () => {
    const bare = CODE.filter(({ text }) => !/^(#!.*\n)?\/\*\* ?\n? ?\*? ?\S/.test(text));
    assertNone(
      bare.map(({ path }) => path),
      'files without a header',
    );
  });

  it('cite standards as `RFC 7162 §3.1.4`', () => {
    const odd = CODE.filter(({ path }) => path !== RULES).flatMap(({ path, lines }) =>
      lines.flatMap((line, i) => {
        const found = ODD_CITATION.exec(withoutGood(line));
        return found === null ? [] : [`${path}:${i + 1}: ${found[0]}`];
      }),
    );
    assertNone(odd, 'citations in another form');
  });

  it('leave nothing to be done', () => {
    assertNone(
      OTHERS.flatMap((source) => linesWith(source, MARKS)),
      'marks',
    );
  });

  it('do not silence the type checker or the linter', () => {
    assertNone(
      CODE.filter(({ path }) => path !== RULES).flatMap((source) => linesWith(source, IGNORES)),
      'silenced',
    );
  });

  it('know no machine', () => {
    assertNone(
      OTHERS.flatMap((source) => linesWith(source, PATHS)),
      'paths of a machine',
    );
  });
});
