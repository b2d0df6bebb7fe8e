/**
 * What stands in for the thread that makes files of bodies: the same work, done right here.
 */

import { BodyFiler } from '#infra/body-filer';
import type { StartFiler } from '#infra/body-filer-thread';

export const nearFiler: StartFiler = () => {
  const filer = new BodyFiler();
  return {
    file: async (segment, filings) => filer.file(segment, filings),
    async settle(segment) {
      for (const _ of filer.settle(segment));
      return undefined;
    },
    close: async () => undefined,
  };
};
