/**
 * The command line: what is understood, what is said where, and how it ends. What it opens is a
 * pretence here.
 */

import assert from 'node:assert/strict';
import { it, suite } from 'node:test';
import type { RecordedEvent } from '#domain/log/event';
import { Fault } from '#domain/values/fault';
import type {
  Finding,
  Listening,
  LocalServerOptions,
  Openers,
  RebuiltAccount,
  TailOptions,
} from '#protocols/cli/openers';
import { runProgram } from '#protocols/cli/program';

const DIR = '/srv/daybook';

const LISTENING: readonly Listening[] = [
  { service: 'smtp', host: '127.0.0.1', port: 1025, tls: 'starttls' },
  { service: 'imap', host: '127.0.0.1', port: 1143, tls: 'none' },
  { service: 'imaps', host: '127.0.0.1', port: 1993, tls: 'implicit' },
];

const EVENT: RecordedEvent = {
  stream: 'account-1',
  revision: 4,
  position: 9,
  id: '00000000-0000-4000-8000-000000000009',
  type: 'MessagesExpunged',
  version: 1,
  at: 1_700_000_000_000,
  data: { mailboxId: 1, uids: '3:5' },
  cause: { actor: 'imap:daybook@localhost', ip: '127.0.0.1' },
};

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** What was opened and closed, and with what. */
  readonly done: readonly unknown[];
}

interface Pretence {
  readonly isNew?: boolean;
  readonly failure?: unknown;
  readonly listening?: readonly Listening[];
  readonly findings?: readonly Finding[];
  readonly rebuilt?: readonly RebuiltAccount[];
  readonly events?: readonly RecordedEvent[];
}

/** Runs a command line; whoever waits for the end of the program sees it come at once. */
async function run(args: readonly string[], pretence: Pretence = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const done: unknown[] = [];
  const tryTo = (...what: readonly unknown[]): void => {
    done.push(what);
    if (pretence.failure !== undefined) throw pretence.failure;
  };
  const openers: Openers = {
    async prepareLocal(options) {
      tryTo('prepare', told(options));
      return pretence.isNew ?? false;
    },
    async openLocalServer(options) {
      tryTo('serve', told(options));
      const { listening = LISTENING } = pretence;
      return { listening, stop: async () => void done.push('stopped') };
    },
    async openWorldServer(options) {
      tryTo('serve the world', options);
      const { listening = LISTENING } = pretence;
      return { listening, stop: async () => void done.push('stopped') };
    },
    async openStore(dir) {
      tryTo('open', dir);
      return {
        async *rebuild() {
          yield* pretence.rebuilt ?? [];
        },
        async *renumber(account) {
          tryTo('renumber', account);
          yield { account: account ?? 'daybook', mailboxes: 6 };
        },
        async *verify(note) {
          note('log: 9 events');
          yield* pretence.findings ?? [];
        },
        close: async () => void done.push('closed'),
      };
    },
    backup: () => assert.fail('not used here'),
    restore: () => assert.fail('not used here'),
    verifyBackup: () => assert.fail('not used here'),
    async *tailLog(dir, options: TailOptions) {
      tryTo('tail', dir, options);
      yield* pretence.events ?? [];
    },
    async openControl(dir) {
      throw new Error(`No server answers on ${dir}/ctl.`);
    },
    openSubmission: () => assert.fail('not used here'),
    defaultDir: () => DIR,
    version: () => '1.2.3',
  };
  const terminal = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    password: async () => '',
    input: async () => '',
    stopAsked: () => Promise.resolve(),
  };
  const code = await runProgram(args, terminal, openers);
  return { code, out, err, done };
}

/** Without the flags that opening has no use for. */
function told({ dir, ip, limits, logLevel }: LocalServerOptions): Record<string, unknown> {
  return { dir, limits, ...(ip && { ip }), ...(logLevel && { logLevel }) };
}

