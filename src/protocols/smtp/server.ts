/**
 * We are called: from connections to conversations, and the end of all of them.
 *
 * Our own front end in place of the package smtp-server: docs/adr/0013-smtp-front-end.md.
 *
 * Invariants: a connection that may not come in hears 421 and nothing else; every admitted one is
 * released exactly once; a bug ends its own connection only.
 */

import { SMTP_STOP_MS } from '../limits.ts';
import type { Wire } from '../ports.ts';
import { Channel } from './channel.ts';
import { converse } from './connection.ts';
import { formatReply, reply } from './reply.ts';
import { openSession, type SmtpPorts, type SmtpSettings } from './session.ts';
import { SplitMail } from './split-mail.ts';

const RECEIPT_BYTES = 9;

export interface SmtpServer {
  /** Talks on a connection; resolves when the conversation is over. */
  serve(wire: Wire): Promise<void>;
  /** Ends all conversations, those in the middle of a message within seconds. */
  close(): Promise<void>;
}

export function openSmtpServer(settings: SmtpSettings, ports: SmtpPorts): SmtpServer {
  const { clock, random, rates, log } = ports;
  const running = new Map<Channel, Promise<void>>();
  const splitMail = new SplitMail();
  let closed = false;

  function newReceipt(): string {
    return random.bytes(RECEIPT_BYTES).toString('base64url');
  }

  function turnAway(wire: Wire, code: string, sentence: string): void {
    const channel = new Channel(wire, clock);
    channel.send(formatReply(reply(421, code, sentence), newReceipt()));
    channel.end();
  }

  async function talk(channel: Channel): Promise<void> {
    const receipt = newReceipt();
    const { remoteIp } = channel;
    log.debug({ receipt, ip: remoteIp, role: settings.role }, 'smtp connection');
    try {
      await converse(openSession(settings, ports, channel, receipt, splitMail));
    } catch (error) {
      log.error({ receipt, err: error }, 'smtp connection dropped by a bug');
      channel.destroy();
    } finally {
      rates.releaseConnection(remoteIp);
      running.delete(channel);
    }
  }

  return {
    async serve(wire) {
      if (closed) return turnAway(wire, '4.3.2', 'The server is about to stop.');
      if (!rates.admitConnection(wire.remoteIp)) {
        return turnAway(wire, '4.7.0', 'There are too many connections from your network.');
      }
      if (settings.role === 'submission' && !rates.mayLogin(wire.remoteIp)) {
        rates.releaseConnection(wire.remoteIp);
        return turnAway(wire, '4.7.0', 'Too many logins failed, please try again later.');
      }
      const channel = new Channel(wire, clock);
      const conversation = talk(channel);
      running.set(channel, conversation);
      await conversation;
    },

    async close() {
      closed = true;
      const conversations = [...running.values()];
      for (const channel of running.keys()) channel.stop();
      const cancel = clock.after(SMTP_STOP_MS, () => {
        for (const channel of running.keys()) channel.abandon();
      });
      await Promise.all(conversations);
      cancel();
    },
  };
}
