/**
 * Messages with every kind of structure, well made: what is nested in what, and how deep.
 */

import { mail } from '../support/mail.ts';

/** A multipart of these parts, each given as its lines; without the header field. */
function parts(boundary: string, ...each: readonly (readonly string[])[]): string[] {
  return [...each.flatMap((lines) => [`--${boundary}`, ...lines]), `--${boundary}--`];
}

function multipart(
  subtype: string,
  boundary: string,
  ...each: readonly (readonly string[])[]
): string[] {
  const field = `Content-Type: multipart/${subtype}; boundary="${boundary}"`;
  return [field, '', ...parts(boundary, ...each)];
}

const TEXT = ['Content-Type: text/plain; charset=utf-8', '', 'Some text.', 'More of it.'];
const HTML = ['Content-Type: text/html', 'Content-Language: en, de-AT', '', '<p>Rich.</p>'];
const IMAGE = [
  'Content-Type: image/png; name="dot.png"',
  'Content-Transfer-Encoding: base64',
  'Content-ID: <dot@example.org>',
  'Content-Description: a dot',
  'Content-Disposition: inline; filename="dot.png"; size=70',
  'Content-Location: http://example.org/dot.png',
  'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==',
  '',
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ',
  'AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
];

const HEAD = [
  'From: Ann Lee <ann@example.org>',
  'To: bob@example.org',
  'Subject: structure',
  'Date: Mon, 5 Jan 2026 10:11:12 +0100',
  'Message-ID: <structure@example.org>',
  'MIME-Version: 1.0',
];

function attached(lines: readonly string[], type = 'message/rfc822'): string[] {
  return [`Content-Type: ${type}`, 'Content-Disposition: attachment', '', ...lines];
}

function inner(subject: string, ...lines: readonly string[]): string[] {
  return [`From: ${subject}@example.org`, `Subject: ${subject}`, ...lines];
}

/** Messages in messages, `depth` of them, around a multipart. */
function messagesInMessages(depth: number): string[] {
  let lines = inner('innermost', ...multipart('mixed', 'deep', TEXT, IMAGE));
  for (let level = depth; level > 0; level--) {
    lines = inner(`level${level}`, 'Content-Type: message/rfc822', '', ...lines);
  }
  return lines;
}

/** Multiparts in multiparts, each with a text in front. */
function multipartsInMultiparts(depth: number): string[] {
  let lines = TEXT;
  for (let level = depth; level > 0; level--) {
    lines = multipart('mixed', `level ${level}`, ['', `Text ${level}`], lines);
  }
  return [...HEAD, ...lines];
}

/** One text of a few octets in each part. */
export function manyParts(count: number): Buffer {
  const each = Array.from({ length: count }, (_, i) => ['', `part ${i + 1}`]);
  return mail(...HEAD, ...multipart('mixed', 'many', ...each));
}

