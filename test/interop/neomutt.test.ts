/**
 * neomutt with header cache and QRESYNC, at a terminal of its own: read, flag, delete, quit, come
 * back.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runProgram } from '../support/programs.ts';

const text = (i: number): string => `From: a@example.org\r\nSubject: number ${i}\r\n\r\nbody\r\n`;

test('neomutt: a full cycle', { skip: missing('neomutt') || missing('script') }, async () => {
  await using server = await startLocalserve();
  const home = await mkdtemp(join(tmpdir(), 'daybook-neomutt-'));
  try {
    const imap = await ImapDriver.open(server.ip, 1143);
    await imap.command(`LOGIN ${LOGIN} ${PASSWORD}`);
    for (let i = 1; i <= 4; i++) {
      await imap.command(`APPEND INBOX {${text(i).length}+}\r\n${text(i)}`);
    }
    const neomutt = async (keys: string): Promise<void> => {
      await writeFile(join(home, 'rc'), configuration(server.ip, home, keys));
      const command = `neomutt -n -F ${join(home, 'rc')}`;
      const ran = await runProgram('script', ['-qec', command, '/dev/null'], {
        env: { HOME: home, TERM: 'xterm' },
        seconds: 30,
      });
      assert.equal(ran.code, 0, ran.stdout);
    };
    await neomutt('<first-entry><flag-message><next-entry><delete-message><quit>');
    await imap.command(`APPEND INBOX {${text(5).length}+}\r\n${text(5)}`);
    await imap.command('SELECT INBOX');
    await imap.command('UID STORE 3 +FLAGS.SILENT (\\Deleted)');
    await imap.command('UID EXPUNGE 3');
    // Back with a warm header cache: message 5 is new, 3 has gone, and both must be seen.
    await neomutt('<last-entry><flag-message><quit>');
    const answer = (await imap.command('UID FETCH 1:* (FLAGS)')).toString('latin1');
    const flags = new Map(
      [...answer.matchAll(/UID (\d+) FLAGS \(([^)]*)\)/g)].map((found) => [found[1], found[2]]),
    );
    assert.deepEqual(new Set(flags.keys()), new Set(['1', '4', '5']), answer);
    assert.match(flags.get('1') ?? '', /\\Flagged/);
    assert.match(flags.get('5') ?? '', /\\Flagged/);
    assert.doesNotMatch(flags.get('4') ?? '', /\\Flagged/);
    imap.close();
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

function configuration(ip: string, home: string, keys: string): string {
  return `
set folder = "imap://${ip}:1143/"
set spool_file = "+INBOX"
set imap_user = "${LOGIN}"
set imap_pass = "${PASSWORD}"
set ssl_starttls = no
set ssl_force_tls = no
set imap_qresync = yes
set imap_condstore = yes
set header_cache = "${home}/cache"
set delete = yes
set resolve = no
set quit = yes
set confirm_append = no
set sort = mailbox-order
push "${keys}"
`;
}
