/** Secrets typed at a terminal: read letter by letter, shown to nobody. */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { ReadStream } from 'node:tty';
import { askSecret } from '#infra/terminal';

interface Asked {
  readonly answer: Promise<string>;
  readonly shown: string[];
  readonly modes: boolean[];
}

/** A terminal at which this is typed. */
function asked(...typed: readonly string[]): Asked {
  const modes: boolean[] = [];
  const shown: string[] = [];
  const keyboard = new PassThrough();
  const terminal = Object.assign(keyboard, {
    setRawMode: (mode: boolean) => {
      modes.push(mode);
      return terminal;
    },
  }) as PassThrough & ReadStream;
  for (const keys of typed) keyboard.write(keys);
  const answer = askSecret(terminal, 'Password: ', (text) => void shown.push(text));
  return { answer, shown, modes };
}

describe('a secret', () => {
  it('is what was typed up to Enter, without what was erased', async () => {
    const { answer, shown, modes } = asked('sec', 'rex\u007f\u007fet', ' wörd\r');
    assert.equal(await answer, 'secret wörd');
    assert.deepEqual(shown, ['Password: ', '\n']);
    assert.deepEqual(modes, [true, false], 'the terminal echoes again');
  });

  it('may be given up', async () => {
    const { answer, modes } = asked('sec\u0003');
    await assert.rejects(answer, /was not answered/);
    assert.deepEqual(modes, [true, false]);
    await assert.rejects(asked('\u0004').answer, /was not answered/);
  });

  it('is not without end', async () => {
    await assert.rejects(asked('x'.repeat(2000)).answer, /too long/);
  });
});
