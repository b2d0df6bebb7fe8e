/**
 * Outgoing mail as administrators get it in JSON: one record per recipient, under the names that
 * programs for such lists know.
 */

import { Buffer } from 'node:buffer';
import { domainToUnicode } from 'node:url';
import type { Remote } from '#domain/queue/events';
import type { QueueResult } from '#projections/attempt-results';
import type { QueuedItem, RetiredItem } from '#projections/queue-lists';
import type { AdministeredItem, NamedHoldRule, NamedSuppression } from '../ports-queue.ts';
import { durationOf, headerOf, subjectOf, timeOf } from './record-values.ts';

export interface ResultRecord {
  readonly Start: string;
  readonly Duration: number;
  readonly Success: boolean;
  /** 0 when there was no SMTP reply. */
  readonly Code: number;
  /** Enhanced code without its class, `1.1`. */
  readonly Secode: string;
  readonly Error: string;
  /** Who gave the reply; null when nobody did. */
  readonly Remote: { readonly Host: string; readonly IP: string } | null;
  /** Who did it, where somebody did. */
  readonly Actor: string;
}

interface DomainRecord {
  readonly IP: string;
  readonly Domain: { readonly ASCII: string; readonly Unicode: string };
}

interface ItemRecord {
  readonly ID: number;
  readonly BaseID: number;
  readonly Queued: string;
  readonly SenderAccount: string;
  readonly SenderLocalpart: string;
  readonly SenderDomainStr: string;
  readonly FromID: string;
  readonly RecipientLocalpart: string;
  readonly RecipientDomain: DomainRecord;
  readonly RecipientDomainStr: string;
  readonly Attempts: number;
  readonly MaxAttempts: number;
  readonly DialedIPs: Readonly<Record<string, readonly string[]>> | null;
  readonly LastAttempt: string | null;
  readonly Results: readonly ResultRecord[];
  readonly Has8bit: boolean;
  readonly SMTPUTF8: boolean;
  readonly IsDMARCReport: boolean;
  readonly IsTLSReport: boolean;
  readonly Size: number;
  readonly MessageID: string;
  /** As people read it; '' when the message is gone. */
  readonly Subject: string;
  readonly Transport: string;
  readonly RequireTLS: boolean | null;
  readonly FutureReleaseRequest: string;
  readonly Extra: Readonly<Record<string, string>> | null;
}

export interface QueuedRecord extends ItemRecord {
  readonly Hold: boolean;
  readonly SenderDomain: DomainRecord;
  readonly NextAttempt: string;
}

/** With all that goes to the next hop, but for the body. */
export interface WholeRecord extends QueuedRecord {
  /** Fields that stand above the message, in base64. */
  readonly MsgPrefix: string;
  /** Another body for next hops with SMTPUTF8; we never make one. */
  readonly DSNUTF8: null;
}

export interface RetiredRecord extends ItemRecord {
  readonly LastActivity: string;
  readonly RecipientAddress: string;
  readonly Success: boolean;
  /** `delivered`, `failed`, `suppressed` or `canceled`. */
  readonly Outcome: string;
  readonly KeepUntil: string;
}

/** '' where it does not count. */
export interface HoldRuleRecord {
  readonly ID: number;
  readonly Account: string;
  /** Of a rule about one address, like that of the recipient. */
  readonly SenderLocalpart: string;
  readonly SenderDomainStr: string;
  readonly RecipientLocalpart: string;
  readonly RecipientDomainStr: string;
}

export interface SuppressionRecord {
  readonly Account: string;
  readonly BaseAddress: string;
  readonly OriginalAddress: string;
  readonly Manual: boolean;
  readonly Reason: string;
  readonly Created: string;
}

export function queuedRecord(item: AdministeredItem<QueuedItem>): QueuedRecord {
  const { domain } = partsOf(item.details.mailFrom);
  return {
    ...itemRecord(item),
    Hold: item.isHeld,
    SenderDomain: domainRecord(domain),
    NextAttempt: timeOf(item.nextAttemptAt),
  };
}

export function wholeRecord(item: AdministeredItem<QueuedItem>, prefix: string): WholeRecord {
  const base64 = Buffer.from(prefix).toString('base64');
  return { ...queuedRecord(item), MsgPrefix: base64, DSNUTF8: null };
}

export function retiredRecord(item: AdministeredItem<RetiredItem>): RetiredRecord {
  return {
    ...itemRecord(item),
    LastActivity: timeOf(item.lastActivityAt),
    RecipientAddress: shownAddress(item.details.recipient),
    Success: item.outcome === 'delivered',
    Outcome: item.outcome,
    KeepUntil: timeOf(item.keepUntil),
  };
}

