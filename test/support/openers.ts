/**
 * What the command line is given, none of it to be used: tests put in its place what they need.
 */

import assert from 'node:assert/strict';
import type { ControlledParts } from '#protocols/cli/control-commands';
import type { Openers, Terminal } from '#protocols/cli/openers';

const unused = (): never => assert.fail('not to be used here');

export const NO_OPENERS: Openers = {
  prepareLocal: unused,
  openLocalServer: unused,
  openWorldServer: unused,
  openStore: unused,
  backup: unused,
  restore: unused,
  verifyBackup: unused,
  tailLog: unused,
  openControl: unused,
  openSubmission: unused,
  defaultDir: () => 'here',
  version: () => '1.2.3',
};

export const NO_TERMINAL: Terminal = {
  out: unused,
  err: unused,
  input: unused,
  password: unused,
  stopAsked: unused,
};

export const NO_PARTS: ControlledParts = {
  accounts: { get: unused, change: unused },
  keys: { add: unused, change: unused, remove: unused, get: unused, list: unused },
  attempts: { list: unused },
  tlsResults: { list: unused },
};
