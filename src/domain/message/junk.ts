/**
 * What a junk mailbox does to the flags of what enters and leaves it: the mailbox that a message
 * is put into says what its owner thinks of it.
 */

import type { Mailbox } from '../mailbox/state.ts';
import type { FlagEdit } from '../values/flags.ts';

export const JUNK_EDIT: FlagEdit = { add: ['$Junk'], remove: ['$NotJunk'] };
const NOT_JUNK_EDIT: FlagEdit = { add: ['$NotJunk'], remove: ['$Junk'] };

/** Into the junk mailbox marks as junk; out of it, unless into the trash, takes that back. */
export function editOnTheWay(source: Mailbox, target: Mailbox): { readonly edit?: FlagEdit } {
  if (target.specialUse === '\\Junk') return { edit: JUNK_EDIT };
  const released = source.specialUse === '\\Junk' && target.specialUse !== '\\Trash';
  return released ? { edit: NOT_JUNK_EDIT } : {};
}
