/**
 * Ways for outgoing mail, as the configuration names them and routes choose them.
 */

import type { ClientKey } from '../ports.ts';

export type Transport = DirectTransport | RelayTransport | FailTransport;

/** To the hosts of the recipient's domain. */
export interface DirectTransport {
  readonly type: 'direct';
  readonly families: readonly AddressFamily[];
  /** Connections go through this SOCKS5 server, and come from there. */
  readonly proxy?: SocksProxy;
}

export type AddressFamily = 'ipv4' | 'ipv6';

export interface SocksProxy {
  readonly host: string;
  readonly port: number;
  /** What we call ourselves behind it. */
  readonly hostName: string;
}

/** To one server that takes all mail and passes it on. */
export interface RelayTransport {
  readonly type: 'relay';
  readonly host: string;
  readonly port: number;
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** Protects from listeners, not from somebody in between. */
  readonly anyCertificate: boolean;
  readonly auth?: RelayAuth;
  readonly clientKey?: ClientKey;
}

export interface RelayAuth {
  readonly login: string;
  readonly password: string;
  /** In the order in which they are tried; the strong ones when absent. */
  readonly mechanisms?: readonly string[];
}

/** Every attempt fails with this answer. */
export interface FailTransport {
  readonly type: 'fail';
  /** 400 … 599; from 500 on it is final. */
  readonly code: number;
  readonly text: string;
}

export const DIRECT: DirectTransport = { type: 'direct', families: ['ipv4', 'ipv6'] };
