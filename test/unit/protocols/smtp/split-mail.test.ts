/** Who is known to have a copy of a message that comes in parts. */

import assert from 'node:assert/strict';
import { it, suite } from 'node:test';
import { SMTP_SPLIT_COPIES_MAX, SMTP_SPLIT_MS } from '#protocols/limits';
import { SplitMail } from '#protocols/smtp/split-mail';

const NOW = 1_000_000;
const NOBODY = { closed: new Set(), other: new Set() };

suite('mail in parts', () => {
  it('is known by its body, with all who have got it', () => {
    const mail = new SplitMail();
    assert.deepEqual(mail.copiesOf('a', NOW), NOBODY);
    mail.remember('a', 'other', [1, 2], NOW);
    mail.remember('a', 'closed', [3], NOW);
    mail.remember('a', 'other', [2, 4], NOW);
    const { closed, other } = mail.copiesOf('a', NOW);
    assert.deepEqual([closed, other], [new Set([3]), new Set([1, 2, 4])]);
    assert.deepEqual(mail.copiesOf('b', NOW), NOBODY);
  });

  it('is forgotten when senders have given up', () => {
    const mail = new SplitMail();
    mail.remember('a', 'closed', [1], NOW);
    assert.equal(mail.copiesOf('a', NOW + SMTP_SPLIT_MS - 1).closed.size, 1);
    assert.deepEqual(mail.copiesOf('a', NOW + SMTP_SPLIT_MS), NOBODY);
  });

  it('is bounded: what was seen longest ago goes first', () => {
    const mail = new SplitMail();
    const half = Array.from({ length: SMTP_SPLIT_COPIES_MAX / 2 }, (_, i) => i);
    mail.remember('a', 'other', half, NOW);
    mail.remember('b', 'other', half, NOW);
    mail.remember('a', 'other', [0], NOW);
    mail.remember('c', 'closed', [1], NOW);
    assert.equal(mail.copiesOf('a', NOW).other.size, half.length);
    assert.deepEqual(mail.copiesOf('b', NOW), NOBODY);
    assert.equal(mail.copiesOf('c', NOW).closed.size, 1);
  });
});