suite('usage', () => {
  it('is told when nothing is asked for', async () => {
    const { code, out, err } = await run([]);
    assert.equal(code, 2);
    assert.deepEqual(out, []);
    assert.match(err.join('\n'), /^Usage: daybook \[options\] \[command\]/);
    assert.match(err.join('\n'), /localserve .*rebuild .*verifydata .*log .*version/s);
  });

  it('is told on request', async () => {
    const { code, out, err } = await run(['--help']);
    assert.deepEqual([code, err], [0, []]);
    assert.match(out.join('\n'), /^Usage: daybook/);
  });

  it('of a command shows its flags and where data is kept', async () => {
    const { code, out } = await run(['help', 'localserve']);
    assert.equal(code, 0);
    for (const flag of ['--dir', '--ip', '--init-only', '--limits', '--log-level', DIR]) {
      assert.ok(out.join('\n').includes(flag), flag);
    }
  });

  const wrong: readonly (readonly [args: string, said: RegExp])[] = [
    ['deliver', /^error: unknown command 'deliver'/],
    ['--verbose', /^error: unknown option '--verbose'/],
    ['localserve --port 25', /^error: unknown option '--port'/],
    ['localserve here', /^error: too many arguments/],
    ['localserve --dir', /^error: option '--dir <dir>' argument missing/],
    ['localserve --ip 10.0.0.1', /It must be a loopback address, 127\.x\.y\.z or ::1\./],
    ['localserve --ip 127.0.0.256', /It must be a loopback address/],
    ['localserve --ip localhost', /It must be a loopback address/],
    ['localserve --log-level loud', /Allowed choices are error, warn, info, debug, trace\./],
    ['log', /^Usage: daybook log/],
    ['log tail --account 0', /It must be a number from 1\./],
    ['log tail --account x', /It must be a whole number\./],
    ['log tail --after -1', /It must be a whole number\./],
    ['log tail --after 1.5', /It must be a whole number\./],
    ['verifydata --fix', /^error: unknown option '--fix'/],
  ];
  for (const [args, said] of wrong) {
    it(`does not know: daybook ${args}`, async () => {
      const { code, out, err, done } = await run(args.split(' '));
      assert.equal(code, 2);
      assert.match(err.join('\n'), said);
      assert.deepEqual([out, done], [[], []]);
    });
  }
});

it('version', async () => {
  assert.deepEqual(await run(['version']), { code: 0, out: ['1.2.3'], err: [], done: [] });
});

it('serve opens what the folder describes, and stops when asked', async () => {
  const { code, out, err, done } = await run(['serve', '--dir', '/d', '--log-level', 'warn']);
  assert.equal(code, 0);
  assert.deepEqual(done, [['serve the world', { dir: '/d', logLevel: 'warn' }], 'stopped']);
  const ready = 'ready smtp=127.0.0.1:1025 imap=127.0.0.1:1143 imaps=127.0.0.1:1993';
  assert.deepEqual(out, [ready]);
  assert.deepEqual(err, ['stopping']);
});

suite('localserve', () => {
  it('prepares, serves, tells how to get in, and stops when asked', async () => {
    const { code, out, err, done } = await run(['localserve']);
    assert.equal(code, 0);
    assert.deepEqual(done, [
      ['prepare', { dir: DIR, limits: false }],
      ['serve', { dir: DIR, limits: false }],
      'stopped',
    ]);
    assert.deepEqual(out.slice(0, 5), [
      `data in ${DIR}`,
      '',
      '  smtp         127.0.0.1:1025     STARTTLS',
      '  imap         127.0.0.1:1143',
      '  imaps        127.0.0.1:1993     TLS',
    ]);
    assert.ok(out.includes('login daybook@localhost, password daybookdaybook'));
    assert.equal(out.at(-1), 'ready smtp=127.0.0.1:1025 imap=127.0.0.1:1143 imaps=127.0.0.1:1993');
    assert.deepEqual(err, ['stopping']);
  });

  it('tells commands to try that work as they stand', async () => {
    const { out } = await run(['localserve', '--dir', '/my data'], {
      listening: [
        { service: 'smtp', host: '::1', port: 1025, tls: 'starttls' },
        { service: 'imap', host: '::1', port: 1143, tls: 'starttls' },
      ],
    });
    const text = out.join('\n');
    assert.match(text, /\| curl smtp:\/\/\[::1\]:1025 --mail-from/);
    assert.match(text, /imap:\/\/\[::1\]:1143\/INBOX/);
    assert.match(text, /daybook log tail --dir '\/my data' --after 0 --no-follow\n/);
    assert.equal(out.at(-1), 'ready smtp=[::1]:1025 imap=[::1]:1143');
  });

  it('passes its flags on', async () => {
    const flags = ['--dir', '/d', '--ip', '127.9.9.9', '--limits', '--log-level', 'debug'];
    const { done } = await run(['localserve', ...flags]);
    const options = { dir: '/d', ip: '127.9.9.9', limits: true, logLevel: 'debug' };
    assert.deepEqual(done.slice(0, 2), [
      ['prepare', options],
      ['serve', options],
    ]);
  });

  for (const [isNew, said] of [
    [true, 'configuration written: /d'],
    [false, 'configuration was there already: /d'],
  ] as const) {
    it(`--init-only says: ${said}`, async () => {
      const { code, out, err, done } = await run(['localserve', '--init-only', '--dir', '/d'], {
        isNew,
      });
      assert.deepEqual([code, out, err], [0, [said], []]);
      assert.deepEqual(done, [['prepare', { dir: '/d', limits: false }]]);
    });
  }

  it('that fails says why in one sentence', async () => {
    const failure = new Fault('CannotListen', 'Port 1143 of 127.0.0.1 is taken.');
    const { code, out, err } = await run(['localserve'], { failure });
    assert.deepEqual([code, out, err], [1, [], ['daybook: Port 1143 of 127.0.0.1 is taken.']]);
  });
});

