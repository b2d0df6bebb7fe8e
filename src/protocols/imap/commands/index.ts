/**
 * The table of commands: verb → what it is. What it can do is announced in `capability.ts`.
 */

import { append } from './append.ts';
import { authenticate, login, starttls } from './authenticate.ts';
import type { ImapCommand } from './command.ts';
import { capability, check, enable, id, logout, namespace, noop } from './connection.ts';
import { compress } from './compress.ts';
import { copy, move, uidCopy, uidMove } from './copy.ts';
import { esearch } from './esearch.ts';
import { expunge, uidExpunge } from './expunge.ts';
import { fetch, uidFetch } from './fetch.ts';
import { idle } from './idle.ts';
import { list, lsub, status } from './list.ts';
import { create, deleteMailbox, rename, subscribe, unsubscribe } from './mailbox.ts';
import { getMetadata, setMetadata } from './metadata.ts';
import { notify } from './notify.ts';
import { getQuota, getQuotaRoot } from './quota.ts';
import { replace, uidReplace } from './replace.ts';
import { search, uidSearch } from './search.ts';
import { close, examine, select, unselect } from './select.ts';
import { sort, uidSort } from './sort.ts';
import { store, uidStore } from './store.ts';
import { unauthenticate } from './unauthenticate.ts';
import { thread, uidThread } from './thread.ts';
import { uidBatches } from './uid-batches.ts';

export const COMMANDS: ReadonlyMap<string, ImapCommand> = new Map<string, ImapCommand>([
  ['CAPABILITY', capability],
  ['NOOP', noop],
  ['LOGOUT', logout],
  ['ID', id],
  ['STARTTLS', starttls],
  ['AUTHENTICATE', authenticate],
  ['LOGIN', login],
  ['ENABLE', enable],
  ['NAMESPACE', namespace],
  ['SELECT', select],
  ['EXAMINE', examine],
  ['CREATE', create],
  ['DELETE', deleteMailbox],
  ['RENAME', rename],
  ['SUBSCRIBE', subscribe],
  ['UNSUBSCRIBE', unsubscribe],
  ['LIST', list],
  ['LSUB', lsub],
  ['STATUS', status],
  ['GETMETADATA', getMetadata],
  ['SETMETADATA', setMetadata],
  ['GETQUOTA', getQuota],
  ['GETQUOTAROOT', getQuotaRoot],
  ['APPEND', append],
  ['IDLE', idle],
  ['NOTIFY', notify],
  ['COMPRESS', compress],
  ['UNAUTHENTICATE', unauthenticate],
  ['CHECK', check],
  ['CLOSE', close],
  ['UNSELECT', unselect],
  ['EXPUNGE', expunge],
  ['UID EXPUNGE', uidExpunge],
  ['SEARCH', search],
  ['UID SEARCH', uidSearch],
  ['ESEARCH', esearch],
  ['SORT', sort],
  ['UID SORT', uidSort],
  ['THREAD', thread],
  ['UID THREAD', uidThread],
  ['UIDBATCHES', uidBatches],
  ['FETCH', fetch],
  ['UID FETCH', uidFetch],
  ['STORE', store],
  ['UID STORE', uidStore],
  ['COPY', copy],
  ['UID COPY', uidCopy],
  ['MOVE', move],
  ['UID MOVE', uidMove],
  ['REPLACE', replace],
  ['UID REPLACE', uidReplace],
]);

/** Commands that name messages by sequence number, or answer with one. RFC 9586 §3.1 */
export const SEQUENCE_VERBS: ReadonlySet<string> = new Set([
  'FETCH',
  'STORE',
  'COPY',
  'MOVE',
  'SEARCH',
  'SORT',
  'THREAD',
  'REPLACE',
]);

/** RFC 9051 §7.5.1, RFC 5256 §3: no removal is told meanwhile, whatever becomes of the command. */
export const NUMBERING_VERBS: ReadonlySet<string> = new Set([
  'FETCH',
  'STORE',
  'SEARCH',
  'SORT',
  'THREAD',
]);
