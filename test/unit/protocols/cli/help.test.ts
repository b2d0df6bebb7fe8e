/** `daybook help`, with the words of a command behind it. */

import assert from 'node:assert/strict';
import { it, suite } from 'node:test';
import { runLine } from '../../../support/command-line.ts';

async function run(
  words: string,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const { code, out, err } = await runLine(words.split(' '));
  return { code, out: out.join('\n'), err: err.join('\n') };
}

suite('help', () => {
  const shown: readonly (readonly [words: string, usage: string])[] = [
    ['help', '[options] [command]'],
    ['help queue', 'queue [options] [command]'],
    ['help queue list', 'queue list [options]'],
    ['help config domain add', 'config domain add [options] <domain> <account> [localpart]'],
    ['queue help retired list', 'queue retired list [options]'],
    ['config help', 'config [options] [command]'],
    ['help sendmail', 'sendmail [flags] [recipient...]'],
    ['help help', 'help [command...]'],
  ];
  for (const [words, usage] of shown) {
    it(`shows the command that is named: daybook ${words}`, async () => {
      const { code, out, err } = await run(words);
      assert.deepEqual([code, err], [0, '']);
      assert.equal(out.split('\n')[0], `Usage: daybook ${usage}`);
    });
  }

  const unknown: readonly (readonly [words: string, said: RegExp])[] = [
    ['help nothing', /^error: unknown command 'nothing'\n.*Usage: daybook \[/s],
    ['help queue nothing', /^error: unknown command 'queue nothing'\n.*Usage: daybook queue \[/s],
    ['queue help nothing', /^error: unknown command 'nothing'\n.*Usage: daybook queue \[/s],
    [
      'help queue list more',
      /^error: unknown command 'queue list more'\n.*Usage: daybook queue l/s,
    ],
  ];
  for (const [words, said] of unknown) {
    it(`does not know: daybook ${words}`, async () => {
      const { code, out, err } = await run(words);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, said);
    });
  }
});
