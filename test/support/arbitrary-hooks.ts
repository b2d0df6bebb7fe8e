/**
 * Random commands about webhooks, drawn from numbers as in `arbitrary.ts`: about those that wait,
 * are under way, or are gone.
 */

import type { Draw } from './arbitrary.ts';
import { BUSY, hookId, TAKEN } from './hooks.ts';
import type { AccountCommand } from '#domain/account';
import type { AccountRecords } from '#domain/account-state';
import type { HookId } from '#domain/values/ids';

const OTHERS = [
  'ForgetRetired',
  'CloseInterruptedWebhooks',
  'ForgetRetired',
  'RenumberMailboxes',
] as const;

export function hookCommandOf(draw: Draw, state: AccountRecords): AccountCommand {
  const { hooks } = state.webhookRecords;
  const all = [...hooks.values()];
  const free = all.filter(({ inFlight }) => !inFlight);
  const open = state.openWebhooks();
  const hookIds = all.filter((_, i) => (draw.bits >> (i % 20)) & 1).map((hook) => hook.hookId);
  switch (draw.kind % 8) {
    case 0:
    case 1:
    case 2: {
      const one: HookId = free[draw.a % Math.max(1, free.length)]?.hookId ?? hookId(1);
      return { type: 'StartWebhookAttempt', hookId: one, draw: draw.c / 1000 };
    }
    case 3:
    case 4: {
      const one = open[draw.a % Math.max(1, open.length)];
      return {
        type: 'FinishWebhookAttempt',
        hookId: one?.hookId ?? hookId(1),
        attempt: (one?.attempts ?? 1) + (draw.b % 11 === 0 ? 1 : 0),
        answer: draw.c % 3 === 0 ? TAKEN : { ...BUSY, code: draw.c % 2 === 0 ? 0 : 500 },
      };
    }
    case 5: {
      const to = draw.c % 2 === 0 ? { at: 1_000_000_000 } : { byMs: (draw.b - 500) * 1_000 };
      return { type: 'RescheduleWebhooks', hookIds, to };
    }
    case 6:
      return draw.c % 4 === 0
        ? { type: 'CancelWebhooks', hookIds: [...hookIds, ...hookIds.slice(0, 1), 1] }
        : { type: 'RescheduleWebhooks', hookIds, to: { at: 1_000_000_000 } };
    default:
      return { type: OTHERS[draw.c % OTHERS.length] ?? 'ForgetRetired' };
  }
}
