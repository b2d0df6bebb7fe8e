/**
 * What a command gathers until its tagged answer comes, with a bound.
 */

import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';

export class Gathered<Item> {
  readonly items: Item[] = [];
  readonly #max: number;

  constructor({ resultsMax }: Conversation) {
    this.#max = resultsMax;
  }

  add(...items: readonly Item[]): void {
    if (this.items.length + items.length > this.#max) {
      throw new ImapClientError('TooLarge', 'The answer has more parts than we gather.');
    }
    for (const item of items) this.items.push(item);
  }

  clear(): void {
    this.items.length = 0;
  }
}
