/**
 * What we say we can do, which is what the table of commands does.
 *
 * RFC 9051 §7.2.2
 */

import { offeredMechanisms } from '../../sasl/catalog.ts';
import type { Session } from '../session.ts';

const ALWAYS = [
  'IMAP4rev2',
  'IMAP4rev1',
  'LITERAL+',
  'SASL-IR',
  'ID',
  'ENABLE',
  'IDLE',
  'NAMESPACE',
  'UNSELECT',
  'UIDPLUS',
  'MOVE',
  'MULTIAPPEND',
  'REPLACE',
  'BINARY',
  'ESEARCH',
  'SEARCHRES',
  'WITHIN',
  'SAVEDATE',
  'PREVIEW',
  'CHILDREN',
  'LIST-EXTENDED',
  'LIST-STATUS',
  'LIST-METADATA',
  'SPECIAL-USE',
  'CREATE-SPECIAL-USE',
  'STATUS=SIZE',
  'UTF8=ACCEPT',
  'CONDSTORE',
  'QRESYNC',
  'UIDONLY',
  'NOTIFY',
  'METADATA',
  'QUOTA',
  'QUOTA=RES-STORAGE',
  'MULTISEARCH',
  'PARTIAL',
  'SORT',
  'SORT=DISPLAY',
  'ESORT',
  'THREAD=ORDEREDSUBJECT',
  'THREAD=REFERENCES',
  'INPROGRESS',
  'OBJECTID',
  'UIDBATCHES',
] as const;

/** The mechanisms that a client may name in AUTHENTICATE. */
function mechanismsFor(session: Session): readonly string[] {
  const connection = {
    tls: session.wire.tls,
    passwordsInClear: session.options.allowPlaintextLogin,
  };
  // LOGIN is the mechanism of SMTP; here the LOGIN command is the same in fewer steps.
  return offeredMechanisms(connection).filter((name) => name !== 'LOGIN');
}

/** Passwords may travel on this connection. */
export function passwordsAllowed(session: Session): boolean {
  return session.wire.tls !== undefined || session.options.allowPlaintextLogin;
}

export function capabilitiesOf(session: Session): string {
  const names: string[] = [...ALWAYS, `APPENDLIMIT=${session.options.messageBytesMax}`];
  if (session.options.compress && !session.isCompressed) names.push('COMPRESS=DEFLATE');
  if (session.state === 'not-authenticated') {
    if (session.wire.startTls !== undefined) names.push('STARTTLS');
    if (!passwordsAllowed(session)) names.push('LOGINDISABLED');
    for (const name of mechanismsFor(session)) names.push(`AUTH=${name}`);
  } else if (!session.isPreauthenticated) {
    names.push('UNAUTHENTICATE');
  }
  const isKnown = session.state !== 'not-authenticated';
  return names.filter((name) => !isKnown || !isHidden(name, session)).join(' ');
}

/**
 * The administrator hides the capability from the clients of the account, to spare those that
 * cannot cope with it. QRESYNC brings CONDSTORE with it and is hidden with that; a value behind
 * `APPENDLIMIT=` is not part of the name.
 */
export function isHidden(name: string, session: Session): boolean {
  const hidden = session.settings.hiddenCapabilities;
  const upper = name.toUpperCase().replace(/^(APPENDLIMIT)=.*/, '$1');
  return hidden.includes(upper) || (upper === 'QRESYNC' && hidden.includes('CONDSTORE'));
}
