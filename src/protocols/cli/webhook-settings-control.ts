/**
 * What the running server does to the webhook settings of accounts when the command line asks it.
 *
 * Diagnostics: an Authorization that cannot stand in a header is refused, and not repeated.
 */

import type { AdministeredAccounts } from '../ports-admin.ts';
import type {
  AdministeredWebhookSettings,
  HookAuthorizations,
  HookDirection,
} from '../ports-webhook.ts';
import type { HookClientPorts } from '../webhook/client.ts';
import { testHook } from '../webhook/test-call.ts';
import { accountShown, type ShownAccount } from './account-record.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';

const AUTHORIZATION_CHARS_MAX = 4096;
/** RFC 9110 §5.5: what a field may hold; blanks around it would not arrive. */
const FIELD_VALUE = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/** What came of a call, as it goes over the control socket, and into `--json`. */
export interface TestCallRecord {
  /** 0 when there was no answer. */
  readonly Code: number;
  readonly Error: string;
  /** The beginning of the answer. */
  readonly Response: string;
}

export interface WebhookSettingsParts {
  readonly webhooks: AdministeredWebhookSettings;
  readonly accounts: Pick<AdministeredAccounts, 'get'>;
  readonly authorizations: HookAuthorizations;
  readonly client: HookClientPorts;
}

const COMMANDS: CommandTable<WebhookSettingsParts> = {
  'webhook.set': async (fields, { webhooks }): Promise<ShownAccount> => {
    const account = fields.text('account');
    const direction = readDirection(fields);
    const url = fields.optionalText('url');
    const authorization = fields.optionalText('authorization');
    const events = fields.optionalTexts('events');
    fields.end();
    requireFieldValue(authorization);
    if (events !== undefined && direction === 'incoming') {
      throw new ControlError('BadRequest', 'All mail that comes in is told of: it has no events.');
    }
    const changes = {
      ...(url === undefined ? {} : { url }),
      ...(authorization === undefined ? {} : { authorization }),
      ...(events === undefined ? {} : { events }),
    };
    return accountShown(granted(await webhooks.set(account, direction, changes, CAUSE)));
  },
  'webhook.remove': async (fields, { webhooks }): Promise<ShownAccount> => {
    const account = fields.text('account');
    const direction = readDirection(fields);
    fields.end();
    return accountShown(granted(await webhooks.remove(account, direction, CAUSE)));
  },
  'webhook.test': async (fields, { accounts, authorizations, client }): Promise<TestCallRecord> => {
    const name = fields.text('account');
    const direction = readDirection(fields);
    fields.end();
    const { settings } = granted(await accounts.get(name));
    const target = direction === 'outgoing' ? settings.outgoingWebhook : settings.incomingWebhook;
    if (target === null) {
      const sentence = `Nobody is called about ${direction} mail of ${name}.`;
      throw new ControlError('NoWebhook', sentence);
    }
    const { url, authorization: secret } = target;
    const authorization = secret && (await authorizations.text(secret));
    const { code, error, response } = await testHook(direction, { url, authorization }, client);
    return { Code: code, Error: error, Response: response };
  },
};

export function webhookSettingsCommands(parts: WebhookSettingsParts): ControlCommands {
  return commandsOf(COMMANDS, parts);
}

function readDirection(fields: ControlFields): HookDirection {
  const direction = fields.text('direction');
  if (direction === 'outgoing' || direction === 'incoming') return direction;
  throw new ControlError('BadRequest', 'The field direction must be outgoing or incoming.');
}

function requireFieldValue(text: string | undefined): void {
  if (text === undefined) return;
  if (text.length <= AUTHORIZATION_CHARS_MAX && FIELD_VALUE.test(text)) return;
  const sentence =
    'The Authorization must be one line of ASCII, ' +
    `of ${AUTHORIZATION_CHARS_MAX} characters at most.`;
  throw new ControlError('BadAuthorization', sentence);
}
