/**
 * Facts about the bodies of an account. What stands here is stored for ever.
 */

import type { BodyHash } from '../values/ids.ts';

/**
 * Nothing has referred to these bodies for long enough: their files are removed from now on. Older
 * facts may name them, and cannot have them back; should the content come again, it is new.
 */
export interface BodiesSwept {
  readonly type: 'BodiesSwept';
  readonly bodies: readonly BodyHash[];
}

export type BodyEvent = BodiesSwept;

export const BODY_EVENTS: Record<BodyEvent['type'], string> = {
  BodiesSwept: 'Bodies that nothing refers to any more are removed from the disk.',
};
