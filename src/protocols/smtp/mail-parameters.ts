/**
 * What the parameters of MAIL ask for.
 *
 * Invariants: a parameter that was not announced to this client is refused, and so is a value that
 * cannot be; the time of a release is kept in UTC, however it was written.
 * RFC 1870 (SIZE); RFC 6152 (BODY); RFC 6531 (SMTPUTF8); RFC 4954 §5 (AUTH); RFC 8689 (REQUIRETLS);
 * RFC 4865 (HOLDFOR, HOLDUNTIL).
 */

import type { Instant } from '#domain/values/ids';
import { MESSAGE_BYTES_MAX, SMTP_HOLD_MS_MAX } from '../limits.ts';
import { BAD_ARGUMENTS, reply, TOO_LARGE, type Reply } from './reply.ts';
import type { FutureRelease, Session } from './session.ts';

export interface MailParameters {
  readonly smtpUtf8: boolean;
  readonly requireTls: boolean;
  readonly release?: FutureRelease;
}

type Read =
  | ({ readonly type: 'read' } & MailParameters)
  | { readonly type: 'refused'; readonly reply: Reply };

export const BAD_PARAMETER: Reply = reply(555, '5.3.3', 'That parameter is not known here.');
const BAD_BODY = reply(555, '5.5.4', 'That kind of body cannot be taken here.');
const NO_TLS = reply(523, '5.7.10', 'REQUIRETLS needs TLS from the first step on.');
const BAD_TIME = reply(554, '5.5.4', 'The message cannot wait until then.');

export function readMailParameters(
  session: Session,
  parameters: ReadonlyMap<string, string>,
): Read {
  for (const [keyword, value] of parameters) {
    const refusal = parameterRefused(session, keyword, value);
    if (refusal !== undefined) return { type: 'refused', reply: refusal };
  }
  const release = releaseOf(parameters, session.ports.clock.now());
  if (release !== undefined && 'code' in release) return { type: 'refused', reply: release };
  return {
    type: 'read',
    smtpUtf8: parameters.has('SMTPUTF8'),
    requireTls: parameters.has('REQUIRETLS'),
    ...(release === undefined ? {} : { release }),
  };
}

function parameterRefused(
  { settings, channel }: Session,
  keyword: string,
  value: string,
): Reply | undefined {
  switch (keyword) {
    case 'SIZE':
      if (!/^\d{1,20}$/.test(value)) return BAD_ARGUMENTS;
      return Number(value) > settings.messageBytesMax ? tooLarge(Number(value)) : undefined;
    case 'BODY':
      return /^(7BIT|8BITMIME)$/i.test(value) ? undefined : BAD_BODY;
    case 'SMTPUTF8':
      return value === '' ? undefined : BAD_ARGUMENTS;
    case 'AUTH':
      // RFC 4954 §5: who sent it first; nobody here believes it.
      return value === '' ? BAD_ARGUMENTS : undefined;
    case 'REQUIRETLS':
      if (value !== '') return BAD_ARGUMENTS;
      // RFC 8689 §4.1: announced under TLS only.
      return channel.tls === undefined ? NO_TLS : undefined;
    case 'HOLDFOR':
    case 'HOLDUNTIL':
      return settings.role === 'submission' ? undefined : BAD_PARAMETER;
    default:
      return BAD_PARAMETER;
  }
}

/** RFC 1870 §6; 5.2.3 where the administrator wants smaller messages than is usual. */
function tooLarge(bytes: number): Reply {
  return bytes > MESSAGE_BYTES_MAX ? TOO_LARGE : { ...TOO_LARGE, enhanced: '5.2.3' };
}

/** RFC 4865: one of the two, if any. */
function releaseOf(
  parameters: ReadonlyMap<string, string>,
  now: Instant,
): FutureRelease | Reply | undefined {
  const interval = parameters.get('HOLDFOR');
  const time = parameters.get('HOLDUNTIL');
  if (interval === undefined && time === undefined) return undefined;
  if (interval !== undefined && time !== undefined) return BAD_ARGUMENTS;
  const release = interval === undefined ? releaseUntil(time ?? '') : releaseAfter(interval, now);
  if (release === undefined) return BAD_ARGUMENTS;
  return release.at < now || release.at > now + SMTP_HOLD_MS_MAX ? BAD_TIME : release;
}

function releaseAfter(interval: string, now: Instant): FutureRelease | undefined {
  if (!/^[1-9]\d{0,8}$/.test(interval)) return undefined;
  return { request: `for;${interval}`, at: now + Number(interval) * 1000 };
}

/** RFC 4865: a time of RFC 3339, and that in UTC. */
function releaseUntil(time: string): FutureRelease | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/i.test(time)) return undefined;
  const at = Date.parse(time.toUpperCase());
  // The 30th of February is read as a day of March.
  const isReal = !Number.isNaN(at) && utcTime(at).startsWith(time.slice(0, 19).toUpperCase());
  return isReal ? { request: `until;${utcTime(at)}`, at } : undefined;
}

/** RFC 3339 §5.6, to the second. */
export function utcTime(at: Instant): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
