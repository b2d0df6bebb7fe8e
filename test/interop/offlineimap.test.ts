/**
 * offlineimap keeps a maildir and the server alike in both directions, removals too.
 */

import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runProgram } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const PROGRAM = 'offlineimap';

const text = (i: number): string =>
  `From: a@example.org\r\nSubject: number ${i}\r\nMessage-ID: <${i}@example.org>\r\n\r\nbody\r\n`;

test('offlineimap two-way with expunge', { skip: missing(PROGRAM) }, async () => {
  await using server = await startLocalserve();
  await using directory = await temporaryDirectory();
  const home = directory.path;
  await writeFile(join(home, 'rc'), configuration(server.ip, home));
  const imap = await ImapDriver.open(server.ip, 1143);
  await imap.command(`LOGIN ${LOGIN} ${PASSWORD}`);
  for (let i = 1; i <= 3; i++) {
    await imap.command(`APPEND INBOX {${text(i).length}+}\r\n${text(i)}`);
  }
  const sync = async (): Promise<void> => {
    const ran = await runProgram(PROGRAM, ['-o', '-u', 'basic', '-c', join(home, 'rc')], {
      env: { HOME: home },
    });
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.doesNotMatch(ran.stdout + ran.stderr, /ERROR/);
  };
  await sync();
  const inbox = join(home, 'mail', 'Inbox');
  const files = await filesBySubject(inbox);
  assert.deepEqual([...files.keys()].toSorted(), ['number 1', 'number 2', 'number 3']);

  // Both sides change: one removed and one flagged here, one removed there, one new on each.
  await rm(files.get('number 1') ?? assert.fail());
  const flagged = files.get('number 2') ?? assert.fail();
  await rename(flagged, join(inbox, 'cur', `${nameOf(flagged)}:2,FS`));
  await writeFile(join(inbox, 'new', '1.local.host:2,'), text(9).replaceAll('\r', ''));
  await imap.command('SELECT INBOX');
  await imap.command('UID STORE 3 +FLAGS.SILENT (\\Deleted)');
  await imap.command('UID EXPUNGE 3');
  await imap.command(`APPEND INBOX (\\Answered) {${text(4).length}+}\r\n${text(4)}`);
  await sync();
  const local = await filesBySubject(inbox);
  assert.deepEqual([...local.keys()].toSorted(), ['number 2', 'number 4', 'number 9']);
  assert.match(local.get('number 4') ?? '', /:2,[A-Z]*R/);
  await imap.command('NOOP');
  const answer = (await imap.command('FETCH 1:* (UID FLAGS)')).toString('latin1');
  const told = [...answer.matchAll(/UID (\d+) FLAGS \(([^)]*)\)/g)];
  assert.deepEqual(new Set(told.map(([, uid]) => uid)), new Set(['2', '4', '5']), answer);
  assert.match(answer, /UID 2 FLAGS \([^)]*\\Flagged/);
  imap.close();
});

async function filesBySubject(maildir: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const folder of ['new', 'cur']) {
    for (const name of await readdir(join(maildir, folder))) {
      const file = join(maildir, folder, name);
      files.set(/^Subject: (.*)$/m.exec(await readFile(file, 'utf8'))?.[1] ?? '', file);
    }
  }
  return files;
}

/** Without its flags. */
function nameOf(file: string): string {
  return file.split('/').at(-1)?.split(':')[0] ?? '';
}

function configuration(ip: string, home: string): string {
  return `
[general]
accounts = daybook
metadata = ${home}/metadata

[Account daybook]
localrepository = local
remoterepository = remote

[Repository local]
type = Maildir
localfolders = ${home}/mail

[Repository remote]
type = IMAP
remotehost = ${ip}
remoteport = 1143
remoteuser = ${LOGIN}
remotepass = ${PASSWORD}
ssl = no
starttls = no
auth_mechanisms = PLAIN
folderfilter = lambda name: name.upper() == 'INBOX'
`;
}
