/**
 * MTA-STS as text: the record in DNS that tells of a policy, the policy, and which hosts it allows.
 *
 * RFC 8461 §3.1 (record), §3.2 (policy), §4.1 (names of hosts).
 */

import { isDomainName } from '#domain/values/address';

export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Host names in lower case; `*.` in front stands for one label. */
  readonly mx: readonly string[];
  readonly maxAgeSeconds: number;
}

export type StsRecord =
  | { readonly type: 'record'; readonly id: string }
  | { readonly type: 'none' | 'several' | 'syntax' };

/** RFC 8461 §3.2: about a year. */
const MAX_AGE_SECONDS_MAX = 31_557_600;
const FIELD_NAME = /^[a-z0-9][a-z0-9_.-]{0,31}$/i;

/** The one record among the texts of `_mta-sts`. */
export function parseStsRecord(texts: readonly string[]): StsRecord {
  // RFC 8461 §3.1: what does not begin like this is left out of account.
  const [text, ...more] = texts.filter((one) => /^v=STSv1[ \t]*;/.test(one));
  if (text === undefined) return { type: 'none' };
  if (more.length > 0) return { type: 'several' };
  const fields = text.split(';').slice(1);
  if (fields.at(-1)?.trim() === '') fields.pop();
  let id: string | undefined;
  for (const field of fields) {
    const [name = '', value] = halves(field.trim(), '=');
    // RFC 8461 §3.1 sts-ext-value: printable, without the signs that separate.
    if (!FIELD_NAME.test(name) || value === undefined || !/^[!-:<>-~]+$/.test(value)) {
      return { type: 'syntax' };
    }
    if (name === 'id') id ??= value;
  }
  return id !== undefined && /^[a-z0-9]{1,32}$/i.test(id)
    ? { type: 'record', id }
    : { type: 'syntax' };
}

/** Undefined when the text is no policy. */
export function parseStsPolicy(text: string): StsPolicy | undefined {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const [name = '', rest] = halves(line, ':');
    if (!FIELD_NAME.test(name) || rest === undefined) return undefined;
    const value = rest.trim();
    if (name === 'mx') mx.push(value.toLowerCase());
    // RFC 8461 §3.2: of fields that are repeated the first counts; unknown ones do not.
    else if (!fields.has(name)) fields.set(name, value);
  }
  const mode = fields.get('mode');
  const maxAge = fields.get('max_age') ?? '';
  if (fields.get('version') !== 'STSv1' || !/^\d{1,10}$/.test(maxAge)) return undefined;
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined;
  if (!mx.every(isMxPattern) || (mx.length === 0 && mode !== 'none')) return undefined;
  return { mode, mx, maxAgeSeconds: Math.min(Number(maxAge), MAX_AGE_SECONDS_MAX) };
}

/** True when mail for the domain may go to the host. */
export function stsAllows(policy: StsPolicy, host: string): boolean {
  const parent = host.slice(host.indexOf('.') + 1);
  // RFC 8461 §4.1: a star stands for the leftmost label and for nothing else.
  return policy.mx.some((one) => one === host || (host.includes('.') && one === `*.${parent}`));
}

function isMxPattern(text: string): boolean {
  return isDomainName(text.startsWith('*.') ? text.slice(2) : text);
}

/** What stands before and behind the first sign; one part when there is none. */
function halves(text: string, sign: string): readonly string[] {
  const at = text.indexOf(sign);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
