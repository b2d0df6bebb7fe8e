/**
 * Our IMAP client over real sockets: with our server, with Dovecot, and in the example program.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDovecot } from '../bench/dovecot.ts';
import { gathered, mailAbout } from '../support/imap-client.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { runProgram } from '../support/programs.ts';
import { silentLog } from '../support/silent-log.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { openSelfSigned } from '#infra/certificates';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { openImapClient, type ImapClientOptions } from '#protocols/imap/client';
import { sectionOf } from '#protocols/imap/client-parser-fetch';
import type { ImapClient } from '#protocols/imap/client-session';
import { STAR, type FetchItem } from '#protocols/imap/words';

type Where = Pick<ImapClientOptions, 'host' | 'port' | 'tls'> & Partial<ImapClientOptions>;

async function connected(where: Where): Promise<ImapClient> {
  return await openImapClient({
    dialer: openDialer({ clock: systemClock, log: silentLog }),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...where,
  });
}

async function open(where: Where, mechanism: string): Promise<ImapClient> {
  const client = await connected(where);
  const credentials = { login: LOGIN, password: PASSWORD, passwordsInClear: where.tls === 'none' };
  await client.authenticate(mechanism, credentials);
  return client;
}

const UID: FetchItem = { type: 'UID' };
const FLAGS: FetchItem = { type: 'FLAGS' };
const WHOLE: FetchItem = { type: 'SECTION', peek: true, section: { part: [] } };

/** A life of a mailbox, told by one client and resynced by another. */
async function fullCycle(where: Where, mechanism: string): Promise<void> {
  await using first = await open(where, mechanism);
  await first.enable(['QRESYNC']);
  await first.create('Sub');
  for (let i = 1; i <= 6; i++) {
    const flags = i % 2 === 0 ? ['\\Seen'] : [];
    const appended = await first.append('INBOX', { octets: mailAbout(`number ${i}`), flags });
    assert.equal(appended?.uid, i);
  }
  const box = await first.select('INBOX');
  assert.equal(box.exists, 6);
  const items = [UID, FLAGS, { type: 'ENVELOPE' }, { type: 'BODYSTRUCTURE' }, WHOLE] as const;
  const messages = await gathered(first.fetch({ seqs: [[1, STAR]] }, items));
  assert.deepEqual(
    messages.map(({ uid, envelope }) => [uid, envelope?.subject]),
    [1, 2, 3, 4, 5, 6].map((i) => [i, `number ${i}`]),
  );
  const [message] = messages;
  assert.ok(message && sectionOf(message, WHOLE)?.equals(mailAbout('number 1')));
  assert.ok(message.structure?.type === 'part' && message.structure.mediaType === 'text/plain');
  const unseen = { type: 'NOT', key: { type: 'FLAG', flag: '\\Seen' } } as const;
  const returns = ['ALL', 'COUNT'] as const;
  const found = await first.search(unseen, { returns });
  assert.deepEqual([found.count, found.all?.[1]], [3, [3, 3]]);
  const before = await first.select('INBOX');

  const moved = await first.move({ uids: [[2, 2]] }, 'Sub');
  assert.deepEqual([moved?.source, moved?.target], [[[2, 2]], [[1, 1]]]);
  const copied = await first.copy({ uids: [[4, 5]] }, 'Sub');
  assert.deepEqual(copied?.target, [[2, 3]]);
  await first.store({ uids: [[1, 1]] }, { op: 'add', flags: ['\\Flagged'] });
  await first.store({ uids: [[3, 3]] }, { op: 'add', flags: ['\\Deleted'], silent: true });
  assert.deepEqual((await first.expunge([[3, 3]])).uids, [[3, 3]]);
  const listed = await first.list({ patterns: ['Sub'], status: ['MESSAGES'] });
  assert.deepEqual(listed[0]?.status, { MESSAGES: 3 });

  await using second = await open(where, mechanism);
  await second.enable(['QRESYNC']);
  const { uidValidity, highestModSeq: modSeq = 0 } = before;
  const after = await second.select('INBOX', { qresync: { uidValidity, modSeq } });
  assert.deepEqual(after.vanishedEarlier, [[2, 3]]);
  assert.deepEqual(
    after.changed.map(({ uid, flags }) => [uid, flags?.includes('\\Flagged')]),
    [[1, true]],
  );
  const idle = second.idle();
  const appending = first.append('INBOX', { octets: mailAbout('number 7') });
  for await (const news of idle) if (news.type === 'exists' && news.count === 5) break;
  await appending;
  await second.logout();
  await first.logout();
}

