/**
 * Writes down what we say of every message of the corpus: run it when an answer changed on purpose,
 * and look at the difference.
 */

import { writeFileSync } from 'node:fs';
import { answersOf, FROZEN, MIME_CORPUS } from '../../test/corpus/mime.ts';

const answers = Array.from(MIME_CORPUS, ([name, message]) => [name, answersOf(message)]);
writeFileSync(FROZEN, `${JSON.stringify(Object.fromEntries(answers), null, 2)}\n`);