function itemRecord(
  item: AdministeredItem<QueuedItem> | AdministeredItem<RetiredItem>,
): ItemRecord {
  const { details, results } = item;
  const sender = partsOf(details.mailFrom);
  const recipient = partsOf(details.recipient);
  return {
    ID: item.queueId,
    BaseID: details.baseId ?? 0,
    Queued: timeOf(details.queuedAt),
    SenderAccount: item.account,
    SenderLocalpart: sender.localpart,
    SenderDomainStr: shownDomain(sender.domain),
    FromID: details.fromId ?? '',
    RecipientLocalpart: recipient.localpart,
    RecipientDomain: domainRecord(recipient.domain),
    RecipientDomainStr: shownDomain(recipient.domain),
    Attempts: item.attempts,
    MaxAttempts: details.attemptsMax ?? 0,
    DialedIPs: dialedIps(results.flatMap(({ dialed }) => dialed)),
    LastAttempt: item.lastAttemptAt === null ? null : timeOf(item.lastAttemptAt),
    Results: results.map(resultRecord),
    Has8bit: details.eightBit,
    SMTPUTF8: details.smtpUtf8,
    IsDMARCReport: details.report === 'dmarc',
    IsTLSReport: details.report === 'tls',
    Size: details.sizeBytes,
    MessageID: details.headerId,
    Subject: subjectOf(headerOf(item.header)),
    Transport: item.transport,
    RequireTLS: item.requireTls,
    FutureReleaseRequest: details.futureRelease ?? '',
    Extra: details.extra ?? null,
  };
}

function resultRecord(result: QueueResult): ResultRecord {
  const { startAt, durationMs, success, code, enhancedCode, text, remote, actor } = result;
  return {
    Start: timeOf(startAt),
    Duration: durationOf(durationMs),
    Success: success,
    Code: code,
    Secode: enhancedCode.slice(2),
    Error: text,
    Remote: remote === undefined ? null : { Host: remote.host, IP: remote.ip },
    Actor: actor,
  };
}

function dialedIps(dialed: readonly Remote[]): ItemRecord['DialedIPs'] {
  if (dialed.length === 0) return null;
  const byHost = Map.groupBy(dialed, ({ host }) => host);
  return Object.fromEntries(
    [...byHost].map(([host, remotes]) => [host, remotes.map(({ ip }) => ip)]),
  );
}

export function holdRuleRecord(rule: NamedHoldRule): HoldRuleRecord {
  const { ruleId, account = '', sender = '', recipient = '' } = rule;
  const from = ruledParts(sender);
  const to = ruledParts(recipient);
  return {
    ID: ruleId,
    Account: account,
    SenderLocalpart: from.localpart,
    SenderDomainStr: shownDomain(from.domain),
    RecipientLocalpart: to.localpart,
    RecipientDomainStr: shownDomain(to.domain),
  };
}

/** A rule has a domain or an address. */
function ruledParts(text: string): ReturnType<typeof partsOf> {
  return text.includes('@') ? partsOf(text) : { localpart: '', domain: text };
}

export function suppressionRecord(suppression: NamedSuppression): SuppressionRecord {
  return {
    Account: suppression.account,
    BaseAddress: shownAddress(suppression.baseAddress),
    OriginalAddress: shownAddress(suppression.address),
    Manual: suppression.manual,
    Reason: suppression.reason,
    Created: timeOf(suppression.at),
  };
}

function partsOf(address: string): { readonly localpart: string; readonly domain: string } {
  const at = address.lastIndexOf('@');
  return at < 0
    ? { localpart: address, domain: '' }
    : { localpart: address.slice(0, at), domain: address.slice(at + 1) };
}

function domainRecord(domain: string): DomainRecord {
  if (domain.startsWith('[')) {
    const ip = domain.slice(1, -1).replace(/^IPv6:/i, '');
    return { IP: ip, Domain: { ASCII: '', Unicode: '' } };
  }
  const unicode = shownDomain(domain);
  return { IP: '', Domain: { ASCII: domain, Unicode: unicode === domain ? '' : unicode } };
}

function shownAddress(address: string): string {
  const { localpart, domain } = partsOf(address);
  return domain === '' ? localpart : `${localpart}@${shownDomain(domain)}`;
}

function shownDomain(domain: string): string {
  return domain.startsWith('[') ? domain : domainToUnicode(domain);
}
