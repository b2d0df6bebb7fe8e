/**
 * Signs mail: each selector of a domain puts a DKIM-Signature over the header and the body.
 *
 * Invariants: From is always signed; unless a selector says otherwise, every signed field is
 * sealed, so that a message to which one is added does not verify; the body is read once, whatever
 * the number of signatures.
 * RFC 6376 (DKIM), RFC 8301 (SHA-256 only), RFC 8463 (Ed25519).
 */

import { Buffer } from 'node:buffer';
import { hash, sign, type KeyObject } from 'node:crypto';
import type { Instant } from '#domain/values/ids';
import { readHeader, type Header } from '../message/header.ts';
import { BodyDigest, canonicalField, type Canonical } from './dkim-canonical.ts';

/** How a domain signs: one of its keys, and what is done with it. */
export interface DkimSelector {
  /** RFC 6376 §3.1: the key stands in the DNS as `<name>._domainkey.<domain>`. */
  readonly name: string;
  /** Private, RSA or Ed25519. */
  readonly key: KeyObject;
  /** `relaxed` when absent. */
  readonly header?: Canonical;
  readonly body?: Canonical;
  /** Names of the fields to sign, in any case; what readers see when absent. */
  readonly fields?: readonly string[];
  /** Fields may be added later, by mailing lists for example. */
  readonly unsealed?: boolean;
  /** How long the signature counts; for ever when absent. */
  readonly lifetimeMs?: number;
}

export interface SigningRequest {
  readonly selectors: readonly DkimSelector[];
  /** A-labels. */
  readonly domain: string;
  /** RFC 6376 §3.5 `i=`: `alice@example.org` or `@example.org`; left out when absent. */
  readonly identity?: string;
  /** All fields as they will be sent, one character per octet, lines ending in CRLF. */
  readonly header: string;
  /** What follows the empty line. */
  readonly bodyOctets: AsyncIterable<Uint8Array>;
  readonly at: Instant;
}

/** RFC 6376 §5.4.1, and what else readers see or programs act upon. */
const SIGNED_FIELDS: readonly string[] = [
  'From',
  'To',
  'Cc',
  'Bcc',
  'Reply-To',
  'References',
  'In-Reply-To',
  'Subject',
  'Date',
  'Message-Id',
  'Content-Type',
];

/** The fields to put before the header, one for each selector; '' when there are none. */
export async function signMessage(request: SigningRequest): Promise<string> {
  const { selectors, bodyOctets } = request;
  if (selectors.length === 0) return '';
  const header = readHeader(request.header);
  const digests = await bodyDigests(new Set(selectors.map(bodyForm)), bodyOctets);
  const signed = selectors.map((selector) => {
    const digest = digests.get(bodyForm(selector)) ?? '';
    return signature(request, selector, header, digest);
  });
  return (await Promise.all(signed)).join('');
}

function bodyForm({ body = 'relaxed' }: DkimSelector): Canonical {
  return body;
}

async function bodyDigests(
  forms: ReadonlySet<Canonical>,
  bodyOctets: AsyncIterable<Uint8Array>,
): Promise<ReadonlyMap<Canonical, string>> {
  const digests = Array.from(forms, (form) => ({ form, digest: new BodyDigest(form) }));
  for await (const octets of bodyOctets) {
    for (const { digest } of digests) digest.update(octets);
  }
  return new Map(digests.map(({ form, digest }) => [form, digest.digest()]));
}

/** RFC 6376 §3.7: the signature covers the field that it stands in, which therefore comes last. */
async function signature(
  request: SigningRequest,
  selector: DkimSelector,
  header: Header,
  bodyDigest: string,
): Promise<string> {
  const form = selector.header ?? 'relaxed';
  const chosen = chosenFields(header, selector);
  const unsigned = unsignedField(request, selector, chosen.names, bodyDigest);
  const octets = [
    ...chosen.fields.map((field) => canonicalField(field, form)),
    // RFC 6376 §3.7: without the line end behind it.
    canonicalField(unsigned, form).replace(/\r\n$/, ''),
  ].join('');
  const signed = await signOctets(selector.key, Buffer.from(octets, 'latin1'));
  // RFC 6376 §3.5: white space within the value is no part of it.
  const lines = signed.toString('base64').match(/.{1,72}/g) ?? [];
  return `${unsigned.slice(0, -2)}${lines.join('\r\n\t')}\r\n`;
}

