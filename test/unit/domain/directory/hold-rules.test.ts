/** Which outgoing mail a hold rule keeps from going. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  holdingRule,
  holdRuleMatches,
  type HoldRule,
  type HoldSubject,
} from '#domain/directory/hold-rules';

const MAIL: HoldSubject = {
  accountId: 7,
  mailFrom: 'me@localhost',
  recipient: 'friend@held.example',
};

describe('a hold rule (queue 8, smtp 124)', () => {
  const cases: readonly (readonly [Omit<HoldRule, 'ruleId'>, boolean])[] = [
    [{}, true],
    [{ accountId: 7 }, true],
    [{ accountId: 8 }, false],
    [{ sender: 'localhost' }, true],
    [{ sender: 'me@localhost' }, true],
    [{ sender: 'you@localhost' }, false],
    [{ recipient: 'held.example' }, true],
    [{ recipient: 'a.held.example' }, false],
    [{ accountId: 7, recipient: 'held.example' }, true],
    [{ accountId: 7, recipient: 'other.example' }, false],
    [{ sender: 'example.org', recipient: 'held.example' }, false],
  ];
  for (const [rule, matches] of cases) {
    it(`${JSON.stringify(rule)} ${matches ? 'holds' : 'lets go'}`, () => {
      assert.equal(holdRuleMatches({ ruleId: 1, ...rule }, MAIL), matches);
    });
  }

  it('for a domain holds nothing from the null reverse-path', () => {
    const rule = { ruleId: 1, sender: 'localhost' };
    assert.equal(holdRuleMatches(rule, { ...MAIL, mailFrom: '' }), false);
  });

  it('is the first of those that match', () => {
    const rules = [{ ruleId: 1, accountId: 8 }, { ruleId: 2 }, { ruleId: 3, accountId: 7 }];
    assert.equal(holdingRule(rules, MAIL)?.ruleId, 2);
    assert.equal(holdingRule([], MAIL), undefined);
  });
});
