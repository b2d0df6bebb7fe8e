/**
 * The world failed: disk, peer, too much contention. Thrown, and caught at the edge of a room,
 * where it becomes a temporary error in the protocol's terms (IMAP NO [UNAVAILABLE], SMTP 451).
 */

export type FaultCode =
  | 'LogUnavailable'
  | 'StreamDropped'
  | 'ViewsUnavailable'
  | 'AppendTooLarge'
  | 'DiskFull'
  | 'BodyTooLarge'
  | 'BodyMissing'
  | 'LaneBusy'
  | 'ConflictsSpent'
  | 'SecretUnreadable'
  | 'LoginsBusy'
  | 'CannotListen'
  | 'CannotConnect'
  | 'TlsHandshakeFailed'
  | 'Closing';

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  /** True when the same request may succeed later. */
  readonly temporary: boolean;

  constructor(
    code: FaultCode,
    message: string,
    options: { cause?: unknown; temporary?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.temporary = options.temporary ?? true;
  }
}
