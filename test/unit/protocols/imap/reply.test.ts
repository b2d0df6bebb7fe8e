/**
 * Status lines, and what refusals and faults become.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFUSALS, refuse, type RefusalCode } from '#domain/values/decision';
import { Fault, type FaultCode } from '#domain/values/fault';
import { tagged, taggedFault, taggedRefusal, untagged } from '#protocols/imap/reply';

describe('status lines', () => {
  it('may carry a code', () => {
    assert.equal(tagged('a', 'OK', 'done'), 'a OK done');
    assert.equal(tagged('a', 'NO', 'no', 'CANNOT'), 'a NO [CANNOT] no');
    assert.equal(untagged('OK', 'ready', 'UIDNEXT 7'), '* OK [UIDNEXT 7] ready');
    assert.equal(untagged('BYE', 'bye'), '* BYE bye');
  });

  it('are one line of octets, whatever their text', () => {
    assert.equal(tagged('a', 'NO', 'x\r\nb OK ü'), 'a NO x b OK \xc3\xbc');
  });
});

describe('refusals', () => {
  const codes: readonly (readonly [RefusalCode, string])[] = [
    ['NoSuchMailbox', 'NONEXISTENT'],
    ['NoSuchTarget', 'TRYCREATE'],
    ['MailboxExists', 'ALREADYEXISTS'],
    ['MailboxNameForbidden', 'CANNOT'],
    ['MailboxHasChildren', 'HASCHILDREN'],
    ['MailboxIsInbox', 'CANNOT'],
    ['SpecialUseUnknown', 'USEATTR'],
    ['TooManyMailboxes', 'LIMIT'],
  ];
  for (const [refusal, code] of codes) {
    it(`${refusal} is NO [${code}]`, () => {
      assert.equal(
        taggedRefusal('a', refuse(refusal), false),
        `a NO [${code}] ${REFUSALS[refusal]}`,
      );
    });
  }

  it('may have no code, and say what they are about', () => {
    assert.equal(
      taggedRefusal('a', refuse('NotSubscribed'), false),
      `a NO ${REFUSALS.NotSubscribed}`,
    );
    assert.equal(
      taggedRefusal('a', refuse('NoSuchMailbox', 'x/ü'), true),
      'a NO [NONEXISTENT] The mailbox does not exist: x/\xc3\xbc',
    );
    assert.equal(
      taggedRefusal('a', refuse('NoSuchMailbox', 'x/ü'), false),
      'a NO [NONEXISTENT] The mailbox does not exist: x/&APw-',
    );
  });

  it('repeat no more than the beginning of a long name', () => {
    const line = taggedRefusal('a', refuse('NoSuchMailbox', 'x'.repeat(100_000)), false);
    assert.match(line, /: x{200}\.\.\.$/);
  });
});

describe('faults', () => {
  const codes: readonly (readonly [FaultCode, string])[] = [
    ['LogUnavailable', 'UNAVAILABLE'],
    ['DiskFull', 'OVERQUOTA'],
    ['BodyTooLarge', 'TOOBIG'],
    ['BodyMissing', 'SERVERBUG'],
    ['LaneBusy', 'UNAVAILABLE'],
    ['ConflictsSpent', 'UNAVAILABLE'],
    ['Closing', 'UNAVAILABLE'],
  ];
  for (const [fault, code] of codes) {
    it(`${fault} is NO [${code}], and tells nothing of the inside`, () => {
      const line = taggedFault('a', new Fault(fault, '/var/lib/secret is broken'));
      assert.ok(line.startsWith(`a NO [${code}] `), line);
      assert.doesNotMatch(line, /secret/);
    });
  }
});
