/**
 * The engine in memory keeps the contract of the event log.
 */

import { memoryLogStore, openMemoryEventLog } from '#infra/event-log-memory';
import { eventLogContract, type LogUnderTest } from './event-log.ts';

async function openEngine(): Promise<LogUnderTest> {
  const store = memoryLogStore();
  let log = openMemoryEventLog({ store });
  return {
    get log() {
      return log;
    },
    async reopen(upcasts) {
      await log.close();
      log = openMemoryEventLog({ store, upcasts });
      return log;
    },
    async [Symbol.asyncDispose]() {
      await log.close();
    },
  };
}

eventLogContract('in memory', openEngine);
