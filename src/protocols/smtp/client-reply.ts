/**
 * What a server answers, read strictly: three digits, the same on each line, and a text.
 *
 * Diagnostics: what is no reply throws BadReply; it is for whoever reads to end the conversation.
 *
 * RFC 5321 §4.2 (replies), RFC 2034 §4 (enhanced codes in front of the text)
 */

import { isUtf8, type Buffer } from 'node:buffer';
import { SMTP_CLIENT_REPLY_LINES_MAX } from '../limits.ts';

export interface SmtpReply {
  readonly code: number;
  /** RFC 3463 `5.1.1`; '' when the server gave none. */
  readonly enhanced: string;
  /** The text, without codes and without control characters. */
  readonly lines: readonly string[];
}

export class BadReply extends Error {
  override readonly name = 'BadReply';
}

const LINE = /^([2-5][0-9]{2})(?:([ -])(.*))?$/s;
/** RFC 3463 §2: class, subject, detail. */
const ENHANCED = /^([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: +|$)/;

/** Puts the lines of one reply together. */
export class ReplyLines {
  #code: string | undefined;
  #enhanced = '';
  readonly #lines: string[] = [];

  /** Takes a line without its end; gives the reply behind its last line. */
  add(line: Buffer): SmtpReply | undefined {
    const text = line.toString(isUtf8(line) ? 'utf8' : 'latin1');
    const [, code, mark, rest = ''] = LINE.exec(text) ?? [];
    if (code === undefined) throw new BadReply('The server said what is no SMTP reply.');
    this.#code ??= code;
    if (code !== this.#code) throw new BadReply('The lines of a reply have different codes.');
    this.#lines.push(this.#withoutEnhanced(code, rest.replace(/\p{Cc}/gu, ' ').trim()));
    if (mark !== '-') return { code: Number(code), enhanced: this.#enhanced, lines: this.#lines };
    if (this.#lines.length < SMTP_CLIENT_REPLY_LINES_MAX) return undefined;
    throw new BadReply('The server gave a reply of too many lines.');
  }

  /** The first enhanced code counts, if it agrees with the basic one. */
  #withoutEnhanced(code: string, text: string): string {
    const [whole, enhanced] = ENHANCED.exec(text) ?? [];
    if (whole === undefined || enhanced === undefined || enhanced[0] !== code[0]) return text;
    if (this.#enhanced === '') this.#enhanced = enhanced;
    return text.slice(whole.length);
  }
}

/** True when the server did what it was asked for. */
export function isDone({ code }: SmtpReply): boolean {
  return code >= 200 && code < 300;
}

/** True when the server will not do it, now or ever. */
export function isRefusal({ code }: SmtpReply): boolean {
  return code >= 400;
}
