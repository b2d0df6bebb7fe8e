/**
 * Sample messages: written as lines, sent as octets.
 */

/** Lines with CRLF behind each. Characters above 0xff do not fit: octets are meant. */
export function mail(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
}

/** The octets as text, for comparing; `|` stands for each line end, so that they are seen. */
export function shown(octets: Buffer | undefined): string | undefined {
  return octets?.toString('latin1').replaceAll('\r\n', '|');
}

/** A message with a text, an attached message of two alternatives, and an attachment. */
export const NESTED_MAIL: Buffer = mail(
  'From: Ann <ann@example.org>',
  'Subject: outer',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="outer one"',
  '',
  'Nobody sees this.',
  '--outer one',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'Hello.',
  '--outer one',
  'Content-Type: message/rfc822',
  'Content-Description: what was sent',
  '',
  'From: bob@example.org',
  'Subject: inner',
  'Content-Type: multipart/alternative; boundary=inner',
  '',
  '--inner',
  '',
  'Plain.',
  '--inner',
  'Content-Type: text/html',
  'Content-Language: en, fr',
  '',
  '<p>Rich.</p>',
  '',
  '--inner--',
  'Nor this.',
  '--outer one',
  'Content-Type: application/octet-stream; name=data.bin',
  'Content-Transfer-Encoding: BASE64',
  'Content-Disposition: attachment; filename=data.bin',
  'Content-ID: <data@example.org>',
  '',
  'AAEC',
  '/w==',
  '--outer one--',
  'Nor that.',
);
