/**
 * The log: one line per event, whatever is in it.
 */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fault } from '#domain/values/fault';
import { connectionIds, openLog, type LogOptions, type OpenLog } from '#infra/log';

function open(options: Partial<LogOptions> = {}): { log: OpenLog; lines: string[] } {
  const lines: string[] = [];
  const log = openLog({ level: 'debug', to: (line) => lines.push(line), ...options });
  return { log, lines };
}

/** The line of one field called `v`, without what stands before it. */
function shown(value: unknown): string {
  const { log, lines } = open();
  log.info({ v: value }, 'x');
  assert.match(lines[0] ?? '', /^l=info m=x /);
  return (lines[0] ?? '').slice('l=info m=x '.length, -1);
}

describe('a line', () => {
  it('has level, phrase, what the child brought, then its fields', () => {
    const { log, lines } = open();
    const child = log.child({ pkg: 'imap', cid: '19a8' });
    child.info({ ip: '192.0.2.1', port: 143, tls: false }, 'new connection');
    child.child({ login: 'alice@example.org' }).warn({}, 'slow');
    log.debug({}, 'hello');
    log.error({}, 'bad');
    assert.deepEqual(lines, [
      'l=info m="new connection" pkg=imap cid=19a8 ip=192.0.2.1 port=143 tls=false\n',
      'l=warn m=slow pkg=imap cid=19a8 login=alice@example.org\n',
      'l=debug m=hello\n',
      'l=error m=bad\n',
    ]);
  });

  it('begins with the time where it is wanted', () => {
    const { log, lines } = open({ now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) });
    log.info({}, 'x');
    assert.deepEqual(lines, ['t=2026-01-02T03:04:05.006Z l=info m=x\n']);
  });

  it('may be JSON, in ASCII', () => {
    const { log, lines } = open({ format: 'json' });
    log.child({ pkg: 'imap' }).info({ v: '\u263a "\n', password: 'hunter2' }, 'x');
    const text = '{"l":"info","m":"x","pkg":"imap","v":"\\u263a \\"\\n","password":"***"}\n';
    assert.deepEqual(lines, [text]);
    assert.equal(JSON.parse(lines[0] ?? '').v, '\u263a "\n');
  });
});

describe('levels', () => {
  it('hold lines back, also for one package alone', () => {
    const { log, lines } = open({ level: 'info', packages: { imap: 'warn', smtp: 'debug' } });
    log.debug({}, 'no');
    log.info({}, 'yes');
    log.child({ pkg: 'imap' }).child({ cid: '1' }).info({}, 'no');
    log.child({ pkg: 'imap' }).child({ cid: '1' }).warn({}, 'yes');
    log.child({ pkg: 'smtp' }).debug({}, 'yes');
    log.child({ pkg: 'http' }).debug({}, 'no');
    assert.deepEqual(
      lines.map((line) => /m=(\w+)/.exec(line)?.[1]),
      ['yes', 'yes', 'yes'],
    );
  });
});

