/**
 * Commands about the conversation itself: CAPABILITY, NOOP, CHECK, ID, ENABLE, NAMESPACE, LOGOUT.
 *
 * RFC 9051 §6.1, §6.3.1, §6.3.10; RFC 2971 (ID); RFC 2342 (NAMESPACE)
 */

import { enable as enableWords, id as idWords, noArguments } from '../grammar.ts';
import { EXTENSIONS, ok, type Extension } from '../session.ts';
import { quotedOrLiteral } from '../writer.ts';
import { capabilitiesOf, isHidden } from './capability.ts';
import { ANY_STATE, imapCommand, LOGGED_IN, SELECTED, type WholeCommand } from './command.ts';

export const capability: WholeCommand = imapCommand({
  states: ANY_STATE,
  parse: noArguments,
  run(_, session) {
    session.out.line(`* CAPABILITY ${capabilitiesOf(session)}`);
    return ok('CAPABILITY done');
  },
});

export const noop: WholeCommand = imapCommand({
  states: ANY_STATE,
  parse: noArguments,
  run: () => ok('NOOP done', { news: 'everything' }),
});

export const check: WholeCommand = imapCommand({
  states: SELECTED,
  parse: noArguments,
  run: () => ok('CHECK done', { news: 'everything' }),
});

export const id: WholeCommand = imapCommand({
  states: ANY_STATE,
  parse: idWords,
  run(client, session) {
    if (client !== undefined) {
      session.log.info({ client: Object.fromEntries(client) }, 'imap id');
      session.loginRecord.identify(clientName(client));
    }
    const { product, version } = session.options;
    const ours = [['name', product]];
    // The version is nobody's business before login.
    if (session.state !== 'not-authenticated') ours.push(['version', version]);
    session.out.line(`* ID (${ours.flat().map(quotedOrLiteral).join(' ')})`);
    return ok('ID done');
  },
});

/** RFC 2971 §3.3: name and version first, then whatever else the client says. */
function clientName(fields: ReadonlyMap<string, string>): string {
  const { name = '', version = '', ...rest } = Object.fromEntries(fields);
  const more = Object.entries(rest).map(([field, value]) => `${field} ${value}`);
  return [`${name}/${version}`.replace(/^\/|\/$/g, ''), ...more]
    .filter((one) => one !== '')
    .join('; ');
}

const EXTENSION_BY_WORD: ReadonlyMap<string, Extension> = new Map(
  EXTENSIONS.map((name) => [name.toUpperCase(), name]),
);

export const enable: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: enableWords,
  run(words, session) {
    const newly: Extension[] = [];
    for (const word of words) {
      const extension = EXTENSION_BY_WORD.get(word);
      // RFC 5161 §3.1: what we do not know, or what is enabled, is passed over.
      if (extension === undefined || session.has(extension)) continue;
      if (isHidden(extension, session)) continue;
      newly.push(extension);
      if (extension === 'CONDSTORE') session.enableCondstore();
      else session.enable(extension);
    }
    // RFC 7162 §3.2.3: QRESYNC brings CONDSTORE with it.
    if (session.has('QRESYNC')) session.enableCondstore();
    session.out.line(['* ENABLED', ...newly].join(' '));
    return ok('ENABLE done');
  },
});

export const namespace: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: noArguments,
  run(_, session) {
    session.out.line('* NAMESPACE (("" "/")) NIL NIL');
    return ok('NAMESPACE done');
  },
});

export const logout: WholeCommand = imapCommand({
  states: ANY_STATE,
  parse: noArguments,
  run(_, session) {
    session.out.line('* BYE until next time');
    session.ending = {};
    return ok('LOGOUT done', { news: 'nothing' });
  },
});
