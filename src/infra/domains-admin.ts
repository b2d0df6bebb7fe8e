/**
 * Which domains are ours, for administrators.
 *
 * Invariants: a domain that comes back has the signing keys that it had; keys are made only for one
 * that has none, and are thrown away when it gets none of them.
 */

import type { DkimKey } from '#domain/directory/dkim-keys';
import { dkimKeysOf } from '#domain/directory/state';
import type { Cause } from '#domain/log/event';
import { isRefusal, type Refusal } from '#domain/values/decision';
import type { Clock } from '#protocols/ports';
import type { AdministeredDomains, NewDomain } from '#protocols/ports-directory';
import type { AccountsAdmin } from './accounts-admin.ts';
import type { DirectoryLane } from './directory-lane.ts';
import type { DkimKeyring } from './dkim-keys.ts';

const SEPARATOR = '+';
/** RFC 6376 §3.5: long enough for mail that is on its way for days. */
const SIGNATURE_MS: number = 72 * 3_600_000;

export interface DomainsAdminPorts {
  readonly directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly dkimKeys: Pick<DkimKeyring, 'make' | 'discard'>;
  readonly accounts: Pick<AccountsAdmin, 'open'>;
  readonly clock: Clock;
}

export function domainsAdmin(ports: DomainsAdminPorts): AdministeredDomains {
  const { directory } = ports;
  return {
    domains() {
      const { domains, disabledDomains } = directory.state;
      return [...domains.keys()].map((domain) => ({
        domain,
        isDisabled: disabledDomains.has(domain),
      }));
    },

    add: (domain, cause) => addDomain(domain, cause, ports),

    async remove(domain, cause) {
      return await directory.execute({ type: 'RemoveDomain', domain }, cause);
    },
  };
}

async function addDomain(
  { domain, isDisabled, account, localpart }: NewDomain,
  cause: Cause,
  { directory, dkimKeys, accounts, clock }: DomainsAdminPorts,
): Promise<object | Refusal> {
  const isBack = (directory.state.dkimKeys.get(domain)?.length ?? 0) > 0;
  const year = new Date(clock.now()).getUTCFullYear();
  const made = isBack
    ? []
    : await Promise.all(
        // The second one is for the day on which the first is not to be used any more.
        [`${year}a`, `${year}b`].map((name) => dkimKeys.make({ name, algorithm: 'rsa' })),
      );
  const keys: readonly DkimKey[] = made.map((key, i) => ({
    ...key,
    lifetimeMs: SIGNATURE_MS,
    ...(i > 0 ? { standby: true } : {}),
  }));
  const done = await directory.execute(
    {
      type: 'SetUpDomain',
      domain,
      catchallSeparator: SEPARATOR,
      isDisabled,
      account,
      ...(localpart === undefined ? {} : { localpart }),
      dkimKeys: keys,
    },
    cause,
  );
  const kept = new Set(dkimKeysOf(directory.state, domain).map(({ secret }) => secret));
  for (const key of keys) if (!kept.has(key.secret)) await dkimKeys.discard(key);
  if (isRefusal(done)) return done;
  const { accountId, isNewAccount } = done.answer;
  return isNewAccount ? await accounts.open(accountId, cause) : done;
}
