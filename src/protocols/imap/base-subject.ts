/**
 * The base subject: what is left of a subject without `Re:`, `Fwd:`, `(fwd)`, `[list]` and so on.
 *
 * The steps are those of RFC 5256 §2.1, which every server and every client must take in the same
 * way; their numbers stand beside them. The text is given with its encoded words decoded,
 * and of bounded length: one of nothing but `[x][x]…` takes the square of it.
 */

export interface BaseSubject {
  readonly text: string;
  /** RFC 5256 §2.1: what marks a reply or a forward was removed; the name of a list does not. */
  readonly isReply: boolean;
}

/** RFC 5256 §5 subj-blob, BLOBCHAR */
const BLOB = /^\[[^[\]]*\] */;
/** RFC 5256 §5 subj-leader: names of lists and then subj-refwd, or a space. */
const LEADER = /^(?:(?:\[[^[\]]*\] *)*(?:re|fwd?) *(?:\[[^[\]]*\] *)?:| )/i;
const TRAILER = '(fwd)';
const FORWARD_START = '[fwd:';

export function baseSubject(subject: string): BaseSubject {
  // (1) Continuations are unfolded already.
  let text = subject.replace(/[\t\r\n ]+/g, ' ');
  let isReply = false;
  for (;;) {
    // (2)
    for (;;) {
      if (text.endsWith(' ')) text = text.slice(0, -1);
      else if (text.slice(-TRAILER.length).toLowerCase() === TRAILER) {
        text = text.slice(0, -TRAILER.length);
        isReply = true;
      } else break;
    }
    // (3) to (5)
    const led = withoutLeaders(text);
    text = led.text;
    isReply ||= led.isReply;
    // (6)
    const isForward =
      text.endsWith(']') && text.slice(0, FORWARD_START.length).toLowerCase() === FORWARD_START;
    if (!isForward) return { text, isReply };
    text = text.slice(FORWARD_START.length, -1);
    isReply = true;
  }
}

function withoutLeaders(subject: string): BaseSubject {
  let text = subject;
  let isReply = false;
  for (;;) {
    const leader = LEADER.exec(text);
    if (leader !== null) {
      text = text.slice(leader[0].length);
      isReply ||= leader[0] !== ' ';
      continue;
    }
    // (4) The last blob stays when nothing else is there.
    const blob = BLOB.exec(text);
    if (blob === null || blob[0].length === text.length) return { text, isReply };
    text = text.slice(blob[0].length);
  }
}
