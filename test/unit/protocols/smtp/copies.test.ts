/** Which accounts get a copy of a message, and what its recipients come to. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MailTarget } from '#domain/directory/mail-targets';
import type { AccountId } from '#domain/values/ids';
import { copiesFor, recipientReply, type CopyOutcome } from '#protocols/smtp/copies';
import { OUR_FAULT, reply } from '#protocols/smtp/reply';
import type { Recipient } from '#protocols/smtp/session';
import type { EarlierCopies } from '#protocols/smtp/split-mail';

function addressee(accountId: AccountId): { accountId: AccountId; mailbox: string } {
  return { accountId, mailbox: 'Inbox' };
}

function to(localpart: string, target: MailTarget): Recipient {
  return { address: { localpart, domain: 'example.org' }, target };
}

function account(accountId: AccountId): Recipient {
  return to(`a${accountId}`, { type: 'account', ...addressee(accountId) });
}

function alias(...members: readonly AccountId[]): Recipient {
  return to('team', { type: 'alias', members: members.map(addressee), postPublic: true });
}

function closed(...members: readonly AccountId[]): Recipient {
  return to('closed', { type: 'alias', members: members.map(addressee), postPublic: false });
}

const NONE: EarlierCopies = { closed: new Set(), other: new Set() };

/** The accounts of each recipient's copies. */
function copies(
  recipients: readonly Recipient[],
  senders: readonly AccountId[] = [],
  earlier: EarlierCopies = NONE,
): readonly (readonly AccountId[])[] {
  return copiesFor(recipients, senders, earlier).map((one) =>
    one.to.map(({ accountId }) => accountId),
  );
}

describe('copies', () => {
  it('are made for each address of an account, and for each member of an alias', () => {
    assert.deepEqual(copies([account(1), account(1), account(2)]), [[1], [1], [2]]);
    assert.deepEqual(copies([alias(1, 2)]), [[1, 2]]);
    assert.deepEqual(copies([to('x', { type: 'unknown-address' })]), []);
  });

  it('smtp 87: are not made for members who are recipients, whatever the order', () => {
    assert.deepEqual(copies([alias(1, 2), account(1)]), [[2], [1]]);
    assert.deepEqual(copies([account(1), alias(1, 2)]), [[1], [2]]);
    assert.deepEqual(copies([account(1), alias(1)]), [[1], []]);
  });

  it('are made once for members of several aliases', () => {
    assert.deepEqual(copies([alias(1, 2), alias(2, 3)]), [[1, 2], [3]]);
  });

  it('smtp 87: are not made for members who are senders', () => {
    assert.deepEqual(copies([alias(1, 2)], [1]), [[2]]);
    assert.deepEqual(copies([alias(1)], [1]), [[]]);
    assert.deepEqual(copies([account(1)], [1]), [[1]]);
  });
});

describe('copies of what came in parts', () => {
  const earlier: EarlierCopies = { closed: new Set([1]), other: new Set([2]) };

  it('are made through a closed alias for whoever has none', () => {
    assert.deepEqual(copies([closed(1, 2, 3)], [], earlier), [[3]]);
  });

  it('are made for others, unless a closed alias has brought one', () => {
    const recipients = [account(1), account(2), alias(1, 2, 3)];
    assert.deepEqual(copies(recipients, [], earlier), [[], [2], [3]]);
  });

  it('are no matter of the recipient who has one', () => {
    const [own] = copiesFor([account(1)], [], earlier);
    assert.ok(own);
    assert.equal(recipientReply(own, []), undefined);
  });
});

describe('a recipient', () => {
  const full: CopyOutcome = { type: 'refused', reply: reply(452, '4.2.2', 'Full.') };
  const gone: CopyOutcome = { type: 'refused', reply: reply(550, '5.1.1', 'Gone.') };
  const taken: CopyOutcome = { type: 'taken' };
  const failed: CopyOutcome = { type: 'failed', reply: OUR_FAULT };
  const told = (
    recipients: readonly Recipient[],
    outcomes: readonly CopyOutcome[],
    senders: readonly AccountId[] = [],
  ): string | undefined => {
    const found = copiesFor(recipients, senders, NONE).at(-1);
    assert.ok(found);
    const answer = recipientReply(found, outcomes);
    return answer && `${answer.code} ${answer.enhanced}`;
  };

  it('is served when one of the members takes the message', () => {
    assert.equal(told([alias(1, 2)], [taken, full]), undefined);
    assert.equal(told([account(1)], [taken]), undefined);
  });

  it('is refused when nobody takes it', () => {
    assert.equal(told([alias(1, 2)], [full, full]), '452 4.2.2');
    assert.equal(told([alias(1, 2)], [full, gone]), '554 5.3.0');
    assert.equal(told([alias(1, 2)], [full], [1]), '452 4.2.2', 'a sender does not count');
    assert.equal(told([account(1)], [gone]), '550 5.1.1');
  });

  it('is served when a member has it as another recipient, and when nobody is left', () => {
    assert.equal(told([account(1), alias(1, 2)], [full]), undefined);
    assert.equal(told([alias(1)], [], [1]), undefined);
  });

  it('is not served while it is unknown whether a member has it', () => {
    assert.equal(told([alias(1, 2)], [taken, failed]), '451 4.3.0');
    assert.equal(told([account(1), alias(1, 2)], [failed]), '451 4.3.0');
  });
});
