/**
 * The words of NOTIFY, behind tag and verb.
 *
 * Diagnostics: an event that we cannot tell of makes the whole command one to be refused, not one
 * that cannot be read, whatever else is wrong with what it asks for.
 *
 * RFC 5465 §3.1, §8
 */

import { IMAP_NOTIFY_GROUPS_MAX } from '../limits.ts';
import { fetchItems } from './fetch-items.ts';
import { mailboxFilter } from './mailbox-filter.ts';
import { BadSyntax, type Parser } from './parser.ts';
import {
  NOTIFY_EVENTS,
  type FetchItem,
  type NotifyEvent,
  type NotifyGroup,
  type NotifySelected,
  type NotifyWords,
} from './words.ts';

const NO_EVENTS: ReadonlySet<NotifyEvent> = new Set();
const MESSAGE_EVENTS: ReadonlySet<NotifyEvent> = new Set([
  'MessageNew',
  'MessageExpunge',
  'FlagChange',
]);

/** RFC 5465 §5.2: what is told of a new message when nothing is asked for. */
const DEFAULT_ITEMS: readonly FetchItem[] = [{ type: 'UID' }, { type: 'FLAGS' }];

const EVENT_BY_WORD: ReadonlyMap<string, NotifyEvent> = new Map(
  NOTIFY_EVENTS.map((event) => [event.toUpperCase(), event]),
);

/** The events behind a filter, as they stand there. */
interface EventWords {
  readonly events: ReadonlySet<NotifyEvent>;
  readonly items?: readonly FetchItem[];
  readonly unknown: boolean;
}

interface GroupWords extends EventWords {
  readonly selected: 'no' | 'at once' | 'delayed';
  readonly group: NotifyGroup;
}

export function notify(p: Parser): NotifyWords | 'unknown-event' {
  p.space();
  if (p.tryWord('NONE')) {
    p.end();
    return { status: false, groups: [] };
  }
  if (!p.tryWord('SET')) throw new BadSyntax('Expected NONE or SET.');
  p.space();
  const status = p.tryWord('STATUS');
  if (status) p.space();
  const groups: GroupWords[] = [];
  do {
    groups.push(groupWords(p));
    if (groups.length > IMAP_NOTIFY_GROUPS_MAX) throw new BadSyntax('There are too many groups.');
  } while (p.trySpace());
  p.end();
  if (groups.some(({ unknown }) => unknown)) return 'unknown-event';
  for (const group of groups) check(group);
  const selected = groups.filter((group) => group.selected !== 'no');
  // RFC 5465 §6.1
  if (selected.length > 1) throw new BadSyntax('Only one group is for the selected mailbox.');
  return {
    status,
    ...(selected[0] !== undefined && { selected: selectedWords(selected[0]) }),
    groups: groups.filter((each) => each.selected === 'no').map(({ group }) => group),
  };
}

function groupWords(p: Parser): GroupWords {
  p.expect('(');
  const name = p.word();
  const isSelected = name === 'SELECTED' || name === 'SELECTED-DELAYED';
  const filter = isSelected ? { type: 'personal' as const } : mailboxFilter(name, p);
  p.space();
  const words = eventWords(p);
  p.expect(')');
  const selected = !isSelected ? 'no' : name === 'SELECTED' ? 'at once' : 'delayed';
  return { ...words, selected, group: { filter, events: words.events } };
}

function eventWords(p: Parser): EventWords {
  if (p.tryWord('NONE')) return { events: NO_EVENTS, unknown: false };
  const events = new Set<NotifyEvent>();
  let items: readonly FetchItem[] | undefined;
  let unknown = false;
  p.expect('(');
  for (let more = true; more;) {
    const event = EVENT_BY_WORD.get(p.atom().toUpperCase());
    if (event === undefined) unknown = true;
    else events.add(event);
    more = p.trySpace();
    if (!more || event !== 'MessageNew' || !p.sees('(')) continue;
    items = fetchItems(p);
    more = p.trySpace();
  }
  p.expect(')');
  return { events, ...(items !== undefined && { items }), unknown };
}

/** RFC 5465 §5, §6.1, §8: what may not be asked for together. */
function check({ events, items, selected }: GroupWords): void {
  if (events.has('MessageNew') !== events.has('MessageExpunge')) {
    throw new BadSyntax('MessageNew and MessageExpunge go together.');
  }
  if (events.has('FlagChange') && !events.has('MessageNew')) {
    throw new BadSyntax('FlagChange needs MessageNew and MessageExpunge.');
  }
  if (selected === 'no') {
    if (items !== undefined) throw new BadSyntax('Only what is selected can be fetched from.');
    return;
  }
  for (const event of events) {
    if (!MESSAGE_EVENTS.has(event)) {
      throw new BadSyntax('Of the selected mailbox, only messages can be asked for.');
    }
  }
}

function selectedWords({ events, items, selected }: GroupWords): NotifySelected {
  return { delayed: selected === 'delayed', events, items: items ?? DEFAULT_ITEMS };
}
