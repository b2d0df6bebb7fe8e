/**
 * Addresses as SMTP writes them: localpart, domain, path; canonical, display and log forms.
 *
 * A parsed address has its localpart unquoted and in NFC, and its domain as lower-case A-labels or
 * as an address literal. The domain layer knows no punycode: who parses passes `toAscii`, who
 * displays passes `toUnicode`.
 *
 * RFC 5321 §4.1.2 (grammar), RFC 6531 §3.3 (non-ASCII), RFC 5321 §4.5.3.1 (limits).
 */

import { isAscii, utf8Length } from './text.ts';

export interface Address {
  /** Unquoted. */
  readonly localpart: string;
  /** A-labels, or `[192.0.2.1]`, `[IPv6:2001:db8::1]`; '' only behind a bare `<Postmaster>`. */
  readonly domain: string;
}

/** RFC 5321 reverse-path `<>`: nobody is to be told. */
export const NULL_PATH: Address = { localpart: '', domain: '' };

/** A-labels of a domain with U-labels; '' when there are none. */
export type ToAscii = (domain: string) => string;
/** U-labels of a domain of A-labels. */
export type ToUnicode = (domain: string) => string;

/** not RFC 5321 §4.5.3.1.1: 64 octets, but senders with generated longer ones are many. */
const LOCALPART_BYTES_MAX = 128;
/** RFC 5321 §4.5.3.1.2 */
const DOMAIN_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;

const ATOM = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\u{10ffff}]+/uy;
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

export function isNullPath(address: Address): boolean {
  return address.localpart === '' && address.domain === '';
}

/** A path and what follows it on the line, or undefined when the text does not begin with one. */
export function readPath(
  text: string,
  toAscii: ToAscii,
): { readonly path: Address; readonly rest: string } | undefined {
  if (!text.startsWith('<')) return undefined;
  if (text.startsWith('<>')) return { path: NULL_PATH, rest: text.slice(2) };
  const start = afterSourceRoute(text, 1, toAscii);
  if (start === undefined) return undefined;
  const localpart = readLocalpart(text, start);
  if (localpart === undefined) return undefined;
  let end = localpart.end;
  let domain = '';
  if (text[end] === '@') {
    const close = text.indexOf('>', end);
    const parsed = parseDomain(text.slice(end + 1, close < 0 ? end + 1 : close), toAscii);
    if (parsed === undefined) return undefined;
    domain = parsed;
    end = close;
  } else if (!/^postmaster$/i.test(localpart.value)) {
    // RFC 5321 §4.1.1.3: Postmaster alone may stand without a domain.
    return undefined;
  }
  if (text[end] !== '>') return undefined;
  return { path: { localpart: localpart.value, domain }, rest: text.slice(end + 1) };
}

/** `localpart@domain`, the whole text; undefined when it is not an address. */
export function parseAddress(text: string, toAscii: ToAscii): Address | undefined {
  const localpart = readLocalpart(text, 0);
  if (localpart === undefined || text[localpart.end] !== '@') return undefined;
  const domain = parseDomain(text.slice(localpart.end + 1), toAscii);
  return domain === undefined ? undefined : { localpart: localpart.value, domain };
}

/** Lower-case A-labels or an address literal; undefined when the text is neither. */
export function parseDomain(text: string, toAscii: ToAscii): string | undefined {
  if (text.startsWith('[')) return parseAddressLiteral(text);
  const domain = isAscii(text) ? text.toLowerCase() : toAscii(text.normalize('NFC'));
  return isDomainName(domain) ? domain : undefined;
}

/** True for lower-case A-labels that can be a mail domain. */
export function isDomainName(domain: string): boolean {
  if (domain.length > DOMAIN_BYTES_MAX) return false;
  const labels = domain.split('.');
  // RFC 5321 §2.3.5; a name of which the last label is a number is an IP address in disguise.
  return (
    labels.every((label) => label.length <= LABEL_BYTES_MAX && LABEL.test(label)) &&
    !/^[0-9]+$/.test(labels.at(-1) as string)
  );
}

/** RFC 5321 §4.1.3; general address literals lead nowhere and are refused. */
function parseAddressLiteral(text: string): string | undefined {
  if (!text.endsWith(']')) return undefined;
  const inner = text.slice(1, -1);
  if (isIpv4(inner)) return text;
  if (!/^ipv6:/i.test(inner)) return undefined;
  const ip = inner.slice('IPv6:'.length).toLowerCase();
  return isIpv6(ip) ? `[IPv6:${ip}]` : undefined;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part < 256)
  );
}

function isIpv6(text: string): boolean {
  let groups = text;
  const lastColon = text.lastIndexOf(':');
  if (text.includes('.')) {
    if (!isIpv4(text.slice(lastColon + 1))) return false;
    groups = `${text.slice(0, lastColon + 1)}0:0`;
  }
  const halves = groups.split('::');
  if (halves.length > 2) return false;
  const lists = halves.map((half) => (half === '' ? [] : half.split(':')));
  const all = lists.flat();
  if (!all.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? all.length < 8 : all.length === 8;
}

/** RFC 5321 §4.1.2 A-d-l: routes given by the sender are read and ignored. */
function afterSourceRoute(text: string, start: number, toAscii: ToAscii): number | undefined {
  if (text[start] !== '@') return start;
  const colon = routeEnd(text, start);
  if (colon === undefined) return undefined;
  const hops = text.slice(start, colon).split(',');
  const valid = hops.every(
    (hop) => hop.startsWith('@') && parseDomain(hop.slice(1), toAscii) !== undefined,
  );
  return valid ? colon + 1 : undefined;
}

/** The colon behind the route; colons inside the brackets of an address literal are skipped. */
function routeEnd(text: string, start: number): number | undefined {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '[') depth++;
    else if (text[i] === ']') depth--;
    else if (text[i] === ':' && depth === 0) return i;
  }
  return undefined;
}