interface ChosenFields {
  /** Of `h=`. */
  readonly names: readonly string[];
  readonly fields: readonly string[];
}

/**
 * RFC 6376 §5.4.2: fields of one name are signed from the last one to the first. RFC 6376 §8.15: a
 * name that stands there once more than its fields keeps others from being added.
 */
function chosenFields(header: Header, { fields: wanted, unsealed }: DkimSelector): ChosenFields {
  const names: string[] = [];
  const fields: string[] = [];
  const given = new Map<string, string>();
  // RFC 6376 §5.4: From has to be among them.
  for (const name of ['From', ...(wanted ?? SIGNED_FIELDS)]) {
    if (!given.has(name.toLowerCase())) given.set(name.toLowerCase(), name);
  }
  for (const [lowerName, name] of given) {
    const found = header.fields.filter((field) => field.name === lowerName).reverse();
    for (const { start, end } of found) {
      names.push(name);
      fields.push(header.text.slice(start, end));
    }
    if (unsealed !== true || (lowerName === 'from' && found.length === 0)) names.push(name);
  }
  return { names, fields };
}

/** The whole field, with nothing behind `b=`. RFC 6376 §3.5. */
function unsignedField(
  { domain, identity, at }: SigningRequest,
  { name, key, header = 'relaxed', body = 'relaxed', lifetimeMs }: DkimSelector,
  names: readonly string[],
  bodyDigest: string,
): string {
  const words = [
    ' v=1;',
    ` a=${algorithmOf(key)};`,
    ` c=${header}/${body};`,
    ` d=${domain};`,
    ` s=${name};`,
    ...(identity === undefined ? [] : [` i=${quotedPrintable(identity)};`]),
    ` t=${seconds(at)};`,
    ...(lifetimeMs === undefined ? [] : [` x=${seconds(at + lifetimeMs)};`]),
    ...names.map((field, i) => `${i === 0 ? ' h=' : ''}${field}${names[i + 1] ? ':' : ';'}`),
    ` bh=${bodyDigest};`,
  ];
  return `${folded('DKIM-Signature:', words)}\r\n\tb=\r\n`;
}

const FOLD_COLUMN = 76;

/** RFC 6376 §3.2: lines may end between tags, and around the colons of `h=`. */
function folded(start: string, words: readonly string[]): string {
  let text = start;
  let column = start.length;
  for (const word of words) {
    const fits = column + word.length <= FOLD_COLUMN;
    text += fits ? word : `\r\n\t${word.trimStart()}`;
    column = word.length + (fits ? column : 8);
  }
  return text;
}

function seconds(at: Instant): number {
  return Math.floor(at / 1000);
}

/** RFC 6376 §2.11 dkim-quoted-printable */
function quotedPrintable(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (octet) => {
    const char = String.fromCharCode(octet);
    const code = octet.toString(16).toUpperCase().padStart(2, '0');
    return /[!-~]/.test(char) && !/[;=]/.test(char) ? char : `=${code}`;
  }).join('');
}

/** RFC 8301 §3.1: nothing with SHA-1. */
function algorithmOf(key: KeyObject): string {
  return key.asymmetricKeyType === 'ed25519' ? 'ed25519-sha256' : 'rsa-sha256';
}

function signOctets(key: KeyObject, octets: Buffer): Promise<Buffer> {
  const ed25519 = key.asymmetricKeyType === 'ed25519';
  // RFC 8463 §3: what Ed25519 signs is the digest.
  const data = ed25519 ? hash('sha256', octets, 'buffer') : octets;
  return new Promise((resolve, reject) => {
    // RSA takes a millisecond: not on the thread of the conversations.
    sign(ed25519 ? null : 'sha256', data, key, (error, signed) => {
      if (error === null) resolve(signed);
      else reject(error);
    });
  });
}
