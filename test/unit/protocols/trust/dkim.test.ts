/** Signatures, as an independent verifier sees them. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { signMessage, type DkimSelector } from '#protocols/trust/dkim';

const AT = Date.UTC(2026, 0, 2);
const DAY_MS = 24 * 3_600_000;

const RSA = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ED25519 = generateKeyPairSync('ed25519');

const rsa: DkimSelector = { name: 'r1', key: RSA.privateKey };
const ed25519: DkimSelector = { name: 'e1', key: ED25519.privateKey };
const simple = { header: 'simple', body: 'simple' } as const;

const HEADER = [
  'From: Alice <alice@example.org>',
  'To: x@other.example',
  'Subject: hello',
  ' \tand   more ',
  'Date: Fri, 2 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@example.org>',
  'Received: by mail.example.org',
  '',
].join('\r\n');

interface Signing {
  readonly selectors?: readonly DkimSelector[];
  readonly header?: string;
  readonly body?: string;
  readonly identity?: string;
  /** How many octets come at once. */
  readonly pieces?: number;
}

interface Signed {
  readonly fields: string;
  readonly header: string;
  readonly body: string;
}

async function* cut(text: string, octets: number): AsyncGenerator<Buffer> {
  const whole = Buffer.from(text, 'latin1');
  for (let at = 0; at < whole.length; at += octets) yield whole.subarray(at, at + octets);
}

async function signed(signing: Signing = {}): Promise<Signed> {
  const { selectors = [rsa], header = HEADER, body = 'hi\r\n', pieces = 1000, identity } = signing;
  const fields = await signMessage({
    selectors,
    domain: 'example.org',
    ...(identity === undefined ? {} : { identity }),
    header,
    bodyOctets: cut(body, pieces),
    at: AT,
  });
  return { fields, header, body };
}

function keyRecord(key: KeyObject): string {
  // RFC 8463 §4: of Ed25519 the key alone, without what says that it is one.
  const der = key.export({ type: 'spki', format: 'der' });
  return key.asymmetricKeyType === 'ed25519'
    ? `v=DKIM1; k=ed25519; p=${der.subarray(-32).toString('base64')}`
    : `v=DKIM1; k=rsa; p=${der.toString('base64')}`;
}

const RECORDS: Readonly<Record<string, string>> = {
  'r1._domainkey.example.org': keyRecord(RSA.publicKey),
  'e1._domainkey.example.org': keyRecord(ED25519.publicKey),
};

async function resolver(name: string): Promise<string[][]> {
  return [[RECORDS[name] ?? assert.fail(`asked for ${name}`)]];
}

/** What a verifier says of each signature. */
async function verdicts({ fields, header, body }: Signed, at: number = AT): Promise<string[]> {
  const message = Buffer.from(`${fields}${header}\r\n${body}`, 'latin1');
  const { results } = await dkimVerify(message, { resolver, strict: true, curTime: new Date(at) });
  return results.map(({ status }) => status.result);
}

function tag(fields: string, name: string): string | undefined {
  return new RegExp(`[;\\s]${name}=([^;]*)`).exec(fields.replace(/\r\n\t/g, ' '))?.[1];
}

const FORMS = ['simple', 'relaxed'] as const;
const BODIES: Readonly<Record<string, string>> = {
  empty: '',
  'one line end': '\r\n',
  'only empty lines': '\r\n\r\n\r\n',
  'only white space': ' \t\r\n  \r\n',
  'no line end at the end': 'hi',
  'white space and no line end at the end': 'hi  ',
  'empty lines at the end': 'hi\r\n\r\n\r\n',
  'white space everywhere': ' a \t b\t\r\n\r\n  \r\nc  \r\n \r\n',
  '8-bit octets': 'h\xe9 \xc3\xa0\xa0\r\n',
};

