/**
 * `tlsresults list`, from the words on the command line to what is printed.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { NO_PARTS } from '../../../support/openers.ts';
import { MISMATCH, WENT_WELL, WENT_WRONG } from '../../../support/tls-results.ts';
import type { GatheredTlsResult } from '#domain/report/decide';
import { controlCommands } from '#protocols/cli/control-commands';
import type { TlsResultQuestion } from '#protocols/ports-admin';

const DAY = '2026-01-01';
const FAILED: GatheredTlsResult = { ...WENT_WRONG, day: DAY };
const OF_HOST: GatheredTlsResult = {
  ...WENT_WELL,
  day: DAY,
  policyDomain: 'mx.example.org',
  isHost: true,
  sendReport: false,
  policy: { type: 'no-policy-found', strings: [], mxHosts: [] },
};

async function run(
  ...args: readonly string[]
): Promise<Ran & { readonly asked: readonly TlsResultQuestion[] }> {
  const asked: TlsResultQuestion[] = [];
  const tlsResults = {
    async list(question: TlsResultQuestion) {
      asked.push(question);
      return [FAILED, OF_HOST];
    },
  };
  const openControl = controlOf(controlCommands({ ...NO_PARTS, tlsResults }));
  return { ...(await runLine(['tlsresults', 'list', ...args], { openControl })), asked };
}

describe('tlsresults list', () => {
  it('34, 37: prints a line for each policy, and below it what was wrong', async () => {
    const { code, out: printed, asked } = await run();
    assert.equal(code, 0);
    const out = printed.join('\n').split('\n');
    assert.deepEqual(out.slice(1), [
      `${DAY}\texample.org\texample.org\tdomain\tsts\t0\t1\treport`,
      `\t1\tcertificate-host-mismatch\t${MISMATCH.reasonCode}\tmx.example.org\tmx.example.org` +
        '\t192.0.2.1\t192.0.2.143',
      `${DAY}\texample.org\tmx.example.org\thost\tno-policy-found\t1\t0\t-`,
    ]);
    const [first = '', second = ''] = out[0]?.split('; ') ?? [];
    assert.equal(first.split(', ').length, out[1]?.split('\t').length);
    assert.equal(second.split(', ').length, out[2]?.split('\t').length ?? 0);
    assert.deepEqual(asked, [{ domain: undefined, day: undefined, limit: 1000 }]);
  });

  it('prints JSON', async () => {
    const { out } = await run('--json');
    assert.deepEqual(
      out.map((line) => JSON.parse(line)),
      [FAILED, OF_HOST],
    );
  });

  it('asks for what is wanted', async () => {
    const { asked } = await run('--domain', 'Example.ORG', '--day', DAY, '--limit', '5');
    assert.deepEqual(asked, [{ domain: 'example.org', day: DAY, limit: 5 }]);
    const abroad = await run('--domain', 'Bücher.example');
    assert.partialDeepStrictEqual(abroad.asked, [{ domain: 'xn--bcher-kva.example' }]);
    const { code, err } = await run('--domain', 'no domain');
    assert.deepEqual([code, err], [1, ['daybook: no domain cannot be a domain.']]);
    for (const day of ['yesterday', '2026-13-01', '2026-02-29']) {
      assert.equal((await run('--day', day)).code, 2);
    }
  });
});
