/**
 * sendmail before servers that a test plays: what is sent, what is kept, and how it ends.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runLine } from '../../../support/command-line.ts';
import { PlayedServer } from '../../../support/imap-client.ts';
import { ehlo, play, smtpOptions, type Step } from '../../../support/smtp-client.ts';
import type { KeptMessage, Submission, SubmissionSettings } from '#protocols/cli/submission';

interface Ran {
  readonly code: number;
  readonly err: readonly string[];
  readonly kept: ReadonlyMap<string, KeptMessage>;
}

interface Scene {
  readonly input?: string;
  readonly settings?: Partial<SubmissionSettings>;
  readonly kept?: Map<string, KeptMessage>;
}

/** Runs `sendmail` with these arguments; it speaks to `server`. */
async function run(server: PlayedServer, args: string, scene: Scene = {}): Promise<Ran> {
  const { input = 'Subject: hi\n\nhello\n', kept = new Map<string, KeptMessage>() } = scene;
  const { clock, random, log, dialer } = smtpOptions(server);
  const submission: Submission = {
    clock,
    random,
    log,
    dialer,
    settings: {
      hostName: 'mail.example.com',
      host: 'mail.example.org',
      port: 465,
      tls: 'implicit',
      anyCertificate: false,
      login: 'me@example.org',
      password: 'secret',
      clientKey: undefined,
      mechanism: 'PLAIN',
      from: 'me@example.org',
      defaultDestination: 'admin@example.org',
      requireTls: undefined,
      ...scene.settings,
    },
    message: async () => Buffer.from(input),
    async keep(message) {
      kept.set(`file${kept.size}`, message);
      return `file${kept.size - 1}`;
    },
    async *kept() {
      for (const [file, message] of kept.entries().toArray()) yield { file, message };
    },
    async forget(file) {
      kept.delete(file);
    },
  };
  const { code, out, err } = await runLine(['sendmail', ...args.split(' ')], {
    openSubmission: async () => submission,
  });
  assert.deepEqual(out, []);
  return { code, err, kept };
}

const AUTH = `AUTH PLAIN ${Buffer.from('\0me@example.org\0secret').toString('base64')}`;
const HELLO: readonly Step[] = [ehlo('AUTH PLAIN CRAM-MD5'), [AUTH, '235 ok']];
const MAIL: Step = ['MAIL FROM:<me@example.org>', '250 ok'];

const rcpt = (address: string, answer = '250 ok'): Step => [`RCPT TO:<${address}>`, answer];

/** Hears a message and takes it; gives its header. */
async function take(server: PlayedServer, answer = '250 ok'): Promise<readonly string[]> {
  await play(server, ['DATA', '354 go']);
  const lines: string[] = [];
  for (let line = await server.hear(); line !== ''; line = await server.hear()) lines.push(line);
  await play(server, ['hello'], ['.', answer]);
  return lines;
}

function greeting(): PlayedServer {
  const server = new PlayedServer();
  server.say('220 hello');
  return server;
}