export const STRUCTURES: Readonly<Record<string, Buffer>> = {
  'plain text': mail(...HEAD, ...TEXT),
  'no MIME at all': mail('From: ann@example.org', '', 'one', '', 'three'),
  'an image alone': mail(...HEAD, ...IMAGE),
  'quoted-printable': mail(
    ...HEAD,
    'Content-Type: text/plain; charset="iso-8859-1"; format=flowed; delsp=yes',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'caf=E9 =3D caf=',
    'e and blanks  ',
    'end=20',
  ),
  alternative: mail(...HEAD, ...multipart('alternative', '=_alt', TEXT, HTML)),
  'related in mixed': mail(
    ...HEAD,
    ...multipart('mixed', 'outer', multipart('related', 'inner', HTML, IMAGE), IMAGE, TEXT),
  ),
  'preamble and epilogue': mail(
    ...HEAD,
    'Content-Type: multipart/mixed; boundary=b',
    '',
    'This is a message in MIME format.',
    '',
    ...parts('b', TEXT, HTML),
    '',
    'Behind the end.',
    '--b',
    'No part any more.',
  ),
  'extension data of a multipart': mail(
    ...HEAD,
    'Content-Disposition: inline; x=y',
    'Content-Language: fr',
    'Content-Location: cid:here',
    ...multipart('report', 'r', TEXT, ['Content-Type: message/delivery-status', '', 'A: b', '']),
  ),
  'a signed message': mail(
    ...HEAD,
    'Content-Type: multipart/signed; micalg=pgp-sha256;',
    '\tprotocol="application/pgp-signature"; boundary="sig"',
    '',
    ...parts('sig', TEXT, [
      'Content-Type: application/pgp-signature; name="signature.asc"',
      '',
      '-----BEGIN PGP SIGNATURE-----',
      '-----END PGP SIGNATURE-----',
    ]),
  ),
  'a message in a multipart': mail(
    ...HEAD,
    ...multipart('mixed', 'b', TEXT, attached(inner('kept', ...TEXT))),
  ),
  'a multipart in a message in a multipart': mail(
    ...HEAD,
    ...multipart(
      'mixed',
      'b',
      TEXT,
      attached(inner('kept', ...multipart('alternative', 'c', TEXT, HTML))),
      attached(inner('image', ...IMAGE)),
    ),
  ),
  'a message as the whole body': mail(...HEAD, ...attached(inner('alone', ...TEXT))),
  'a multipart in a message as the whole body': mail(
    ...HEAD,
    ...attached(inner('alone', ...multipart('mixed', 'm', TEXT, IMAGE))),
  ),
  'message/global': mail(
    ...HEAD,
    ...multipart('mixed', 'g', attached(inner('gr\xc3\xbc\xc3\x9fe', ...TEXT), 'message/global')),
  ),
  'message/partial': mail(
    ...HEAD,
    'Content-Type: message/partial; id="x@example.org"; number=1; total=2',
    '',
    'Subject: the first half',
    '',
    'text',
  ),
  'message/external-body': mail(
    ...HEAD,
    'Content-Type: message/external-body; access-type=local-file; name="/tmp/x"',
    '',
    'Content-Type: image/jpeg',
    'Content-ID: <external@example.org>',
    '',
  ),
  'five messages in each other': mail(...messagesInMessages(5)),
  'a digest': mail(
    ...HEAD,
    ...multipart(
      'digest',
      'd',
      ['', ...inner('first', '', 'One.')],
      ['Content-Type: text/plain', '', 'Only a text.'],
      ['', ...inner('third', ...multipart('mixed', 'e', TEXT, IMAGE))],
    ),
  ),
  'a digest in a mixed': mail(
    ...HEAD,
    ...multipart('mixed', 'm', TEXT, multipart('digest', 'd', ['', ...inner('one', '', 'x')])),
  ),
  'a boundary that begins another': mail(
    ...HEAD,
    ...multipart('mixed', 'bound', TEXT, multipart('mixed', 'boundary', TEXT, HTML), IMAGE),
  ),
  'a boundary with blanks and signs': mail(
    ...HEAD,
    ...multipart('mixed', "a b'()+_,-./:=? c", TEXT, HTML),
  ),
  'a boundary of 70 characters': mail(...HEAD, ...multipart('mixed', 'x'.repeat(70), TEXT)),
  'blanks behind delimiters': mail(
    ...HEAD,
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b  ',
    ...TEXT,
    '--b\t',
    ...HTML,
    '--b-- ',
  ),
  'parts without a header': mail(...HEAD, ...multipart('mixed', 'b', ['', 'one'], ['', 'two'])),
  'parts without a body': mail(
    ...HEAD,
    ...multipart('mixed', 'b', ['Content-Type: text/html', ''], ['Content-Type: image/png', '']),
  ),
  'parts that end in empty lines': mail(
    ...HEAD,
    ...multipart('mixed', 'b', ['', 'one', ''], ['', '', 'two', '', ''], ['', '']),
  ),
  'other encodings': mail(
    ...HEAD,
    ...multipart(
      'mixed',
      'b',
      ['Content-Transfer-Encoding: 8BIT', '', 'gr\xc3\xbcn'],
      ['Content-Transfer-Encoding: x-uuencode', '', 'begin 644 x', 'end'],
      ['Content-Transfer-Encoding: BASE64 (as ever)', '', 'SGFsbG8='],
      ['Content-Transfer-Encoding: binary', '', 'bin'],
      ['Content-Type: text/html', 'Content-Transfer-Encoding: base64', '', 'PGI+', 'PC9iPg=='],
    ),
  ),
  'twenty multiparts in each other': mail(...multipartsInMultiparts(20)),
  'ninety-nine multiparts in each other': mail(...multipartsInMultiparts(99)),
  'two hundred multiparts in each other': mail(...multipartsInMultiparts(200)),
  'two hundred messages in each other': mail(...messagesInMessages(200)),
  'ten thousand parts': manyParts(9_999),
  'twelve thousand parts': manyParts(12_000),
};
