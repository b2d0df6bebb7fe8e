/**
 * Message-IDs as they stand in Message-ID, References and In-Reply-To, and as keys by which
 * messages find each other.
 *
 * A key is a digest of fixed length: threads cost the same however long the ids are that somebody
 * writes. What is compared is RFC 5256 §3's normalised id: quotes that are not needed are no part
 * of it. RFC 5322 §3.6.4, and the white space and comments of its §4.5.4.
 */

import { hash } from 'node:crypto';
import { valueOf, type Header } from './header.ts';

/** What is longer than a line of mail is no id. */
const BRACKETED = /<([^<>]{1,998})>/g;
/** What is looked at of a References field. */
const FIELD_CHARS_MAX = 32 * 1024;
/** The message that began a thread, and the latest of those between it and this one. */
const REFERENCES_MAX = 50;
/** 120 bits: nobody makes two ids with the same key. */
const KEY_CHARS = 20;

export interface MessageLinks {
  /** Key of the message itself; '' when it has no id. */
  readonly key: string;
  /** Keys of its ancestors, the oldest first, none twice in a row. */
  readonly references: readonly string[];
}

export function messageLinks(header: Header): MessageLinks {
  const own = idsIn((valueOf(header, 'message-id') ?? '').slice(0, FIELD_CHARS_MAX))[0];
  const ids = idsIn((valueOf(header, 'references') ?? '').slice(-FIELD_CHARS_MAX));
  // RFC 5256 §3: without References, the first id of In-Reply-To is the only ancestor.
  const references =
    ids.length > 0
      ? latest(ids)
      : idsIn((valueOf(header, 'in-reply-to') ?? '').slice(0, FIELD_CHARS_MAX)).slice(0, 1);
  return {
    key: own === undefined ? '' : keyOf(own),
    references: references.map(keyOf).filter((key, i, all) => key !== all[i - 1]),
  };
}

function latest(ids: readonly string[]): readonly string[] {
  const [first] = ids;
  if (ids.length <= REFERENCES_MAX || first === undefined) return ids;
  return [first, ...ids.slice(1 - REFERENCES_MAX)];
}

/** Normalised ids without their angle brackets. */
function idsIn(value: string): string[] {
  return Array.from(value.matchAll(BRACKETED), ([, text = '']) => normalId(text)).filter(
    (id) => id !== undefined,
  );
}

/** Undefined for what is no msg-id. RFC 5256 §3: `"a"@b` and `a@b` are the same. */
function normalId(text: string): string | undefined {
  const id = text.replace(/\s+/g, '');
  const quoted = /^"((?:[^"\\]|\\.)*)"(@[^@]+)$/.exec(id);
  if (quoted !== null) return `${(quoted[1] ?? '').replace(/\\(.)/g, '$1')}${quoted[2] ?? ''}`;
  return /^[^@]+@[^@]+$/.test(id) ? id : undefined;
}

function keyOf(id: string): string {
  return hash('sha256', Buffer.from(id, 'latin1'), 'base64url').slice(0, KEY_CHARS);
}
