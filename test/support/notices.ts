/** Whose concern notices are, where a test does not say. */

import type { AccountId } from '#domain/values/ids';
import type { NoticePlaces } from '#protocols/smtp/notices';

/** All accounts exist; the postmaster is the first one. */
export function noticePlaces(postmaster: AccountId = 1): NoticePlaces {
  return { postmaster: () => postmaster, hasAccount: () => true };
}