suite('verifydata', () => {
  it('says OK, and on standard error what it looked at', async () => {
    const { code, out, err, done } = await run(['verifydata', '--dir', '/d']);
    assert.deepEqual([code, out, err], [0, ['/d: OK'], ['log: 9 events']]);
    assert.deepEqual(done, [['open', '/d'], 'closed']);
  });

  const findings = [
    { where: 'log, position 3', what: 'event 3 is missing' },
    { where: 'views of account 1', what: 'messages 1 differs from the replay' },
  ];

  it('tells each finding, and fails', async () => {
    const { code, out } = await run(['verifydata', '--dir', '/d'], { findings });
    assert.equal(code, 1);
    assert.deepEqual(out, [
      'log, position 3: event 3 is missing',
      'views of account 1: messages 1 differs from the replay',
      'findings: 2',
    ]);
  });

  it('tells them as JSON, one a line and nothing else', async () => {
    const { code, out } = await run(['verifydata', '--json'], { findings });
    assert.equal(code, 1);
    assert.deepEqual(
      out.map((line): unknown => JSON.parse(line)),
      findings,
    );
  });

  it('of a directory in use says so', async () => {
    const failure = new Fault('LogUnavailable', 'Another process uses the data directory /d.');
    const { code, out, err } = await run(['verifydata', '--dir', '/d'], { failure });
    const sentence = 'daybook: Another process uses the data directory /d.';
    assert.deepEqual([code, out, err], [1, [], [sentence]]);
  });
});

suite('rebuild', () => {
  const rebuilt = [
    { account: 'account 1', events: 12, milliseconds: 3 },
    { account: 'server', events: 12, milliseconds: 1 },
  ];

  it('tells what it did', async () => {
    const { code, out, done } = await run(['rebuild', '--dir', '/d'], { rebuilt });
    assert.deepEqual(
      [code, out],
      [0, ['account 1: 12 events in 3 ms', 'server: 12 events in 1 ms']],
    );
    assert.deepEqual(done, [['open', '/d'], 'closed']);
  });

  it('tells it as JSON', async () => {
    const { out } = await run(['rebuild', '--json'], { rebuilt });
    assert.deepEqual(
      out.map((line): unknown => JSON.parse(line)),
      rebuilt,
    );
  });
});

suite('log tail', () => {
  it('prints an event on a line', async () => {
    const { code, out, err } = await run(['log', 'tail'], { events: [EVENT] });
    assert.deepEqual([code, err], [0, []]);
    assert.deepEqual(out, [
      '9 2023-11-14T22:13:20.000Z account-1@4 MessagesExpunged imap:daybook@localhost 127.0.0.1 ' +
        '{"mailboxId":1,"uids":"3:5"}',
    ]);
  });

  it('prints whole events as JSON', async () => {
    const { out } = await run(['log', 'tail', '--json'], { events: [EVENT] });
    assert.deepEqual(JSON.parse(out[0] ?? ''), EVENT);
  });

  for (const [flags, options] of [
    ['', { follow: true }],
    ['--no-follow', { follow: false }],
    ['--after 0 --no-follow', { follow: false, after: 0 }],
    ['--account 7 --type FlagsChanged', { follow: true, account: 7, type: 'FlagsChanged' }],
  ] as const) {
    it(`filters: ${flags}`, async () => {
      const words = flags === '' ? [] : flags.split(' ');
      const { done } = await run(['log', 'tail', '--dir', '/d', ...words]);
      assert.partialDeepStrictEqual(done, [['tail', '/d', options]]);
    });
  }
});

suite('what goes wrong', () => {
  it('is an error of ours, and told as one', async () => {
    const { code, err } = await run(['rebuild'], { failure: new TypeError('x is undefined') });
    assert.deepEqual([code, err], [1, ['daybook: x is undefined']]);
  });

  it('in the middle: what was opened is closed', async () => {
    const failing = { account: 'account 1', events: 1, milliseconds: 1 };
    Object.defineProperty(failing, 'events', {
      get: () => {
        throw new Fault('DiskFull', 'No room is left.');
      },
    });
    const { code, err, done } = await run(['rebuild'], { rebuilt: [failing] });
    assert.deepEqual([code, err], [1, ['daybook: No room is left.']]);
    assert.equal(done.at(-1), 'closed');
  });
});

suite('bumpuidvalidity', () => {
  it('says how many mailboxes have a new UIDVALIDITY', async () => {
    const { code, out, done } = await run(['bumpuidvalidity', '--dir', '/d']);
    assert.equal(code, 0);
    assert.deepEqual(out, ['daybook: 6 mailboxes have a new UIDVALIDITY']);
    assert.deepEqual(done, [['open', '/d'], ['renumber', undefined], 'closed']);
  });

  it('is for one account when it is named', async () => {
    const { out, done } = await run(['bumpuidvalidity', 'alice', '--json']);
    assert.deepEqual(out, ['{"account":"alice","mailboxes":6}']);
    assert.deepEqual(done.slice(1), [['renumber', 'alice'], 'closed']);
  });
});
