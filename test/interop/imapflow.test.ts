/**
 * imapflow, an independent IMAP client with QRESYNC, through a full cycle: read, flag, move,
 * expunge, go away, come back and hear only what changed.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImapFlow } from 'imapflow';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';

function client(host: string, secure: boolean): ImapFlow {
  return new ImapFlow({
    host,
    port: secure ? 1993 : 1143,
    secure,
    auth: { user: LOGIN, pass: PASSWORD },
    tls: { rejectUnauthorized: false },
    logger: false,
    qresync: true,
  });
}

const text = (i: number): string =>
  `From: a@example.org\r\nTo: ${LOGIN}\r\nSubject: number ${i}\r\n\r\nbody ${i}\r\n`;

for (const secure of [false, true]) {
  test(`imapflow with qresync ${secure ? 'over TLS' : 'with STARTTLS'}: a full cycle`, async () => {
    await using server = await startLocalserve();
    const first = client(server.ip, secure);
    await first.connect();
    assert.ok(first.enabled.has('QRESYNC'));
    for (let i = 1; i <= 6; i++)
      await first.append('INBOX', text(i), i % 2 === 0 ? ['\\Seen'] : []);
    const box = await first.mailboxOpen('INBOX');
    assert.equal(box.exists, 6);
    const subjects: string[] = [];
    for await (const message of first.fetch('1:*', { envelope: true, flags: true, uid: true })) {
      subjects.push(message.envelope?.subject ?? '');
    }
    assert.deepEqual(
      subjects,
      [1, 2, 3, 4, 5, 6].map((i) => `number ${i}`),
    );
    const source = await first.fetchOne('3', { source: true });
    assert.ok(source !== false && source.source?.toString().endsWith('body 3\r\n'));
    const { uidValidity, highestModseq } = box;
    await first.logout();

    const second = client(server.ip, secure);
    await second.connect();
    await second.mailboxOpen('INBOX');
    await second.messageFlagsAdd('1', ['\\Flagged'], { uid: true });
    const moved = await second.messageMove('2', 'Archive', { uid: true });
    assert.ok(moved !== false && moved.uidMap?.get(2) === 1);
    await second.messageDelete('3', { uid: true });
    await second.append('INBOX', text(7));
    await second.logout();

    const third = client(server.ip, secure);
    await third.connect();
    const vanished: number[] = [];
    third.on('expunge', (event) => {
      if (event.vanished && event.uid !== undefined) vanished.push(event.uid);
    });
    const changed = new Map<number, string[]>();
    third.on('flags', (event) => {
      if (event.uid !== undefined) changed.set(event.uid, [...(event.flags ?? [])]);
    });
    const again = await third.mailboxOpen('INBOX', {
      changedSince: highestModseq ?? 0n,
      uidValidity,
    });
    assert.equal(again.exists, 5);
    assert.deepEqual(vanished, [2, 3]);
    assert.deepEqual(changed.get(1), ['\\Flagged']);
    await third.logout();
  });
}

test('imapflow hears in IDLE of what arrives by SMTP', async () => {
  await using server = await startLocalserve();
  const listener = client(server.ip, false);
  await listener.connect();
  await listener.mailboxOpen('INBOX');
  const arrived = new Promise<number>((resolve) => {
    listener.on('exists', (event) => resolve(event.count));
  });
  const idling = listener.idle();
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: server.ip,
    port: 1025,
    tls: { rejectUnauthorized: false },
  });
  await transport.sendMail({
    from: 'sender@example.org',
    to: LOGIN,
    subject: 'wake up',
    text: 'hello',
  });
  assert.equal(await arrived, 1);
  await listener.logout();
  await idling;
});
