/**
 * Every command of the client against our own server.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillInbox, mailAbout, openAlice, openStranger } from '../../../support/imap-client.ts';
import { openTestServer } from '../../../support/server.ts';
import type { ServerNews } from '#protocols/imap/client-words';

describe('commands of the connection', () => {
  it('ENABLE turns on what is offered', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const enabled = await client.enable(['qresync', 'X-UNHEARD-OF']);
    assert.deepEqual([...enabled], ['QRESYNC']);
  });

  it('ID exchanges names', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const fields = await client.id({ name: 'a "client"', version: '1' });
    assert.equal(fields.get('name'), 'Daybook');
    assert.equal((await client.id()).get('name'), 'Daybook');
  });

  it('CAPABILITY, NOOP and LOGOUT', async () => {
    await using server = await openTestServer();
    const client = await openAlice(server);
    assert.ok((await client.capability()).has('IDLE'));
    await client.noop();
    await client.logout();
    assert.equal((await client.ended).code, 'Closed');
    await assert.rejects(client.noop(), { code: 'Closed' });
  });
});

describe('SELECT', () => {
  it('tells all about the mailbox', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 3);
    await using client = await openAlice(server);
    const box = await client.select('INBOX');
    assert.equal(box.name, 'Inbox');
    assert.equal(box.readOnly, false);
    assert.equal(box.exists, 3);
    assert.equal(box.uidNext, 4);
    assert.ok(box.uidValidity > 0);
    assert.ok((box.highestModSeq ?? 0) > 1);
    assert.ok(box.flags.includes('\\Seen'));
    assert.ok(box.permanentFlags.includes('\\*'));
    assert.match(box.mailboxId ?? '', /^F/);
    assert.equal((await client.examine('INBOX')).readOnly, true);
  });

  it('fails with the code of the server, and the client goes on', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const error = { name: 'ImapClientError', code: 'No', reason: 'NONEXISTENT' };
    await assert.rejects(client.select('No such'), error);
    await client.select('INBOX');
  });

  it('with QRESYNC tells what has changed since', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 5);
    await using first = await openAlice(server);
    const before = await first.select('INBOX');
    const change = { op: 'add', flags: ['\\Flagged'] } as const;
    await first.store({ uids: [[2, 2]] }, change);
    await first.store({ uids: [[3, 4]] }, { ...change, flags: ['\\Deleted'] });
    await first.expunge();
    await first.append('INBOX', { octets: mailAbout('number 6') });

    await using second = await openAlice(server);
    const { uidValidity, highestModSeq: modSeq = 0 } = before;
    const qresync = { uidValidity, modSeq };
    await assert.rejects(second.select('INBOX', { qresync }), { code: 'NotOffered' });
    await second.enable(['QRESYNC']);
    const box = await second.select('INBOX', { qresync });
    assert.deepEqual(box.vanishedEarlier, [[3, 4]]);
    assert.deepEqual(
      box.changed.map(({ uid, flags }) => [uid, flags]),
      [
        [2, ['\\Flagged']],
        [6, []],
      ],
    );
    const again = { uidValidity, modSeq: box.highestModSeq ?? 0, knownUids: [[1, 6]] } as const;
    const quiet = await second.select('INBOX', { qresync: again });
    assert.deepEqual([quiet.vanishedEarlier, quiet.changed], [[], []]);
  });

  it('forgets what was said of the mailbox before', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 2);
    await using client = await openAlice(server);
    await client.enable(['QRESYNC']);
    await client.select('INBOX');
    await fillInbox(server, 1);
    const box = await client.select('Sent');
    assert.deepEqual([box.name, box.exists], ['Sent', 0]);
  });

  it('leaves a mailbox with and without removing', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 2);
    await using client = await openAlice(server);
    await client.select('INBOX');
    await client.store({ seqs: [[1, 1]] }, { op: 'add', flags: ['\\Deleted'] });
    await client.leave({ expunge: false });
    assert.equal((await client.select('INBOX')).exists, 2);
    await client.leave({ expunge: true });
    assert.equal((await client.status('INBOX', ['MESSAGES'])).MESSAGES, 1);
  });
});

describe('commands about mailboxes', () => {
  it('make, rename, list and remove them, whatever their names', async () => {
    await using server = await openTestServer();
    for (const utf8 of [false, true]) {
      await using client = await openAlice(server);
      if (utf8) await client.enable(['UTF8=ACCEPT']);
      await client.create('Entwürfe & "mehr"');
      await client.rename('Entwürfe & "mehr"', '日本語/草稿');
      const names = (await client.list({ patterns: ['日*'] })).map(({ name }) => name);
      assert.deepEqual(names, ['日本語', '日本語/草稿']);
      await client.delete('日本語/草稿');
      await client.delete('日本語');
      assert.deepEqual(await client.list({ patterns: ['日*'] }), []);
    }
  });

  it('list with status, subscriptions and uses', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 2);
    await using client = await openAlice(server);
    await client.create('Old', { uses: ['\\Archive'] });
    await client.subscribe('Old');
    const [old] = await client.list({
      patterns: ['Old', 'Nothing'],
      returns: ['SUBSCRIBED', 'SPECIAL-USE', 'CHILDREN'],
    });
    assert.equal(old?.separator, '/');
    for (const attribute of ['\\Subscribed', '\\Archive', '\\HasNoChildren']) {
      assert.ok(old?.attributes.includes(attribute), attribute);
    }
    const subscribed = await client.list({ select: ['SUBSCRIBED'] });
    assert.ok(subscribed.some(({ name }) => name === 'Old'));
    await client.unsubscribe('Old');
    const fewer = await client.list({ select: ['SUBSCRIBED'] });
    assert.equal(fewer.length, subscribed.length - 1);
    const [inbox] = await client.list({ patterns: ['INBOX'], status: ['MESSAGES', 'UIDNEXT'] });
    assert.deepEqual(inbox?.status, { MESSAGES: 2, UIDNEXT: 3 });
  });

  it('tell the status', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 2);
    await using client = await openAlice(server);
    const items = ['MESSAGES', 'UNSEEN', 'SIZE', 'HIGHESTMODSEQ', 'MAILBOXID'] as const;
    const values = await client.status('inbox', items);
    assert.equal(values.MESSAGES, 2);
    assert.equal(values.UNSEEN, 2);
    assert.equal(values.SIZE, 2 * mailAbout('number 1').length);
    assert.ok((values.HIGHESTMODSEQ ?? 0) > 0);
    assert.match(values.MAILBOXID ?? '', /^F/);
    await assert.rejects(client.status('No such', items), { code: 'No', reason: 'NONEXISTENT' });
  });
});

describe('STORE', () => {
  it('tells the new flags, and what was left alone', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 3);
    await using client = await openAlice(server);
    const { highestModSeq: unchangedSince = 0 } = await client.select('INBOX');
    const flags = ['\\Seen', 'Later'];
    const told = await client.store({ seqs: [[2, 2]] }, { op: 'add', flags });
    assert.deepEqual(told.modified, []);
    assert.deepEqual(told.messages[0]?.flags, ['\\Seen', 'later']);
    const change = { op: 'replace', flags: ['\\Flagged'], silent: true, unchangedSince } as const;
    const { modified } = await client.store({ uids: [[1, 3]] }, change);
    assert.deepEqual(modified, [[2, 2]]);
    const removed = await client.store({ uids: [[2, 2]] }, { op: 'remove', flags });
    assert.deepEqual(removed.messages[0]?.flags, []);
  });

  it('lets no flag break the line', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    await client.select('INBOX');
    const storing = client.store({ seqs: [[1, 1]] }, { op: 'add', flags: ['a)\r\nx LOGOUT'] });
    await assert.rejects(storing, { code: 'BadArgument' });
  });
});

describe('COPY, MOVE and EXPUNGE', () => {
  it('tell what became of the UIDs', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 5);
    await using client = await openAlice(server);
    await client.select('INBOX');
    const copied = await client.copy({ seqs: [[2, 3]] }, 'Sent');
    assert.deepEqual([copied?.source, copied?.target], [[[2, 3]], [[1, 2]]]);
    const moved = await client.move({ uids: [[5, 5]] }, 'Sent');
    assert.deepEqual([moved?.source, moved?.target], [[[5, 5]], [[3, 3]]]);
    assert.equal(moved?.uidValidity, (await client.status('Sent', ['UIDVALIDITY'])).UIDVALIDITY);
    const nowhere = client.copy({ seqs: [[1, 1]] }, 'No such');
    await assert.rejects(nowhere, { code: 'No', reason: 'TRYCREATE' });
    assert.equal(await client.copy({ uids: [] }, 'Sent'), undefined);
  });

  it('remove messages, by sequence number or by UID', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 5);
    const news: ServerNews[] = [];
    await using client = await openAlice(server, { onNews: (one) => void news.push(one) });
    await client.select('INBOX');
    await client.store({ seqs: [[1, 4]] }, { op: 'add', flags: ['\\Deleted'], silent: true });
    assert.deepEqual(await client.expunge([[1, 1]]), { seqs: [1], uids: [] });
    await client.enable(['QRESYNC']);
    assert.deepEqual(await client.expunge(), { seqs: [], uids: [[2, 4]] });
    const told = news.filter(({ type }) => type === 'expunge' || type === 'vanished');
    assert.deepEqual(told, [
      { type: 'expunge', seq: 1 },
      { type: 'vanished', earlier: false, uids: [[2, 4]] },
    ]);
  });
});

describe('a stranger', () => {
  it('may not do much', async () => {
    await using server = await openTestServer();
    await using client = await openStranger(server);
    await assert.rejects(client.select('INBOX'), { code: 'No' });
  });
});
