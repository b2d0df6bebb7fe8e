/**
 * The directory: what the administrator decided, in memory, and the lane that changes it.
 *
 * Read from its stream at start; small enough to be copied for every turn, so that a turn that is
 * not carried out leaves no trace.
 */

import { domainToASCII } from 'node:url';
import { type Observable, Subject } from 'rxjs';
import type { Cause } from '#domain/log/event';
import { directoryFactOf } from '#domain/log/fact';
import { DIRECTORY_STREAM } from '#domain/log/streams';
import { addressKey } from '#domain/directory/address-key';
import {
  decideDirectory,
  type DirectoryAnswerTo,
  type DirectoryCommand,
} from '#domain/directory/decide';
import type { DirectoryEvent } from '#domain/directory/events';
import { accountsBehind, mailTarget, type MailTarget } from '#domain/directory/mail-targets';
import { evolveDirectory } from '#domain/directory/evolve';
import {
  copyOfDirectory,
  emptyDirectory,
  hasFromIds,
  type DirectoryRecords,
  type DirectoryState,
} from '#domain/directory/state';
import { foldedLocalpart, parseAddress } from '#domain/values/address';
import type { Refusal } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';
import type { Directory } from '#protocols/ports';
import type { DeliveryPause } from '#protocols/ports-queue';
import { Lane, type Carried, type LanePorts } from './lane.ts';
import { StateLedger } from './state-ledger.ts';

type DirectoryLedger = StateLedger<DirectoryRecords, DirectoryEvent>;

export class DirectoryLane implements Directory, DeliveryPause {
  readonly #ledger: DirectoryLedger;
  readonly #lane: Lane<DirectoryState, DirectoryEvent>;
  readonly #resumed = new Subject<void>();

  private constructor(ledger: DirectoryLedger, ports: LanePorts) {
    this.#ledger = ledger;
    this.#lane = new Lane(ledger, ports, (facts) => {
      if (facts.some(({ event }) => event.type === 'DeliveryResumed')) this.#resumed.next();
    });
  }

  static async open(ports: LanePorts): Promise<DirectoryLane> {
    const ledger: DirectoryLedger = new StateLedger<DirectoryRecords, DirectoryEvent>(
      ports.log,
      DIRECTORY_STREAM,
      {
        empty: emptyDirectory(),
        copy: copyOfDirectory,
        evolve: evolveDirectory,
        factOf: directoryFactOf,
      },
    );
    await ledger.catchUp(() => undefined);
    return new DirectoryLane(ledger, ports);
  }

  /** As of the last committed turn. */
  get state(): DirectoryState {
    return this.#ledger.committed;
  }

  target(localpart: string, domain: string): MailTarget {
    return mailTarget(this.state, localpart, domain);
  }

  sendersAs(localpart: string, domain: string): readonly AccountId[] {
    return accountsBehind(this.state, localpart, domain);
  }

  isDisabled(domain: string): boolean {
    return this.state.disabledDomains.has(domain);
  }

  isPaused(): boolean {
    return this.state.pausedFor !== null;
  }

  get resumed(): Observable<void> {
    return this.#resumed;
  }

  separatorsOf(domain: string): string {
    return this.state.domains.get(domain)?.catchallSeparator ?? '';
  }

  usesFromIds(accountId: AccountId, login: string): boolean {
    const address = parseAddress(login, domainToASCII);
    const rules = address && this.state.domains.get(address.domain);
    if (address === undefined || rules === undefined) return false;
    const localpart = foldedLocalpart(address.localpart, rules.caseSensitive);
    return hasFromIds(this.state, accountId, addressKey(localpart, address.domain));
  }

  /** The only way to change the directory. Durable when it resolves. */
  execute<C extends DirectoryCommand>(
    command: C,
    cause: Cause,
  ): Promise<Carried<DirectoryEvent, DirectoryAnswerTo<C>> | Refusal> {
    return this.#lane.execute(cause, (state) => decideDirectory(command, state));
  }

  close(): Promise<void> {
    return this.#lane.close();
  }
}
