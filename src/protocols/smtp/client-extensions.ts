/**
 * What a server says that it can do.
 *
 * What is not known is left out, what is malformed counts as not said.
 *
 * RFC 5321 §4.1.1.1 (EHLO), and for the words: RFC 1870 §4 (SIZE), RFC 9422 §3 (LIMITS),
 * RFC 4865 §3 (FUTURERELEASE), RFC 4954 §3 (AUTH), RFC 8689 §2 (REQUIRETLS)
 */

import type { SmtpReply } from './client-reply.ts';

export interface Extensions {
  /** By keyword, in capitals: everything that was said. */
  readonly words: ReadonlyMap<string, string>;
  /** The largest message; undefined when the server names no limit. */
  readonly sizeBytesMax: number | undefined;
  /** Recipients of one message; undefined when the server names no limit. */
  readonly recipientsMax: number | undefined;
  /** Transactions over one connection; undefined when the server names no limit. */
  readonly transactionsMax: number | undefined;
  /** Names of SASL mechanisms, in capitals. */
  readonly mechanisms: readonly string[];
}

/** Behind a HELO there are none. */
export const NO_EXTENSIONS: Extensions = {
  words: new Map(),
  sizeBytesMax: undefined,
  recipientsMax: undefined,
  transactionsMax: undefined,
  mechanisms: [],
};

export function parseExtensions({ lines }: SmtpReply): Extensions {
  const words = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const [, keyword, values = ''] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?: +(.*))?$/.exec(line) ?? [];
    const name = keyword?.toUpperCase();
    if (name !== undefined && !words.has(name)) words.set(name, values.trim());
  }
  return {
    words,
    sizeBytesMax: limitOf(words.get('SIZE')),
    recipientsMax: limitNamed('RCPTMAX', words),
    transactionsMax: limitNamed('MAILMAX', words),
    mechanisms: (words.get('AUTH') ?? '')
      .toUpperCase()
      .split(' ')
      .filter((name) => name !== ''),
  };
}

/** RFC 9422 §3: a list of names with values. */
function limitNamed(name: string, words: Extensions['words']): number | undefined {
  const limits = words.get('LIMITS') ?? '';
  return limitOf(new RegExp(`(?:^| )${name}=([0-9]+)(?: |$)`, 'i').exec(limits)?.[1]);
}

/** RFC 1870 §4: 0 is no limit. */
function limitOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) return undefined;
  const limit = Number(text);
  return limit === 0 ? undefined : limit;
}
