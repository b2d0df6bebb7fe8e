/**
 * What is known of a message beside its octets.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FACTS_VERSION, readFacts } from '#protocols/message/facts';
import { mail } from '../../../support/mail.ts';

describe('facts', () => {
  it('hold what is searched, decoded and folded', () => {
    const facts = readFacts(
      mail(
        'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
        ' from HERE',
        'From: =?iso-8859-1?q?J=F6rg?= <Joerg@Example.org>',
        'To: a@x',
        'Cc: c@x',
        'To: B@x',
        'Message-ID: <One@example.org>',
        'Date: Fri, 2 Jan 2026 00:30:00 +0200',
        '',
        'text',
      ),
    );
    assert.equal(facts.version, FACTS_VERSION);
    assert.equal(facts.subject, 'grüsse from here'.normalize('NFKD'));
    assert.equal(facts.from, 'jörg <joerg@example.org>'.normalize('NFKD'));
    assert.equal(facts.to, 'a@x, b@x');
    assert.equal(facts.cc, 'c@x');
    assert.equal(facts.bcc, '');
    assert.equal(facts.headerId, '<One@example.org>');
    assert.equal(facts.sentAt, Date.UTC(2026, 0, 1, 22, 30));
    assert.equal(facts.sentDay, 20260102);
  });

  it('know where the header ends', () => {
    assert.equal(readFacts(mail('A: 1', '', 'text')).headerBytes, 8);
    assert.equal(readFacts(mail('A: 1')).headerBytes, 6);
  });

  it('exist for nothing at all', () => {
    const facts = readFacts(Buffer.alloc(0));
    assert.equal(facts.subject, '');
    assert.equal(facts.headerBytes, 0);
    assert.equal('sentAt' in facts, false);
    assert.equal('sentDay' in facts, false);
  });

  it('are plain JSON', () => {
    const facts = readFacts(mail('Subject: \xe4\0', 'Date: never', '', 'text'));
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
  });

  it('hold no more of a field than anybody would look for', () => {
    assert.equal(readFacts(mail(`Subject: ${'x'.repeat(500_000)}`)).subject.length, 32 * 1024);
  });
});
