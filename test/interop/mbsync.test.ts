/**
 * mbsync keeps a maildir and the server alike in both directions, removals too.
 */

import assert from 'node:assert/strict';
import { readdir, mkdir, rename, writeFile, rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runProgram } from '../support/programs.ts';

const text = (i: number): string => `From: a@example.org\r\nSubject: number ${i}\r\n\r\nbody\r\n`;

test('mbsync two-way with expunge', { skip: missing('mbsync') }, async () => {
  await using server = await startLocalserve();
  const home = await mkdtemp(join(tmpdir(), 'daybook-mbsync-'));
  try {
    await mkdir(join(home, 'mail'));
    await writeFile(join(home, 'rc'), configuration(server.ip, join(home, 'mail')));
    const imap = await ImapDriver.open(server.ip, 1143);
    await imap.command(`LOGIN ${LOGIN} ${PASSWORD}`);
    for (let i = 1; i <= 3; i++) {
      await imap.command(`APPEND INBOX {${text(i).length}+}\r\n${text(i)}`);
    }
    const sync = async (): Promise<void> => {
      const ran = await runProgram('mbsync', ['-c', join(home, 'rc'), 'all'], {
        env: { HOME: home },
      });
      assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    };
    await sync();
    const inbox = join(home, 'mail', 'INBOX');
    const files = async (): Promise<readonly string[]> => [
      ...(await readdir(join(inbox, 'new'))).map((name) => join(inbox, 'new', name)),
      ...(await readdir(join(inbox, 'cur'))).map((name) => join(inbox, 'cur', name)),
    ];
    assert.equal((await files()).length, 3);

    // Both sides change: one removed and one flagged here, one removed there, one new on each.
    const [gone, flagged] = (await files()).toSorted();
    await rm(gone as string);
    const name = (flagged as string).split('/').at(-1)?.split(':')[0] ?? '';
    await rename(flagged as string, join(inbox, 'cur', `${name}:2,F`));
    await writeFile(join(inbox, 'new', '1.local.host'), text(9).replaceAll('\r', ''));
    await imap.command('SELECT INBOX');
    await imap.command('UID STORE 3 +FLAGS.SILENT (\\Deleted)');
    await imap.command('UID EXPUNGE 3');
    await imap.command(`APPEND INBOX {${text(4).length}+}\r\n${text(4)}`);
    await sync();
    assert.equal((await files()).length, 3);
    const answer = (await imap.command('FETCH 1:* (UID FLAGS)')).toString('latin1');
    assert.equal(answer.match(/\* \d+ FETCH/g)?.length, 3, answer);
    assert.match(answer, /UID 2 FLAGS \([^)]*\\Flagged/);
    assert.doesNotMatch(answer, /UID 1 /);
    imap.close();
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

function configuration(ip: string, mail: string): string {
  return `
IMAPAccount daybook
Host ${ip}
Port 1143
User ${LOGIN}
Pass ${PASSWORD}
SSLType None
AuthMechs PLAIN LOGIN

IMAPStore remote
Account daybook

MaildirStore local
Path ${mail}/
Inbox ${mail}/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns INBOX
Create Near
Expunge Both
Sync All
SyncState *
`;
}
