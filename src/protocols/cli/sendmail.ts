/**
 * `sendmail`: hands in a message from standard input at the server of the user, so that programs on
 * machines without a mail server can send mail.
 *
 * Invariant: what came in and was not taken is kept, for every recipient that it was not taken for.
 * Diagnostics: 0 all taken, 1 not taken and kept, 2 wrong usage.
 *
 * RFC 6409 (submission), RFC 8689 (REQUIRETLS)
 */

import { MESSAGE_BYTES_MAX } from '../limits.ts';
import { openSmtpClient } from '../smtp/client.ts';
import { SmtpClientError } from '../smtp/client-error.ts';
import { STRONG_MECHANISMS } from '../smtp/client-login.ts';
import type { SmtpClient } from '../smtp/client-session.ts';
import type { Openers, Terminal } from './openers.ts';
import { parseSendmailArgs } from './sendmail-args.ts';
import { addressesIn, composed, readGiven, recipientsIn } from './sendmail-message.ts';
import type { KeptMessage, Submission, SubmissionSettings } from './submission.ts';

const FAILED = 1;
const WRONG_USAGE = 2;
const ALL_MS = 3 * 60_000;

/** Resolves with the exit code. */
export async function sendmail(
  args: readonly string[],
  terminal: Terminal,
  openers: Openers,
): Promise<number> {
  const parsed = parseSendmailArgs(args);
  if (typeof parsed === 'string') return wrongUsage(terminal, parsed);
  if (parsed.sendsKept) return await sendKept(terminal, await openers.openSubmission(parsed.file));
  if (parsed.recipients.length === 0 && !parsed.readsRecipients) {
    return wrongUsage(terminal, 'To whom? Name recipients, or read them from the message with -t.');
  }
  const submission = await openers.openSubmission(parsed.file);
  const octets = await submission.message(MESSAGE_BYTES_MAX);
  const inMessage = parsed.readsRecipients ? recipientsIn(readGiven(octets)) : [];
  const all = [...parsed.recipients.flatMap(addressesIn), ...inMessage];
  const { defaultDestination } = submission.settings;
  const recipients = new Set(
    all.map((one) => (one.includes('@') ? one : (defaultDestination ?? one))),
  );
  if (recipients.size === 0) return wrongUsage(terminal, 'The message has no recipients.');
  const { fromName } = parsed;
  const message = { octets, fromName, recipients: [...recipients] };
  const problems = await send(message, submission);
  if (problems.size === 0) return 0;
  const file = await submission.keep({ ...message, recipients: [...problems.keys()] });
  terminal.err(`sendmail: ${sentence(problems)}; the message is kept in ${file}`);
  return FAILED;
}

function wrongUsage(terminal: Terminal, problem: string): number {
  terminal.err(`sendmail: ${problem}`);
  return WRONG_USAGE;
}

/** What was not taken stays, with the recipients that are left. */
async function sendKept(terminal: Terminal, submission: Submission): Promise<number> {
  let exitCode = 0;
  for await (const { file, message } of submission.kept()) {
    const problems = await send(message, submission);
    if (problems.size > 0) {
      exitCode = FAILED;
      const left = [...problems.keys()];
      const isLess = left.length < message.recipients.length;
      const place = isLess ? await submission.keep({ ...message, recipients: left }) : file;
      terminal.err(`sendmail: ${place}: ${sentence(problems)}`);
      if (!isLess) continue;
    }
    await submission.forget(file);
  }
  return exitCode;
}

function sentence(problems: ReadonlyMap<string, string>): string {
  const texts = new Set(problems.values());
  const [one = ''] = texts;
  if (texts.size === 1) return one;
  return [...problems].map(([recipient, problem]) => `${recipient}: ${problem}`).join('; ');
}

/** Gives what went wrong, by recipient. */
async function send(
  message: KeptMessage,
  submission: Submission,
): Promise<ReadonlyMap<string, string>> {
  const { clock, settings } = submission;
  const control = new AbortController();
  const cancelTimer = clock.after(ALL_MS, () => control.abort());
  try {
    await using client = await connected(submission, control.signal);
    await logIn(client, settings, control.signal);
    const octets = composed(readGiven(message.octets), { ...submission, ...withName(message) });
    const { recipients } = await client.deliver({
      mailFrom: settings.from,
      recipients: message.recipients.map((address) => ({ address })),
      body: async function* () {
        yield octets;
      },
      requireTls: settings.requireTls === true,
      signal: control.signal,
    });
    await client.quit();
    const failed = recipients.filter((one) => one.type === 'failed');
    return new Map(failed.map(({ address, error }) => [address, error.message]));
  } catch (error) {
    if (!(error instanceof SmtpClientError)) throw error;
    return new Map(message.recipients.map((recipient) => [recipient, error.message]));
  } finally {
    cancelTimer();
  }
}

function withName({ fromName, recipients }: KeptMessage): {
  readonly fromName: string | undefined;
  readonly recipients: readonly string[];
} {
  return { fromName, recipients };
}

async function connected(submission: Submission, signal: AbortSignal): Promise<SmtpClient> {
  const { clock, random, log, dialer, settings } = submission;
  const { host, port, hostName, tls, clientKey } = settings;
  return await openSmtpClient({
    clock,
    random,
    log,
    dialer,
    host,
    port,
    hostName,
    tls,
    trust: { anyCertificate: settings.anyCertificate },
    ...(clientKey !== undefined && { clientKey }),
    signal,
  });
}

async function logIn(
  client: SmtpClient,
  { login, password, mechanism }: SubmissionSettings,
  signal: AbortSignal,
): Promise<void> {
  await client.authenticate({
    login,
    ...(password !== undefined && { password }),
    mechanisms: mechanism === undefined ? [...STRONG_MECHANISMS, 'PLAIN'] : [mechanism],
    // Who names the mechanism, and has no TLS, wants it so.
    passwordsInClear: mechanism !== undefined,
    signal,
  });
}
