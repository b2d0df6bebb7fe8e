/**
 * Values of parameters that name their charset: `utf-8'en'%E2%82%AC%20rates`.
 *
 * Nothing is refused: what is not written so is read as it stands. RFC 2231 §4.
 */

import { Buffer } from 'node:buffer';
import { decodeCharset } from './charset.ts';

/** `charset'language'text`, where octets may stand as `%E4`. */
export function decodeExtended(value: string): string {
  const [, charset = '', text = value] = /^([^']*)'[^']*'(.*)$/s.exec(value) ?? [];
  const octets = text.replace(/%([\dA-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return decodeCharset(Buffer.from(octets, 'latin1'), charset === '' ? 'us-ascii' : charset);
}