for (const [tls, port, mechanism] of [
  ['implicit', 1993, 'strongest'],
  ['starttls', 1143, 'SCRAM-SHA-256-PLUS'],
  ['none', 1143, 'SCRAM-SHA-256'],
] as const) {
  test(`our client and our server, tls ${tls}, ${mechanism}`, async () => {
    await using server = await startLocalserve();
    const file = join(server.dir, 'config', 'tls', 'localhost.pem');
    const trust = { serverName: 'localhost', authorities: [await readFile(file, 'utf8')] };
    await fullCycle({ host: server.ip, port, tls, trust }, mechanism);
  });
}

test('our client is known by its TLS key: at the greeting, or by EXTERNAL', async () => {
  await using server = await startLocalserve();
  await using directory = await temporaryDirectory();
  const file = directory.file('device.pem');
  const made = { names: ['device'], clock: systemClock, random: systemRandom };
  const clientKey = await openSelfSigned({ file, ...made });
  const config = async (...words: readonly string[]): Promise<string> => {
    const main = ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'config', 'tlspubkey'];
    const program = [...main, ...words, '--dir', server.dir];
    const ran = await runProgram(process.execPath, program, { input: clientKey.cert });
    assert.equal(ran.code, 0, ran.stderr);
    return ran.stdout.trim();
  };
  const fingerprint = await config('add', LOGIN);
  const authorities = [
    await readFile(join(server.dir, 'config', 'tls', 'localhost.pem'), 'utf8'),
  ] as const;
  const trust = { serverName: 'localhost', authorities };
  const where = { host: server.ip, trust, clientKey };
  {
    await using client = await connected({ ...where, port: 1993, tls: 'implicit' });
    assert.equal(client.greeting.isLoggedIn, true);
    await client.select('INBOX');
  }
  await config('change', fingerprint, '--no-imap-preauth');
  for (const [tls, port, login] of [
    ['implicit', 1993, ''],
    ['starttls', 1143, LOGIN],
  ] as const) {
    await using client = await connected({ ...where, port, tls });
    assert.equal(client.greeting.isLoggedIn, false);
    await client.authenticate('strongest', { login });
    await client.select('INBOX');
  }
  await config('rm', fingerprint);
  const refused = connected({ ...where, port: 1993, tls: 'implicit' });
  await assert.rejects(refused, { name: 'ImapClientError' });
});

test('our client and Dovecot', async (t) => {
  let why = '';
  await using dovecot = await startDovecot((text) => (why = text));
  if (dovecot === undefined) return t.skip(why);
  await fullCycle({ host: dovecot.ip, port: dovecot.imapPort, tls: 'none' }, 'PLAIN');
});

test('the example resyncs a mailbox and says what has changed', async () => {
  await using server = await startLocalserve();
  await using directory = await temporaryDirectory();
  const where: Where = {
    host: server.ip,
    port: 1993,
    tls: 'implicit',
    trust: { anyCertificate: true },
  };
  const run = async (...more: readonly string[]): Promise<string> => {
    const args = ['--host', server.ip, '--port', '1993', '--login', LOGIN, '--any-certificate'];
    const program = ['examples/imap-resync.ts', ...args, '--state', directory.file('state.json')];
    const env = { IMAP_PASSWORD: PASSWORD };
    const ran = await runProgram(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', ...program, ...more],
      { env },
    );
    return ran.code === 0 ? ran.stdout : `${ran.code}: ${ran.stderr}`;
  };
  await using client = await open(where, 'strongest');
  await client.select('INBOX');
  for (const subject of ['one', 'two', 'three']) {
    await client.append('INBOX', { octets: mailAbout(subject) });
  }
  assert.equal(await run(), '+ 1\n+ 2\n+ 3\n3 new, 0 changed, 0 gone; 3 messages\n');
  await client.store({ uids: [[1, 1]] }, { op: 'add', flags: ['\\Seen'] });
  await client.store({ uids: [[2, 2]] }, { op: 'add', flags: ['\\Deleted'] });
  await client.expunge();
  await client.append('INBOX', { octets: mailAbout('four'), flags: ['\\Flagged'] });
  const told = '- 2\n~ 1 \\Seen\n+ 4 \\Flagged\n1 new, 1 changed, 1 gone; 3 messages\n';
  assert.equal(await run(), told);
  assert.equal(await run(), '0 new, 0 changed, 0 gone; 3 messages\n');
  const lost = await run('--mailbox', 'No such');
  assert.match(lost, /^1: imap-resync: The server answered NO to EXAMINE: .* \(No\)\n$/);
});
