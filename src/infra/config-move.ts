/**
 * The configuration of a server that lies somewhere else now.
 */

import path from 'node:path';
import { parseDocument } from 'yaml';

const DATA_DIR = '../data';

export interface MovedConfig {
  readonly text: string;
  readonly secretsKeyFile: string;
}

/** The data are beside the configuration, wherever they were; all else stays as it was written. */
export function movedConfig(text: string): MovedConfig {
  const document = parseDocument(text);
  const dataDir: unknown = document.get('DataDir');
  const secretsKeyFile = String(document.get('SecretsKeyFile'));
  const isThere = path.posix.normalize(String(dataDir)).replace(/\/$/, '') === DATA_DIR;
  if (isThere) return { text, secretsKeyFile };
  document.set('DataDir', DATA_DIR);
  return { text: document.toString(), secretsKeyFile };
}
