/**
 * Proof that mail was handed in here: a DKIM-Signature made with one of our own keys.
 *
 * Whoever checks knows our keys, so that neither DNS nor the sender is asked for anything.
 * Invariants: From is signed, and all of the body; of one message OWN_SIGNATURES_MAX signatures at
 * most are looked at, and its body is digested while it passes.
 * RFC 6376 §3.5 (tags), §3.7 (what is signed), §6.1 (checking), RFC 8463 (Ed25519).
 */

import { Buffer } from 'node:buffer';
import { hash, verify, type KeyObject } from 'node:crypto';
import type { Instant } from '#domain/values/ids';
import { OWN_SIGNATURES_MAX } from '../limits.ts';
import { fieldValue, type Field, type Header } from '../message/header.ts';
import { BodyDigest, canonicalField, type Canonical } from './dkim-canonical.ts';

export interface OwnKeys {
  /** A-labels. */
  readonly domain: string;
  /** By selector; public ones will do. */
  readonly selectors: readonly { readonly name: string; readonly key: KeyObject }[];
}

/** A signature that may be ours. */
interface Claim {
  readonly field: Field;
  readonly key: KeyObject;
  readonly header: Canonical;
  readonly body: Canonical;
  /** Of `h=`, in lower case. */
  readonly names: readonly string[];
  readonly bodyDigest: string;
  readonly signature: Buffer;
}

export class OwnSignatures {
  readonly #header: Header;
  readonly #claims: readonly Claim[];
  readonly #digests: ReadonlyMap<Canonical, BodyDigest>;

  constructor(header: Header, keys: OwnKeys, at: Instant) {
    this.#header = header;
    this.#claims = claimsIn(header, keys, at);
    const forms = new Set(this.#claims.map(({ body }) => body));
    this.#digests = new Map(Array.from(forms, (form) => [form, new BodyDigest(form)]));
  }

  /** The body passes, less the first `skip` octets. */
  async *watching(octets: AsyncIterable<Buffer>, skip: number): AsyncGenerator<Buffer> {
    let left = skip;
    for await (const chunk of octets) {
      const body = chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
      for (const digest of this.#digests.values()) digest.update(body);
      yield chunk;
    }
  }

  /** True when one of them is right; to be called once, when the body has passed. */
  async areRight(): Promise<boolean> {
    const digests = new Map([...this.#digests].map(([form, digest]) => [form, digest.digest()]));
    for (const claim of this.#claims) {
      if (claim.bodyDigest !== digests.get(claim.body)) continue;
      if (await isSignedBy(claim, signedOctets(this.#header, claim))) return true;
    }
    return false;
  }
}

function claimsIn(header: Header, keys: OwnKeys, at: Instant): readonly Claim[] {
  const claims: Claim[] = [];
  for (const field of header.fields) {
    if (field.name !== 'dkim-signature') continue;
    const claim = claimOf(header, field, keys, at);
    if (claim !== undefined) claims.push(claim);
    if (claims.length === OWN_SIGNATURES_MAX) break;
  }
  return claims;
}

function claimOf(
  header: Header,
  field: Field,
  { domain, selectors }: OwnKeys,
  at: Instant,
): Claim | undefined {
  const tags = tagsIn(fieldValue(header, field));
  const selector = selectors.find(({ name }) => name === tags?.get('s'));
  if (tags === undefined || selector === undefined) return undefined;
  const tag = (name: string): string => (tags.get(name) ?? '').replace(/\s/g, '');
  const { key } = selector;
  const kind = key.asymmetricKeyType === 'ed25519' ? 'ed25519-sha256' : 'rsa-sha256';
  const names = tag('h').toLowerCase().split(':');
  const expires = tags.get('x');
  const isOurs =
    tag('v') === '1' &&
    tag('d').toLowerCase() === domain &&
    tag('a') === kind &&
    names.includes('from') &&
    // RFC 6376 §8.2: of a part of the body it says nothing about the rest.
    !tags.has('l') &&
    (expires === undefined || Number(expires) * 1000 > at);
  // RFC 6376 §3.5: simple where nothing is said, of the body also where only one is named.
  const [headerForm = '', bodyForm = 'simple'] = (tag('c') || 'simple').split('/');
  if (!isOurs || !isForm(headerForm) || !isForm(bodyForm)) return undefined;
  return {
    field,
    key,
    header: headerForm,
    body: bodyForm,
    names,
    bodyDigest: tag('bh'),
    signature: Buffer.from(tag('b'), 'base64'),
  };
}

function isForm(text: string): text is Canonical {
  return text === 'simple' || text === 'relaxed';
}

/** RFC 6376 §3.2; undefined where a tag stands twice. */
function tagsIn(value: string): ReadonlyMap<string, string> | undefined {
  const tags = new Map<string, string>();
  for (const part of value.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim();
    if (tags.has(name)) return undefined;
    tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}

/** RFC 6376 §5.4.2: fields of one name from the last one on; where none is left, nothing. */
function signedOctets(header: Header, { field, header: form, names }: Claim): string {
  const left = Map.groupBy(header.fields, ({ name }) => name);
  const signed = names.map((name) => {
    const next = left.get(name)?.pop();
    return next === undefined ? '' : canonicalField(textOf(header, next), form);
  });
  // RFC 6376 §3.7: the field itself comes last, without what is behind `b=` and without line end.
  const own = canonicalField(withoutSignature(textOf(header, field)), form);
  return signed.join('') + own.replace(/\r\n$/, '');
}

function textOf({ text }: Header, { start, end }: Field): string {
  return text.slice(start, end);
}

function withoutSignature(field: string): string {
  const colon = field.indexOf(':') + 1;
  const parts = field.slice(colon).split(';');
  const unsigned = parts.map((part, i) => {
    if (!/^\s*b\s*=/.test(part)) return part;
    const rest = i === parts.length - 1 ? '\r\n' : '';
    return part.slice(0, part.indexOf('=') + 1) + rest;
  });
  return field.slice(0, colon) + unsigned.join(';');
}

function isSignedBy({ key, signature }: Claim, text: string): Promise<boolean> {
  const octets = Buffer.from(text, 'latin1');
  const ed25519 = key.asymmetricKeyType === 'ed25519';
  // RFC 8463 §3: what Ed25519 signs is the digest.
  const data = ed25519 ? hash('sha256', octets, 'buffer') : octets;
  return new Promise((resolve, reject) => {
    verify(ed25519 ? null : 'sha256', data, key, signature, (error, right) => {
      if (error === null) resolve(right);
      else reject(error);
    });
  });
}
