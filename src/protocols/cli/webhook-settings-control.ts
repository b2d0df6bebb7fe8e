/**
 * What the running server does to the webhook settings of accounts when the command line asks it.
 *
 * Diagnostics: an Authorization that cannot stand in a header is refused, and not repeated.
 */

import type { AdministeredAccount } from '../ports-admin.ts';
import type { AdministeredWebhookSettings, HookDirection } from '../ports-webhook.ts';
import { accountShown } from './account-record.ts';
import { ControlError, type ControlCommand } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { ControlFields } from './control-fields.ts';

const AUTHORIZATION_CHARS_MAX = 4096;
/** RFC 9110 §5.5: what a field may hold; blanks around it would not arrive. */
const FIELD_VALUE = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

type Carry = (
  fields: ControlFields,
  webhooks: AdministeredWebhookSettings,
) => Promise<AdministeredAccount>;

const COMMANDS: Readonly<Record<string, Carry>> = {
  'webhook.set': async (fields, webhooks) => {
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
    return granted(await webhooks.set(account, direction, changes, CAUSE));
  },
  'webhook.remove': async (fields, webhooks) => {
    const account = fields.text('account');
    const direction = readDirection(fields);
    fields.end();
    return granted(await webhooks.remove(account, direction, CAUSE));
  },
};

export function webhookSettingsCommands(
  webhooks: AdministeredWebhookSettings,
): readonly (readonly [string, ControlCommand])[] {
  return Object.entries(COMMANDS).map(([name, carry]) => [
    name,
    async (given) => accountShown(await carry(new ControlFields(given), webhooks)),
  ]);
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
