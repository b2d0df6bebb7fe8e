/**
 * The command line of sendmail, as programs have called it for decades.
 *
 * Flags that mean nothing here are taken and left unused, so that callers need not be changed.
 */

export interface SendmailArgs {
  /** `-F`: the name in From. */
  readonly fromName: string | undefined;
  /** `-t`: recipients stand in the message too. */
  readonly readsRecipients: boolean;
  /** `-q`: nothing but what was kept is sent. */
  readonly sendsKept: boolean;
  /** `--config` */
  readonly file: string | undefined;
  readonly recipients: readonly string[];
}

/** Flags with a value, attached or as the next argument. `-f`: the sender is configured. */
const WITH_VALUE = 'BCFLNORVXfhopr';
/** Other things that sendmail does: not here. */
const NOT_HERE = /^-b[^m]/;

/** Gives a sentence when the command line cannot be understood. */
export function parseSendmailArgs(args: readonly string[]): SendmailArgs | string {
  const rest = [...args];
  const recipients: string[] = [];
  let fromName: string | undefined;
  let readsRecipients = false;
  let sendsKept = false;
  let file: string | undefined;
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      recipients.push(...rest.splice(0));
    } else if (!/^-./.test(arg)) {
      recipients.push(arg);
    } else if (arg === '--config' || arg.startsWith('--config=')) {
      file = arg === '--config' ? rest.shift() : arg.slice('--config='.length);
      if (!file) return 'Behind --config there is no file.';
    } else if (arg.startsWith('--') || NOT_HERE.test(arg)) {
      return `${arg} is not known here.`;
    } else if (WITH_VALUE.includes(arg[1] ?? '')) {
      const value = arg.length > 2 ? arg.slice(2) : rest.shift();
      if (value === undefined) return `Behind ${arg} there is nothing.`;
      if (arg[1] === 'F') fromName = value;
    } else {
      readsRecipients ||= arg.includes('t');
      sendsKept ||= arg.startsWith('-q');
    }
  }
  return { fromName, readsRecipients, sendsKept, file, recipients };
}
