/**
 * Writes the sample of each event type and version that has no frozen file yet. What is frozen is
 * never written again: it stands for what logs hold.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import {
  currentEvent,
  FROZEN_FOLDER,
  frozenFile,
  SAMPLES,
  type EventType,
} from '../../test/house/samples.ts';

for (const type of Object.keys(SAMPLES) as EventType[]) {
  const event = currentEvent(type);
  const file = join(FROZEN_FOLDER, frozenFile(event));
  if (existsSync(file)) continue;
  writeFileSync(file, await format(JSON.stringify(event), { parser: 'json', printWidth: 100 }));
  console.log(`frozen: ${frozenFile(event)}`);
}
