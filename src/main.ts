/**
 * Enables the compile cache, then hands the command line its arguments, a terminal, and what it
 * may open. Everything else is loaded when a command needs it.
 */

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Openers, Terminal } from '#protocols/cli/openers';

// By way of the environment, so that threads have it too.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('../node_modules/.cache/node', import.meta.url),
);
enableCompileCache();

// Syncs of many files wait for the disk side by side, and the disk carries them out together. The
// pool of threads is made when it is first used, and never grows.
process.env.UV_THREADPOOL_SIZE ??= '16';

// What is read from sockets is soon let go of. V8 adds it to what lasts, and looks through all of
// that again and again while large messages come; later versions count like this by themselves.
setFlagsFromString('--external-memory-accounted-in-global-limit');

const [{ runProgram }, { defaultDir, version }] = await Promise.all([
  import('#protocols/cli/program'),
  import('#infra/places'),
]);

const INPUT_LETTERS_MAX = 1024 * 1024;

const terminal: Terminal = {
  out: (line) => void process.stdout.write(typeof line === 'string' ? `${line}\n` : line),
  err: (line) => void process.stderr.write(`${line}\n`),
  input: async () => {
    let text = '';
    for await (const chunk of process.stdin.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > INPUT_LETTERS_MAX) throw new Error('There is too much on standard input.');
    }
    return text;
  },
  password: async (prompt) => {
    const { stdin, stderr } = process;
    if (!stdin.isTTY) return (await terminal.input()).split(/\r?\n/, 1)[0] ?? '';
    const { askSecret } = await import('#infra/terminal');
    const show = (text: string): void => void stderr.write(text);
    const password = await askSecret(stdin, prompt, show);
    if ((await askSecret(stdin, 'The same again: ', show)) === password) return password;
    throw new Error('These were two passwords.');
  },
  stopAsked: () =>
    new Promise((resolve) => {
      process.once('SIGINT', () => resolve());
      process.once('SIGTERM', () => resolve());
    }),
};

// A reader that went away (`… | head`) ends the program quietly.
process.stdout.on('error', () => process.exit(0));

const openers: Openers = {
  prepareLocal: async (options) => (await import('#compose')).prepareLocal(options),
  openLocalServer: async (options) => (await import('#compose')).openLocalServer(options),
  openWorldServer: async (options) => (await import('#compose')).openWorldServer(options),
  openStore: async (dir) => (await import('#compose')).openStore(dir),
  backup: async (dir, request) => (await import('#compose-backup')).backup(dir, request),
  restore: async (from, request) => (await import('#compose-backup')).restore(from, request),
  async *verifyBackup(from, priors, note) {
    yield* (await import('#infra/backup-read')).verifyBackup(from, priors, note);
  },
  async *tailLog(dir, options, signal) {
    yield* (await import('#compose')).tailLog(dir, options, signal);
  },
  openControl: async (dir) => (await import('#compose')).openControl(dir),
  openSubmission: async (file) => (await import('#submission')).openSubmission(file),
  defaultDir,
  version,
};

process.exitCode = await runProgram(process.argv.slice(2), terminal, openers);