describe('a signature verifies', () => {
  for (const [name, body] of Object.entries(BODIES)) {
    it(`with a body of: ${name}`, async () => {
      for (const selector of [rsa, ed25519]) {
        const selectors = FORMS.map((form) => ({ ...selector, header: form, body: form }));
        for (const pieces of [1, 2, 1000]) {
          assert.deepEqual(await verdicts(await signed({ selectors, body, pieces })), [
            'pass',
            'pass',
          ]);
        }
      }
    });
  }

  it('with 8-bit header fields, odd white space and fields that come twice', async () => {
    const header = `${HEADER}Cc : \t\xe9 <a@b>,\r\n  \xc3\xa0\r\nTo:z@x\r\nReply-To:\r\nCC:\r\n`;
    const selectors = [rsa, { ...ed25519, ...simple }];
    assert.deepEqual(await verdicts(await signed({ selectors, header })), ['pass', 'pass']);
  });

  it('beside others of the message, whatever their algorithm (smtp 92)', async () => {
    const message = await signed({ selectors: [rsa, ed25519] });
    assert.deepEqual(await verdicts(message), ['pass', 'pass']);
    assert.match(message.fields, /a=rsa-sha256;[^]*a=ed25519-sha256;/);
  });

  it('with any body in any pieces', async () => {
    const octets = fc.constantFrom(
      ' ',
      '\t',
      '\r',
      '\r\n',
      '\r\n',
      'a',
      '\xff',
      'z'.repeat(20_000),
    );
    const selectors = [ed25519, { ...ed25519, ...simple }];
    const property = fc.asyncProperty(
      fc.array(octets, { maxLength: 12 }),
      fc.integer({ min: 1, max: 50 }),
      async (parts, pieces) => {
        // A CR before a line end is no mail; the verifier is not asked about it.
        const body = parts.join('').replace(/\r+(?!\n)|\r+(?=\r\n)/g, '');
        const message = await signed({ selectors, body, pieces });
        assert.deepEqual(await verdicts(message), ['pass', 'pass'], JSON.stringify(body));
      },
    );
    await fc.assert(property, { seed: 20260107, numRuns: 150 });
  });
});

describe('a signature breaks', () => {
  const changes: Record<string, (message: Signed) => Signed> = {
    'with another body': (message) => ({ ...message, body: 'ho\r\n' }),
    'with another subject': (message) => ({
      ...message,
      header: message.header.replace('hello', 'hullo'),
    }),
    'with a second From': (message) => ({ ...message, header: `From: x@y\r\n${message.header}` }),
    'with a second From below': (message) => ({
      ...message,
      header: `${message.header}From: x@y\r\n`,
    }),
    'with a second Subject (smtp 92)': (message) => ({
      ...message,
      header: `Subject: x\r\n${message.header}`,
    }),
    'with a Cc where there was none': (message) => ({
      ...message,
      header: `Cc: x@y\r\n${message.header}`,
    }),
  };
  for (const [name, change] of Object.entries(changes)) {
    it(name, async () => {
      const found = await verdicts(change(await signed({ selectors: [rsa, ed25519] })));
      assert.deepEqual(found, ['fail', 'fail']);
    });
  }

  it('when it has expired, not before', async () => {
    const message = await signed({ selectors: [{ ...ed25519, lifetimeMs: DAY_MS }] });
    assert.equal(tag(message.fields, 'x'), String((AT + DAY_MS) / 1000));
    assert.deepEqual(await verdicts(message, AT + DAY_MS - 1000), ['pass']);
    const [late] = await verdicts(message, AT + DAY_MS + 1000);
    assert.notEqual(late, 'pass');
  });

  it('not with fields that are not signed, nor with white space in relaxed form', async () => {
    const { fields, header, body } = await signed();
    const relayed = `Received: x\r\n${header.replace('Subject: hello', 'SUBJECT:\r\n  hello ')}`;
    assert.deepEqual(await verdicts({ fields, header: relayed, body: `${body}\r\n` }), ['pass']);
  });

  it('not with a second field where it is not sealed', async () => {
    const { fields, header, body } = await signed({ selectors: [{ ...ed25519, unsealed: true }] });
    assert.deepEqual(await verdicts({ fields, header: `Cc: x@y\r\n${header}`, body }), ['pass']);
  });
});

describe('the field', () => {
  it('tells who signed what and when, in short lines', async () => {
    const { fields } = await signed({ selectors: [{ ...ed25519, fields: ['subject', 'FROM'] }] });
    const [first, second] = fields.split('\r\n\t');
    const tags = 'v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org;';
    assert.equal(first, `DKIM-Signature: ${tags}`);
    assert.match(second ?? '', /^s=e1; t=\d+; h=/);
    assert.equal(tag(fields, 't'), String(AT / 1000));
    assert.equal(tag(fields, 'h')?.replace(/\s/g, ''), 'From:From:subject:subject');
    assert.ok(fields.endsWith('\r\n') && !fields.endsWith('\r\n\r\n'));
    const longest = Math.max(...fields.split('\r\n').map((line) => line.length));
    assert.ok(longest <= 78, `${longest}`);
  });

  it('names its author where one is given', async () => {
    const message = await signed({ selectors: [ed25519], identity: 'a;ü=@example.org' });
    assert.equal(tag(message.fields, 'i'), 'a=3B=C3=BC=3D@example.org');
    const [verdict] = await verdicts(await signed({ identity: '@example.org' }));
    assert.equal(verdict, 'pass');
  });

  it('is not there without selectors', async () => {
    assert.equal((await signed({ selectors: [] })).fields, '');
  });
});