describe('values', () => {
  for (const [value, line] of [
    ['', 'v=""'],
    ['bare/text:1', 'v=bare/text:1'],
    ['two words', 'v="two words"'],
    ['a=b', 'v="a=b"'],
    ['say "hi"', 'v="say \\"hi\\""'],
    ['back\\slash', 'v="back\\\\slash"'],
    ['x\r\nl=error m=forged', 'v="x\\r\\nl=error m=forged"'],
    ['\u001b[2J\u007f\0', 'v="\\u{1b}[2J\\u{7f}\\u{0}"'],
    [42, 'v=42'],
    [true, 'v=true'],
    [null, 'v=null'],
    [2n ** 63n, 'v=9223372036854775808'],
    [new Date(0), 'v=1970-01-01T00:00:00.000Z'],
    [new Date(NaN), 'v=never'],
    [Buffer.from([251, 255]), 'v=-_8'],
    [['a', 'b'], 'v="[\\"a\\",\\"b\\"]"'],
    [new Fault('DiskFull', 'The disk is full.'), 'v="The disk is full. (DiskFull)"'],
    [new Error('No.', { cause: new Error('Because.') }), 'v="No.: Because."'],
  ] as const) {
    it(`show as ${line}`, () => assert.equal(shown(value), line));
  }

  it('are left out when undefined', () => {
    const { log, lines } = open();
    log.info({ a: undefined, b: 1 }, 'x');
    assert.deepEqual(lines, ['l=info m=x b=1\n']);
  });

  it('are cut when long', () => {
    assert.equal(shown('x'.repeat(5000)), `v=${'x'.repeat(2000)}...`);
  });

  it('survive what refers to itself', () => {
    const value: { self?: object } = {};
    value.self = value;
    assert.equal(shown(value), 'v="{\\"self\\":\\"(again)\\"}"');
  });

  it('bring the stack when something went badly wrong', () => {
    const { log, lines } = open();
    log.error({ err: new TypeError('bad') }, 'x');
    assert.match(lines[0] ?? '', /^l=error m=x err=bad err\.stack="TypeError: bad\\n {4}at /);
  });
});

describe('what is not ASCII', () => {
  for (const [value, line] of [
    ['\u263a.example', 'v="\u263a.example/xn--74h.example"'],
    ['J\u00f6rg', 'v="J\u00f6rg/J\\u{f6}rg"'],
    [
      'j\u00f6rg@b\u00fccher.example',
      'v="j\u00f6rg@b\u00fccher.example/j\\u{f6}rg@xn--bcher-kva.example"',
    ],
    ['alice@b\u00fccher.example', 'v="alice@b\u00fccher.example/alice@xn--bcher-kva.example"'],
    // The first letter is Cyrillic.
    ['\u0430pple.example', 'v="\u0430pple.example/xn--pple-43d.example"'],
    [
      'a\u202eb\u200bc\u2028d',
      'v="a\\u{202e}b\\u{200b}c\\u{2028}d/a\\u{202e}b\\u{200b}c\\u{2028}d"',
    ],
    ['\u{1f600}', 'v="\u{1f600}/\\u{1f600}"'],
    ['half \ud83d', 'v="half \\u{d83d}/half \\u{d83d}"'],
  ] as const) {
    it(`shows as ${line}`, () => assert.equal(shown(value), line));
  }
});

describe('secrets', () => {
  it('do not show, wherever they stand', () => {
    const { log, lines } = open();
    const child = log.child({ apiToken: 'hunter2' });
    const headers = { Authorization: 'Basic hunter2', Cookie: 'hunter2', host: 'h' };
    child.info({ password: 'hunter2', headers, newPassword: 'hunter2' }, 'x');
    assert.doesNotMatch(lines[0] ?? '', /hunter2/);
    assert.match(lines[0] ?? '', /apiToken=\*\*\* password=\*\*\* .*\\"host\\":\\"h\\"/);
  });
});

describe('keys and values from anywhere', () => {
  it('make one line of key=value pairs', () => {
    const pair = / [A-Za-z0-9_.-]+=(?:[!#-<>-[\]-~]+|"(?:[^"\\\x00-\x1f]|\\.)*")/g;
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(text, text, text, (key, value, bound) => {
        const { log, lines } = open();
        log.child({ bound }).info({ [key]: value }, 'x');
        const line = lines[0] ?? '';
        assert.equal(line.at(-1), '\n');
        assert.equal(line.slice('l=info m=x'.length, -1).replaceAll(pair, ''), '', line);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a log in a file', () => {
  it('is for its owner only, and is opened again when it was moved', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'daybook-log-'));
    try {
      const file = path.join(directory, 'daybook.log');
      const log = openLog({ level: 'info', to: file });
      log.info({}, 'one');
      await rename(file, `${file}.1`);
      log.reopen();
      log.info({}, 'two');
      log.close();
      assert.equal(await readFile(`${file}.1`, 'utf8'), 'l=info m=one\n');
      assert.equal(await readFile(file, 'utf8'), 'l=info m=two\n');
      if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('connection ids', () => {
  it('count up from the start in hex', () => {
    const next = connectionIds(0x19a8);
    assert.deepEqual([next(), next()], ['19a8', '19a9']);
  });
});
