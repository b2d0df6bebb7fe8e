/**
 * Messages with the fields that ENVELOPE and BODYSTRUCTURE show, as people and programs write them.
 */

import { mail } from '../support/mail.ts';

function headed(...fields: readonly string[]): Buffer {
  return mail(...fields, '', 'text');
}

function named(...parameters: readonly string[]): Buffer {
  return mail(
    'Subject: parameters',
    'MIME-Version: 1.0',
    `Content-Type: application/octet-stream;${parameters.map((each) => `\r\n ${each}`).join(';')}`,
    `Content-Disposition: attachment;${parameters.map((each) => `\r\n ${each}`).join(';')}`,
    '',
    'data',
  );
}

function described(...fields: readonly string[]): Buffer {
  return headed('Subject: described', 'MIME-Version: 1.0', ...fields);
}

function from(addresses: string): Buffer {
  return headed(`From: ${addresses}`, 'To: bob@example.org');
}

export const HEADERS: Readonly<Record<string, Buffer>> = {
  'every field of an envelope': headed(
    'Date: Mon, 5 Jan 2026 10:11:12 +0100',
    'Subject: all of them',
    'From: Ann <ann@example.org>',
    'Sender: Office <office@example.org>',
    'Reply-To: list@example.org',
    'To: Bob <bob@example.org>, carol@example.org',
    'Cc: "Dee, Dr." <dee@example.org>',
    'Bcc: hidden@example.org',
    'In-Reply-To: <before@example.org>',
    'Message-ID: <this@example.org>',
  ),
  'no field of an envelope': headed('X-Other: 1'),
  'empty fields': headed(
    'Date:',
    'Subject:',
    'From:',
    'Sender:',
    'Reply-To:',
    'To:',
    'In-Reply-To:',
    'Message-ID:',
  ),
  'fields twice': headed(
    'Subject: one',
    'Subject: two',
    'To: a@example.org',
    'To: b@example.org',
    'Message-ID: <1@example.org>',
    'Message-ID: <2@example.org>',
    'Date: Mon, 5 Jan 2026 10:11:12 +0100',
    'Date: Tue, 6 Jan 2026 10:11:12 +0100',
  ),
  'names in capitals': headed('SUBJECT: loud', 'FROM: Ann <ann@example.org>', 'DATE: today'),
  'folded fields': headed(
    'Subject: a subject',
    ' that goes on',
    '\tand on',
    'To: Bob <bob@example.org>,',
    '\tCarol',
    ' <carol@example.org>',
    'Message-ID:',
    ' <folded@example.org>',
  ),
  'white space around values': headed('Subject:   wide   ', 'From:ann@example.org', 'To:\tb@c.d\t'),
  'blanks inside a subject': headed('Subject: two  and   three'),
  'utf-8': headed(
    'Subject: Gr\xc3\xbc\xc3\x9fe',
    'From: J\xc3\xbcrgen <j\xc3\xbcrgen@b\xc3\xbccher.example>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8; name="d\xc3\xa9j\xc3\xa0 vu.txt"',
  ),
  'latin-1': headed(
    'Subject: Gr\xfc\xdfe',
    'From: J\xfcrgen <juergen@example.org>',
    'To: \xfc@x.y',
  ),
  'encoded words': headed(
    'Subject: =?utf-8?B?R3LDvMOfZQ==?= and =?iso-8859-1?Q?caf=E9?=',
    'From: =?utf-8?Q?J=C3=BCrgen?= <juergen@example.org>',
    'To: =?utf-8?Q?Doe=2C_John?= =?utf-8?Q?_Jr=2E?= <john@example.org>',
  ),
  'broken encoded words': headed(
    'Subject: =?utf-8?B?R3L?= =?x-unknown?Q?x?= =?utf-8?Q?open',
    'From: =?utf-8?Q?a b?= <ab@example.org>',
  ),
  'an encoded word in quotes': from('"=?utf-8?Q?J=C3=BCrgen?=" <juergen@example.org>'),
  'quotes and backslashes in a subject': headed('Subject: say "yes" \\ or {3} or (no) %*'),
  'a group': headed('From: a@example.org', 'To: Friends: ann@example.org, Bob <bob@x.y>;, c@d.e'),
  'an empty group': headed('From: a@example.org', 'To: undisclosed-recipients:;'),
  'a group without its end': headed('From: a@example.org', 'To: Friends: ann@x.y, bob@x.y'),
  'two groups': headed('From: a@example.org', 'To: A: a@x.y;, B: b@x.y;, c@x.y'),
  'a quoted group name': headed('From: a@example.org', 'To: "My Friends": ann@x.y;'),
  'a quoted local part': from('"john doe"@example.org, "a\\"b"@example.org'),
  'a quoted name': from('"Lee, Ann \\"The\\" (x)" <ann@example.org>'),
  'a name with dots': from('Ann B. Lee <ann@example.org>'),
  'a name behind, in a comment': from('ann@example.org (Ann Lee)'),
  'comments everywhere': from('(a) Ann (b) Lee (c) <(d) ann (e) @ (f) example.org (g)> (h)'),
  'nested comments': from('ann@example.org (Ann (the (only)) Lee)'),
  'a route': from('<@one.example,@two.example:ann@example.org>'),
  'an address literal': from('ann@[192.0.2.1], bob@[IPv6:2001:db8::1]'),
  'white space in an address': from('ann . lee @ example . org'),
  'no domain': from('ann, Bob <bob>, <>'),
  'no address in brackets': from('Ann Lee <>'),
  'a name only': from('Ann Lee'),
  'no closing bracket': from('Ann <ann@example.org, bob@example.org'),
  'two at signs': from('a@b@c.example'),
  'stray commas': from(',, a@x.y,, ,b@x.y,'),
  'semicolons between addresses': from('a@x.y; b@x.y; c@x.y'),
  'a quote without its end': from('"Ann <ann@example.org>'),
  'an empty name': from('"" <ann@example.org>'),
  'blanks in a name': from('Ann    Lee <ann@example.org>'),
  'quoted and bare words in a name': from('"Ann" B. "Lee" <ann@example.org>'),
  'a name with an at sign': from('"ann@example.org" <ann@example.org>'),
  'a name with a bare at sign': from('ann@example.org <ann@example.org>'),
  'a colon in brackets': from('<mailto:ann@example.org>'),
  'a hundred addresses': headed(
    'From: a@example.org',
    `To: ${Array.from({ length: 100 }, (_, i) => `Name ${i} <a${i}@example.org>`).join(',\r\n ')}`,
  ),
  'odd dates': headed('Date: 5 Jan 26 10:11 EST (somewhere)', 'Subject: x'),
  'a date of nonsense': headed('Date: yesterday, "early"', 'Subject: x'),
  'several in-reply-to': headed('In-Reply-To: <a@x.y> <b@x.y>', 'Message-ID: no brackets'),
  'in-reply-to with a phrase': headed('In-Reply-To: Your message of "Monday" <a@x.y>'),
  'pieces of a parameter': named('name*0="one "', 'name*1="two"', 'name*2=.txt'),
  'an encoded parameter': named("name*=utf-8'en'gr%C3%BC%C3%9Fe.txt"),
  'encoded pieces': named("name*0*=utf-8''gr%C3%BC", 'name*1*=%C3%9F', 'name*2=e.txt'),
  'pieces out of order': named('name*1=two', 'name*0=one', 'x=y'),
  'pieces with a gap': named('name*0=one', 'name*2=three'),
  'a piece alone': named('name*1=two', 'x=y'),
  'an encoded parameter beside pieces': named("x*=utf-8''%41", 'w*0=p', 'w*1=q', 'y=1'),
  'an encoded and a plain parameter': named('name=plain.txt', "name*=utf-8''fancy.txt"),
  'an encoded word as a parameter': named('name="=?utf-8?Q?gr=C3=BCn?=.txt"'),
  'a bad percent sign': named("name*=utf-8''100%.txt"),
  'dispositions of nonsense': described('Content-Disposition: ; filename=x'),
  'a disposition in capitals': described('Content-Disposition: ATTACHMENT; FileName=X.TXT'),
  'a disposition alone': described('Content-Disposition: inline'),
  'an empty disposition': described('Content-Disposition:'),
  languages: described('Content-Language: en, de-AT (Austria) , fr'),
  'an empty language': described('Content-Language:'),
  'a folded location': described('Content-Location: http://example.org/a', '\tb/c d'),
  'a bare content id': described('Content-ID: no-brackets', 'Content-Description:'),
  'a content id with comments': described('Content-ID: (x) <id@example.org> (y)'),
  'an encoded description': described('Content-Description: =?utf-8?Q?gr=C3=BCn?='),
  'an unknown encoding': described('Content-Transfer-Encoding: x-own; a=b'),
  'an empty encoding': described('Content-Transfer-Encoding:'),
  'no MIME-Version': headed('Content-Type: text/html', 'Content-ID: <x@example.org>'),
  'another MIME-Version': headed('MIME-Version: 2.0 (x)', 'Content-Type: text/html'),
};