describe('sendmail', () => {
  it('hands in a message', async () => {
    const server = greeting();
    const running = run(server, '-FMe -i -f root bob@example.org');
    await play(server, ...HELLO, MAIL, rcpt('bob@example.org'));
    const lines = await take(server);
    assert.deepEqual(lines.slice(0, 2), ['From: "Me" <me@example.org>', 'To: bob@example.org']);
    await play(server, ['QUIT', '221 bye']);
    const { code, err, kept } = await running;
    assert.deepEqual([code, err, kept.size], [0, [], 0]);
  });

  it('ops 78: reads recipients from the message, each once, and hides Bcc', async () => {
    const server = greeting();
    const input = 'To: bob@example.org, root\nBcc: ann@example.org, bob@example.org\n\nhello\n';
    const running = run(server, '-f root -t', { input });
    await play(server, ...HELLO, MAIL);
    for (const name of ['bob', 'admin', 'ann']) await play(server, rcpt(`${name}@example.org`));
    const lines = await take(server);
    assert.ok(!lines.some((line) => line.includes('ann')));
    await play(server, ['QUIT', '221 bye']);
    assert.equal((await running).code, 0);
  });

  it('ops 78: without recipients is wrong usage', async () => {
    for (const args of ['-i', '-t', '--wrong', '-bs']) {
      const { code, err, kept } = await run(new PlayedServer(), args);
      assert.deepEqual([code, err.length, kept.size], [2, 1, 0]);
    }
  });

  it('ops 76: keeps what was not taken, as it came, and says why and where', async () => {
    const server = greeting();
    const running = run(server, 'bob@example.org ann@example.org');
    await play(server, ...HELLO, MAIL, rcpt('bob@example.org'));
    await play(server, rcpt('ann@example.org', '550 5.1.1 who?'));
    await take(server);
    await play(server, ['QUIT', '221 bye']);
    const { code, err, kept } = await running;
    assert.equal(code, 1);
    const said = 'sendmail: The server said no: 550 5.1.1 who?; the message is kept in file0';
    assert.deepEqual(err, [said]);
    const octets = Buffer.from('Subject: hi\n\nhello\n');
    const message = { octets, fromName: undefined, recipients: ['ann@example.org'] };
    assert.deepEqual([...kept], [['file0', message]]);
  });

  it('ops 76: sends what was kept with -q, and forgets it', async () => {
    const octets = Buffer.from('Subject: hi\n\nhello\n');
    const recipients = ['bob@example.org', 'ann@example.org'];
    const kept = new Map<string, KeptMessage>([['file0', { octets, recipients }]]);
    const server = greeting();
    const running = run(server, '-q', { kept });
    await play(server, ...HELLO, MAIL, rcpt('bob@example.org', '450 later'));
    await play(server, rcpt('ann@example.org'));
    await take(server);
    await play(server, ['QUIT', '221 bye']);
    const first = await running;
    assert.deepEqual([first.code, first.err.length], [1, 1]);
    assert.deepEqual([...kept], [['file1', { octets, recipients: ['bob@example.org'] }]]);
    const again = greeting();
    const second = run(again, '-q', { kept });
    await play(again, ...HELLO, MAIL, rcpt('bob@example.org'));
    await take(again);
    await play(again, ['QUIT', '221 bye']);
    assert.equal((await second).code, 0);
    assert.equal(kept.size, 0);
    assert.equal((await run(new PlayedServer(), '-q', { kept })).code, 0);
  });

  it('leaves what is kept alone when it is refused again', async () => {
    const octets = Buffer.from('Subject: hi\n\nhello\n');
    const message = { octets, recipients: ['bob@example.org'] };
    const kept = new Map<string, KeptMessage>([['file0', message]]);
    const server = new PlayedServer();
    server.say('554 no');
    const { code, err } = await run(server, '-q', { kept });
    assert.deepEqual([code, err], [1, ['sendmail: file0: The server said no: 554 no']]);
    assert.deepEqual([...kept], [['file0', message]]);
  });

  it('ops 75: uses the mechanism that is named, and no other', async () => {
    const server = greeting();
    const running = run(server, 'bob@x.example', { settings: { mechanism: 'SCRAM-SHA-256' } });
    await play(server, ehlo('AUTH PLAIN CRAM-MD5'));
    const { code, err, kept } = await running;
    assert.deepEqual([code, kept.size], [1, 1]);
    assert.match(err[0] ?? '', /None of SCRAM-SHA-256 can be used/);
    assert.ok(server.isLeft, 'nothing keeps the program from ending');
  });

  it('ops 75: uses the strongest otherwise, PLAIN if need be, but not in clear', async () => {
    const settings = { mechanism: undefined };
    const strong = greeting();
    const cram = run(strong, 'bob@x.example', { settings });
    await play(strong, ehlo('AUTH PLAIN CRAM-MD5'), ['AUTH CRAM-MD5', '454 no']);
    assert.equal((await cram).code, 1);
    const weak = greeting();
    const plain = run(weak, 'bob@x.example', { settings });
    await play(weak, ehlo('AUTH PLAIN'), [AUTH, '535 no']);
    assert.match((await plain).err[0] ?? '', /535 no; the message is kept/);
    const clear = greeting();
    const never = run(clear, 'bob@x.example', { settings: { ...settings, tls: 'none' } });
    await play(clear, ehlo('AUTH PLAIN'));
    assert.equal((await never).code, 1);
    assert.equal(clear.unheard, '');
  });

  it('ops 75: cannot use EXTERNAL without TLS', async () => {
    const clientKey = { key: 'key', cert: 'cert' };
    const settings = { mechanism: 'EXTERNAL', password: undefined, clientKey } as const;
    const server = greeting();
    const running = run(server, 'bob@x.example', { settings: { ...settings, tls: 'none' } });
    await play(server, ehlo('AUTH EXTERNAL'));
    assert.match((await running).err[0] ?? '', /None of EXTERNAL/);
    const secure = greeting();
    const going = run(secure, 'bob@x.example', { settings });
    const login = Buffer.from('me@example.org').toString('base64');
    await play(secure, ehlo('AUTH EXTERNAL'), [`AUTH EXTERNAL ${login}`, '535 unknown']);
    assert.equal((await going).code, 1);
  });

  it('insists on TLS for the whole way where that is configured', async () => {
    const server = greeting();
    const running = run(server, 'bob@x.example', { settings: { requireTls: true } });
    await play(server, ...HELLO, ['QUIT', '221 bye']);
    const { code, err } = await running;
    assert.equal(code, 1);
    assert.match(err[0] ?? '', /REQUIRETLS/);
  });

  it('does not wait for longer than three minutes', async () => {
    const server = greeting();
    const running = run(server, 'bob@x.example');
    await play(server, ehlo('AUTH PLAIN'));
    await server.hear();
    while (server.clock.waiting < 2) await new Promise(setImmediate);
    server.clock.advance(3 * 60_000);
    const { code, kept } = await running;
    assert.deepEqual([code, kept.size, server.clock.waiting], [1, 1, 0]);
  });
});
