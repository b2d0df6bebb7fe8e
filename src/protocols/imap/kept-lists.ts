/**
 * Lists of all messages of a mailbox, in an order or by thread, kept while none comes or goes: who
 * turns the pages of a sorted list asks for the same one page after page.
 *
 * Invariant: what is kept was made of the messages that are there now. What messages say does not
 * change, so that it is what would be made again.
 */

import type { UidRuns } from '#domain/values/uid-runs';
import { equalUidSets, type UidSet } from '#domain/values/uid-set';

/** Of one mailbox. */
const LISTS_MAX = 4;
/** UIDs of a list, letters of a text. */
const LENGTH_MAX = 1_000_000;

export class KeptLists<List extends { readonly length: number }> {
  readonly #runs: () => UidRuns;
  /** In the order in which they were made. */
  readonly #lists = new Map<string, List>();
  #madeOf: UidRuns | undefined;

  /** `runs` gives the messages that are there. */
  constructor(runs: () => UidRuns) {
    this.#runs = runs;
  }

  /**
   * What `make` makes of `uids` for a client that was told of `told`; made once when that is all
   * that is there. The same name must mean the same list.
   */
  async get(
    name: string,
    uids: UidSet,
    told: UidRuns,
    make: () => List | Promise<List>,
  ): Promise<List> {
    if (told !== this.#runs() || !equalUidSets(uids, told.uids)) return make();
    const known = this.#madeOf === told ? this.#lists.get(name) : undefined;
    if (known !== undefined) return known;
    const list = await make();
    if (told === this.#runs() && list.length <= LENGTH_MAX) this.#keep(name, list, told);
    return list;
  }

  #keep(name: string, list: List, madeOf: UidRuns): void {
    if (this.#madeOf !== madeOf) this.#lists.clear();
    this.#madeOf = madeOf;
    this.#lists.set(name, list);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > LISTS_MAX && oldest !== undefined) this.#lists.delete(oldest);
  }
}
