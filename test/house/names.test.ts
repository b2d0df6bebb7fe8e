/**
 * Names: files in kebab-case, no default exports, no words that say nothing, tests that mirror src.
 */

import { describe, it } from 'node:test';
import { assertNone, CODE, linesWith, SRC, TESTS } from './sources.ts';

/** The reporter is loaded by the test runner, which wants a default export. */
const WANTS_DEFAULT_EXPORT = 'ops/scripts/count-reporter.ts';

const EMPTY_WORDS =
  /\b(?:class|interface|type|const|function) \w*[a-z](?:Service|Manager|Handler|Util|Impl)\b/;
const HUNGARIAN = /\binterface (I[A-Z][a-z]\w*)/;

/** Words in which the I is a letter of its own. */
const NO_PREFIX = /^interface (Imap|Id|Ip|In|It|Is)/;

describe('names', () => {
  it('of files are in kebab-case', () => {
    const odd = CODE.filter(({ path }) => !/^[a-z0-9/-]+(\.test|\.bench)?\.ts$/.test(path));
    assertNone(
      odd.map(({ path }) => path),
      'not in kebab-case',
    );
  });

  it('are given to every export', () => {
    const found = CODE.filter(({ path }) => path !== WANTS_DEFAULT_EXPORT).flatMap((source) =>
      linesWith(source, /^export default\b|\bas default\b/, source.code),
    );
    assertNone(found, 'default exports');
  });

  it('say something', () => {
    const found = CODE.flatMap((source) => [
      ...linesWith(source, EMPTY_WORDS, source.code),
      ...linesWith(source, HUNGARIAN, source.code).filter(
        (line) => !NO_PREFIX.test(line.slice(line.indexOf('interface'))),
      ),
    ]);
    assertNone(found, 'words that say nothing');
  });

  it('of unit tests are those of what they test', () => {
    const paths = new Set(SRC.map(({ path }) => path));
    const lost = TESTS.filter(({ path }) => path.startsWith('test/unit/'))
      .filter(({ path }) => path.endsWith('.test.ts'))
      .filter(({ path }) => {
        const tested = path.replace('test/unit/', 'src/').replace(/\.test\.ts$/, '.ts');
        return !paths.has(tested);
      });
    assertNone(
      lost.map(({ path }) => path),
      'tests of files that are not there',
    );
  });

  it('of other rooms are not passed on', () => {
    const found = SRC.flatMap((source) =>
      linesWith(source, /^export (type )?(\*|\{.*\}) .*from '/, source.code),
    );
    assertNone(found, 're-exports');
  });
});
