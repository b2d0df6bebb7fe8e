/**
 * Patterns of LIST: `%` is anything within one level, `*` anything at all.
 *
 * Matching takes time in proportion to name × pattern, whatever the pattern.
 * RFC 9051 §6.3.9
 */

import { HIERARCHY_SEPARATOR, INBOX, MAILBOX_NAME_BYTES_MAX } from '#domain/values/mailbox-name';

/** The test of a pattern under a reference; the reference is joined with a separator. */
export function namePattern(reference: string, pattern: string): (name: string) => boolean {
  const joint = reference === '' || reference.endsWith(HIERARCHY_SEPARATOR) ? '' : '/';
  const whole = `${reference}${joint}${pattern}`.replace(/[*%]*\*[*%]*/g, '*').replace(/%+/g, '%');
  // No name is so long; and time follows the length of the pattern.
  if (whole.replace(/[*%]/g, '').length > MAILBOX_NAME_BYTES_MAX) return () => false;
  if (whole === '*') return () => true;
  // RFC 9051 §5.1: `inbox` in any case is Inbox, as a first component; so it may go on with a
  // wildcard, too, but other names that begin like that are as they are written.
  const ofInbox = /^inbox(?=$|[/*%])/i.test(whole) ? INBOX + whole.slice(INBOX.length) : undefined;
  return (name) => fits(name, isInbox(name) && ofInbox !== undefined ? ofInbox : whole);
}

function isInbox(name: string): boolean {
  return name === INBOX || name.startsWith(INBOX + HIERARCHY_SEPARATOR);
}

/** Steps through the name with every place in the pattern that it may have reached. */
function fits(name: string, pattern: string): boolean {
  let reached = new Uint8Array(pattern.length + 1);
  let next = new Uint8Array(pattern.length + 1);
  reached[0] = 1;
  for (let at = 0; at < name.length; at++) {
    const char = name[at];
    let alive = false;
    next.fill(0);
    for (let place = 0; place < pattern.length; place++) {
      if (reached[place] === 0) continue;
      const wanted = pattern[place];
      if (wanted === '*' || wanted === '%') {
        // A wildcard may stand for nothing.
        reached[place + 1] = 1;
        if (wanted === '%' && char === HIERARCHY_SEPARATOR) continue;
        next[place] = 1;
      } else if (wanted === char) {
        next[place + 1] = 1;
      } else {
        continue;
      }
      alive = true;
    }
    if (!alive) return false;
    [reached, next] = [next, reached];
  }
  for (let place = 0; place < pattern.length; place++) {
    if (reached[place] === 1 && /[*%]/.test(pattern[place] ?? '')) reached[place + 1] = 1;
  }
  return reached[pattern.length] === 1;
}
