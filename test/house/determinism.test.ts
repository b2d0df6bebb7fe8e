/**
 * Time, chance, files, sockets and the process come in by ports: outside infra and the root, no
 * line reaches for them, so that tests can own them all.
 */

import { describe, it } from 'node:test';
import { assertNone, linesWith, SRC } from './sources.ts';

const BANNED: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['the clock', /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)|\bperformance\.|\bTemporal\.Now\b/],
  ['chance', /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|FillSync)?\(|\bgetRandomValues\b/],
  ['timers', /(?<![.\w])(?:set|clear)(?:Timeout|Interval|Immediate)\b|\bnode:timers\b/],
  ['the disk, the network, others', /'node:(?:fs|net|tls|dns|dgram|http|https|child_process|os)\b/],
  ['the process', /(?<![.\w'])process\.|\bconsole\.|'node:process'/],
];

const PURE = SRC.filter(({ path }) => /^src\/(?:domain|projections|protocols)\//.test(path));

describe('determinism', () => {
  for (const [name, pattern] of BANNED) {
    it(`keeps ${name} behind ports`, () => {
      assertNone(
        PURE.flatMap((source) => linesWith(source, pattern, source.code)),
        `reaches for ${name}`,
      );
    });
  }

  it('keeps the domain synchronous', () => {
    const found = SRC.filter(({ path }) => path.startsWith('src/domain/'))
      .filter(({ path }) => path !== 'src/domain/log/event-log.ts')
      .flatMap((source) =>
        linesWith(source, /\bawait\b|\basync\b|\bPromise\b|\bBuffer\b/, source.code),
      );
    assertNone(found, 'the domain waits');
  });

  it('never catches in the domain and in projections', () => {
    const found = SRC.filter(({ path }) => /^src\/(?:domain|projections)\//.test(path)).flatMap(
      (source) => linesWith(source, /\bcatch\b/, source.code),
    );
    assertNone(found, 'catches');
  });
});
