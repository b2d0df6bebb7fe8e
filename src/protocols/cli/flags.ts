/**
 * What the flags of each command say, once they are read.
 */

export interface LocalserveFlags {
  readonly dir: string;
  readonly ip: string;
  readonly initOnly: boolean;
  readonly limits: boolean;
  readonly logLevel?: string;
}

export interface DataFlags {
  readonly dir: string;
  readonly json: boolean;
}

export interface TailFlags extends DataFlags {
  readonly account?: number;
  readonly type?: string;
  readonly after?: number;
  readonly follow: boolean;
}
