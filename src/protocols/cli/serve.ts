/**
 * `localserve`: a whole mail server on loopback, with one account that everybody knows.
 */

import { LOCAL_LOGIN, LOCAL_PASSWORD } from './first-account.ts';
import type { LocalserveFlags } from './flags.ts';
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
  for (const line of welcome(server.listening, flags)) terminal.out(line);
  await stopAsked;
  terminal.err('stopping');
  await server.stop();
}

const TLS_WORDS: Record<Listening['tls'], string> = {
  none: '',
  starttls: 'STARTTLS',
  implicit: 'TLS',
};

function* welcome(listening: readonly Listening[], flags: LocalserveFlags): Generator<string> {
  yield `data in ${flags.dir}`;
  yield '';
  for (const { service, host, port, tls } of listening) {
    yield `  ${service.padEnd(12)} ${`${host}:${port}`.padEnd(18)} ${TLS_WORDS[tls]}`.trimEnd();
  }
  yield '';
  yield `login ${LOCAL_LOGIN}, password ${LOCAL_PASSWORD}`;
  yield 'mail to any address at localhost arrives there';
  yield '';
  yield 'try:';
  for (const line of commandsToTry(listening)) yield `  ${line}`;
  yield '';
  const services = listening.map(({ service, host, port }) => `${service}=${host}:${port}`);
  yield `ready ${services.join(' ')}`;
}

function commandsToTry(listening: readonly Listening[]): readonly string[] {
  const at = (service: Listening['service']): string => {
    const found = listening.find((one) => one.service === service);
    return found === undefined ? '' : `${found.host}:${found.port}`;
  };
  const login = `--user ${LOCAL_LOGIN}:${LOCAL_PASSWORD}`;
  return [
    `printf 'Subject: hello\\n\\nfirst mail\\n' | curl smtp://${at('smtp')} ` +
      `--mail-from you@example.org --mail-rcpt ${LOCAL_LOGIN} --crlf --upload-file -`,
    `curl ${login} imap://${at('imap')}/INBOX -X 'FETCH 1:* (FLAGS ENVELOPE)'`,
    'ops/bin/daybook log tail --after 0 --no-follow',
  ];
}
