/** `daybook backup`, `restore` and `verifydata --backup`: what is asked for, and what is said. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { Fault } from '#domain/values/fault';
import type { Openers } from '#protocols/cli/openers';
import { readPoint } from '#protocols/cli/backup';
import { backupCommands } from '#protocols/cli/backup-control';

/** A server that only knows of backups; what it was told. */
function beside(): {
  readonly told: string[];
  readonly openControl: Openers['openControl'];
} {
  const told: string[] = [];
  const commands = backupCommands({
    begin: async () => (told.push('begin'), 7),
    renew: (hold) => told.push(`renew ${hold}`) < 3,
    end: (hold) => void told.push(`end ${hold}`),
  });
  return { told, openControl: controlOf(commands) };
}

async function run(line: string, openers: Partial<Openers> = {}): Promise<Ran> {
  return runLine(line.split(' '), openers);
}

describe('backup', () => {
  it('operations 85: says nothing when all is well', async () => {
    const asked: unknown[] = [];
    const { told, openControl } = beside();
    const ran = await run('backup /to --dir /d --since /before --with-keys', {
      openControl,
      backup: async (dir, { note, goOn, target, since, offline, withKeys }) => {
        note('log: position 5');
        await goOn();
        asked.push([dir, { target, since, offline, withKeys }]);
        return [];
      },
    });
    assert.deepEqual(ran, { code: 0, out: [], err: [] });
    const request = { target: '/to', since: '/before', offline: false, withKeys: true };
    assert.deepEqual(asked, [['/d', request]]);
    assert.deepEqual(told, ['begin', 'renew 7', 'end 7']);
  });

  it('tells what is done when it is asked to', async () => {
    const backup: Openers['backup'] = async (_, { note }) => (note('log: position 5'), []);
    const ran = await run('backup /to --offline --verbose', { backup });
    assert.deepEqual(ran, { code: 0, out: [], err: ['log: position 5'] });
  });

  it('fails when a message is nowhere, and names it', async () => {
    const ran = await run('backup /to --offline', { backup: async () => ['1/abc'] });
    const err = ['a message is not in the backup, nor here: 1/abc'];
    assert.deepEqual(ran, { code: 1, out: [], err });
  });

  it('tells in one sentence why it cannot be made', async () => {
    const backup = (): never => {
      throw new Error('/to is in use.');
    };
    assert.deepEqual(await run('backup /to --offline', { backup }), {
      code: 1,
      out: [],
      err: ['daybook: /to is in use.'],
    });
  });
});

describe('a backup beside a server', () => {
  it('ends when the server has forgotten of it', async () => {
    const { told, openControl } = beside();
    const backup: Openers['backup'] = async (_, { goOn }) => {
      for (;;) await goOn();
    };
    const { code, err } = await run('backup /to', { openControl, backup });
    const sentence = 'daybook: The server has forgotten of the backup; make it again.';
    assert.deepEqual([code, err], [1, [sentence]]);
    assert.deepEqual(told, ['begin', 'renew 7', 'renew 7', 'end 7']);
  });

  it('needs one', async () => {
    const openControl: Openers['openControl'] = () => {
      throw new Fault('CannotConnect', 'No server answers.');
    };
    const { code, err } = await run('backup /to', { openControl });
    const sentence = 'daybook: No server runs on the folder: ask for the backup with --offline.';
    assert.deepEqual([code, err], [1, [sentence]]);
  });

  it('is whole although the server has stopped in the end', async () => {
    const { openControl } = beside();
    let isGone = false;
    const openers: Partial<Openers> = {
      openControl: (dir) => {
        if (isGone) throw new Fault('CannotConnect', 'No server answers.');
        return openControl(dir);
      },
      backup: async () => {
        isGone = true;
        return [];
      },
    };
    assert.deepEqual(await run('backup /to', openers), { code: 0, out: [], err: [] });
  });
});

describe('restore', () => {
  const restored = { position: 7, bodies: 3, toDo: ['Put the key there.'] };

  it('tells what was restored, and what is to be done now', async () => {
    const { code, out } = await run('restore /from /to', { restore: async () => restored });
    assert.equal(code, 0);
    assert.deepEqual(out, [
      'restored: events up to position 7, 3 bodies',
      'every mailbox has a new UIDVALIDITY',
      'delivery is paused: look at `daybook queue list`, then `daybook queue resume`',
      'Put the key there.',
    ]);
  });

  it('promises nothing new of an exact copy', async () => {
    const { out } = await run('restore /from /to --exact', { restore: async () => restored });
    assert.deepEqual(out, ['restored: events up to position 7, 3 bodies', 'Put the key there.']);
  });

  it('refuses what is neither position nor time', async () => {
    const { code, err } = await run('restore /from /to --at yesterday');
    assert.equal(code, 2);
    assert.match(err.join('\n'), /a position or a time like 2026-01-31T12:00:00Z/);
  });
});

describe('a point to restore to', () => {
  const NOON = Date.UTC(2026, 0, 31, 12);
  for (const [text, point] of [
    ['17', { type: 'position', position: 17 }],
    ['2026-01-31T12:00:00Z', { type: 'time', time: NOON }],
    ['2026-01-31T12:00Z', { type: 'time', time: NOON }],
    ['2026-01-31T13:00:00.5+01:00', { type: 'time', time: NOON + 500 }],
    ['2026-01-31T12:00:00', undefined],
    ['2026-13-31T12:00:00Z', undefined],
    ['0', undefined],
    ['-1', undefined],
  ] as const) {
    it(`${text} is ${JSON.stringify(point)}`, () => {
      assert.deepEqual(readPoint(text), point);
    });
  }
});

describe('verifydata --backup', () => {
  it('tells every finding', async () => {
    const verifyBackup: Openers['verifyBackup'] = async function* (backup, priors) {
      yield { where: backup, what: `stands on ${priors.join()}` };
    };
    const line = 'verifydata --backup /b --prior /a1 /a2';
    const { code, out } = await run(line, { verifyBackup });
    assert.deepEqual([code, out], [1, ['/b: stands on /a1,/a2', 'findings: 1']]);
    const none: Openers['verifyBackup'] = async function* () {};
    assert.deepEqual((await run(line, { verifyBackup: none })).out, ['/b: OK']);
  });
});
