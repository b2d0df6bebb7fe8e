/**
 * A log that nobody reads.
 */

import type { Log } from '#protocols/ports';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