interface Read {
  readonly value: string;
  readonly end: number;
}

function readLocalpart(text: string, start: number): Read | undefined {
  const read = text[start] === '"' ? readQuotedString(text, start) : readDotString(text, start);
  if (read === undefined || !read.value.isWellFormed()) return undefined;
  // RFC 6530 §10.1: compared and stored in NFC.
  const value = read.value.normalize('NFC');
  return utf8Length(value) <= LOCALPART_BYTES_MAX ? { value, end: read.end } : undefined;
}

function readDotString(text: string, start: number): Read | undefined {
  let end = start;
  for (;;) {
    ATOM.lastIndex = end;
    const atom = ATOM.exec(text);
    if (atom === null) return undefined;
    end += atom[0].length;
    if (text[end] !== '.') return { value: text.slice(start, end), end };
    end++;
  }
}

function readQuotedString(text: string, start: number): Read | undefined {
  let value = '';
  for (let i = start + 1; i < text.length; i++) {
    let char = text[i] as string;
    if (char === '"') return { value, end: i + 1 };
    if (char === '\\') {
      i++;
      char = text[i] ?? '';
      // RFC 5321 §4.1.2 quoted-pairSMTP: printable ASCII only.
      if (!/^[ -~]$/.test(char)) return undefined;
    } else if (/[\u0000-\u001f\u007f-\u009f]/.test(char)) {
      return undefined;
    }
    value += char;
  }
  return undefined;
}

/** How a domain of ours compares localparts. */
export interface LocalpartRules {
  readonly caseSensitive: boolean;
  /** Every character of it is a separator. */
  readonly catchallSeparator: string;
}

/** What two localparts have in common that mean the same mailbox. */
export function canonicalLocalpart(localpart: string, rules: LocalpartRules): string {
  return withoutTag(foldedLocalpart(localpart, rules.caseSensitive), rules.catchallSeparator);
}

/** NFC, and lower-case unless the domain tells cases apart. */
export function foldedLocalpart(localpart: string, caseSensitive: boolean): string {
  const text = localpart.normalize('NFC');
  return caseSensitive ? text : text.toLowerCase().normalize('NFC');
}

function withoutTag(localpart: string, separators: string): string {
  return splitLocalpart(localpart, separators).base;
}

/** `shop` and `alice` are tag and base of `alice+shop`; the tag of `alice+` is ''. */
export interface SplitLocalpart {
  readonly base: string;
  /** Undefined where there is no separator. */
  readonly tag?: string;
}

/** Cut at the first separator; one at the very beginning is a part of the base. */
export function splitLocalpart(localpart: string, separators: string): SplitLocalpart {
  for (let i = 1; i < localpart.length; i++) {
    if (!separators.includes(localpart[i] as string)) continue;
    return { base: localpart.slice(0, i), tag: localpart.slice(i + 1) };
  }
  return { base: localpart };
}

/** RFC 6531 §3.2: such an address travels only where SMTPUTF8 was asked for. */
export function needsSmtpUtf8(address: Address): boolean {
  return !isAscii(address.localpart);
}

/** The domain of a recorded address or path, in lower case; '' for the null reverse-path. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

/** `localpart@domain` as it stands on the wire; '' for the null path. */
export function formatAddress(address: Address): string {
  if (isNullPath(address)) return '';
  const localpart = formatLocalpart(address.localpart);
  return address.domain === '' ? localpart : `${localpart}@${address.domain}`;
}

function formatLocalpart(localpart: string): string {
  if (readDotString(localpart, 0)?.end === localpart.length) return localpart;
  return `"${localpart.replace(/["\\]/g, '\\$&')}"`;
}

/** For people: U-labels. */
export function displayAddress(address: Address, toUnicode: ToUnicode): string {
  return formatAddress({ ...address, domain: displayDomain(address.domain, toUnicode) });
}

function displayDomain(domain: string, toUnicode: ToUnicode): string {
  return domain.startsWith('[') ? domain : toUnicode(domain);
}

/** For logs: ASCII as it is; otherwise Unicode and ASCII side by side, so look-alikes are seen. */
export function logAddress(address: Address, toUnicode: ToUnicode): string {
  const localpart = formatLocalpart(address.localpart);
  const unicode = displayDomain(address.domain, toUnicode);
  const shown = isAscii(localpart) ? localpart : `${localpart}/${escapedAscii(localpart)}`;
  const domain = unicode === address.domain ? unicode : `${unicode}/${address.domain}`;
  return isNullPath(address) ? '' : address.domain === '' ? shown : `${shown}@${domain}`;
}

function escapedAscii(text: string): string {
  return text.replace(
    /[^\u0000-\u007f]/gu,
    (char) => `\\u{${(char.codePointAt(0) as number).toString(16)}}`,
  );
}
