/**
 * `serve`: the mail server that the configuration describes. `localserve`: a whole one on loopback,
 * with one account that everybody knows.
 */

import { LOCAL_LOGIN, LOCAL_PASSWORD } from './first-account.ts';
import type { LocalserveFlags, ServeFlags } from './flags.ts';
import type { Listening, Openers, Terminal } from './openers.ts';

export async function localserve(
  flags: LocalserveFlags,
  terminal: Terminal,
  openers: Openers,
): Promise<void> {
  const isNew = await openers.prepareLocal(flags);
  if (flags.initOnly) {
    terminal.out(
      `${isNew ? 'configuration written' : 'configuration was there already'}: ${flags.dir}`,
    );
    return;
  }
  // Heard from here on, so that a stop while the server opens is not the end of the process.
  const stopAsked = terminal.stopAsked();
  const server = await openers.openLocalServer(flags);
  const dirFlag = flags.dir === openers.defaultDir() ? '' : ` --dir '${flags.dir}'`;
  for (const line of welcome(server.listening, flags.dir, dirFlag)) terminal.out(line);
  await stopAsked;
  terminal.err('stopping');
  await server.stop();
}

export async function serve(
  flags: ServeFlags,
  terminal: Terminal,
  openers: Openers,
): Promise<void> {
  // As below.
  const stopAsked = terminal.stopAsked();
  const server = await openers.openWorldServer(flags);
  terminal.out(ready(server.listening));
  await stopAsked;
  terminal.err('stopping');
  await server.stop();
}

const TLS_WORDS: Record<Listening['tls'], string> = {
  none: '',
  starttls: 'STARTTLS',
  implicit: 'TLS',
};

/** RFC 3986 §3.2.2: an IPv6 address stands in brackets before a port. */
function endpoint({ host, port }: Listening): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function* welcome(
  listening: readonly Listening[],
  dir: string,
  dirFlag: string,
): Generator<string> {
  yield `data in ${dir}`;
  yield '';
  for (const one of listening) {
    yield `  ${one.service.padEnd(12)} ${endpoint(one).padEnd(18)} ${TLS_WORDS[one.tls]}`.trimEnd();
  }
  yield '';
  yield `login ${LOCAL_LOGIN}, password ${LOCAL_PASSWORD}`;
  yield 'mail to any address at localhost arrives there';
  yield '';
  yield 'try:';
  for (const line of commandsToTry(listening, dirFlag)) yield `  ${line}`;
  yield '';
  yield ready(listening);
}

/** For programs that wait for it. */
function ready(listening: readonly Listening[]): string {
  return `ready ${listening.map((one) => `${one.service}=${endpoint(one)}`).join(' ')}`;
}

function commandsToTry(listening: readonly Listening[], dirFlag: string): readonly string[] {
  const at = (service: Listening['service']): string => {
    const found = listening.find((one) => one.service === service);
    return found === undefined ? '' : endpoint(found);
  };
  const login = `--user ${LOCAL_LOGIN}:${LOCAL_PASSWORD}`;
  return [
    `printf 'Subject: hello\\n\\nfirst mail\\n' | curl smtp://${at('smtp')} ` +
      `--mail-from you@example.org --mail-rcpt ${LOCAL_LOGIN} --crlf --upload-file -`,
    `curl ${login} imap://${at('imap')}/INBOX -X 'FETCH 1:* (FLAGS ENVELOPE)'`,
    `ops/bin/daybook log tail${dirFlag} --after 0 --no-follow`,
  ];
}
