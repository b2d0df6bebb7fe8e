/**
 * The questions that decisions about the queue ask.
 */

import type { QueueId } from '../values/ids.ts';

export interface QueueItem {
  readonly queueId: QueueId;
  readonly recipient: string;
  readonly mailFrom: string;
  /** Attempts begun so far. */
  readonly attempts: number;
  /** An attempt has begun and not ended. */
  readonly inAttempt: boolean;
}

export interface QueueState {
  queueItem(queueId: QueueId): QueueItem | undefined;
  /** Items whose attempt never ended. */
  openAttempts(): readonly QueueItem[];
}
