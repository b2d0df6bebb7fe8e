/**
 * Hold rules: which outgoing mail waits until somebody releases it.
 *
 * Invariants: a rule matches when everything that stands in it does; a rule in which nothing
 * stands matches all mail. Rules are looked at when mail is queued and when they are made, never
 * at a retry.
 */

import type { AccountId } from '../values/ids.ts';

export interface HoldRule {
  /** Counted from 1 and never given again. */
  readonly ruleId: number;
  readonly accountId?: AccountId;
  /** `localpart@domain`, or a domain alone; A-labels, lower-case domain. */
  readonly sender?: string;
  /** As `sender`; a domain may be `[192.0.2.1]`. */
  readonly recipient?: string;
}

/** What a rule looks at; addresses as in `HoldRule.sender`, '' for the null reverse-path. */
export interface HoldSubject {
  readonly accountId: AccountId;
  readonly mailFrom: string;
  readonly recipient: string;
}

export function holdRuleMatches(rule: HoldRule, subject: HoldSubject): boolean {
  return (
    (rule.accountId === undefined || rule.accountId === subject.accountId) &&
    (rule.sender === undefined || isOf(rule.sender, subject.mailFrom)) &&
    (rule.recipient === undefined || isOf(rule.recipient, subject.recipient))
  );
}

/** The first rule that holds the mail. */
export function holdingRule(
  rules: readonly HoldRule[],
  subject: HoldSubject,
): HoldRule | undefined {
  return rules.find((rule) => holdRuleMatches(rule, subject));
}

function isOf(addressOrDomain: string, address: string): boolean {
  if (addressOrDomain.includes('@')) return addressOrDomain === address;
  return address.slice(address.lastIndexOf('@') + 1) === addressOrDomain;
}
