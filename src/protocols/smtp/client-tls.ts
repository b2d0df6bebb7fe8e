/**
 * What is to be thought of a server's certificates: the usual check, whoever else judges them, and
 * what a TLS report calls it.
 *
 * RFC 8460 §4.3
 */

import type { ServerCertificates, TlsTrust } from '../ports.ts';
import type { TlsProblem } from './client-error.ts';

/** What the handshake has shown. */
export interface TlsOpinion {
  problem: TlsProblem | undefined;
}

const PROBLEMS: Readonly<Record<string, TlsProblem>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-host-mismatch',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-expired',
};

const SENTENCES: Readonly<Partial<Record<TlsProblem, string>>> = {
  'certificate-host-mismatch': 'The certificate is for another name.',
  'certificate-expired': 'The certificate is not valid at this time.',
};

/** The same trust; what the usual check says is noted in any case. */
export function notedTrust(trust: TlsTrust, opinion: TlsOpinion): TlsTrust {
  return {
    ...trust,
    judge: (shown) => {
      opinion.problem = problemOf(shown);
      const objection =
        trust.judge === undefined ? usualObjection(shown, trust) : trust.judge(shown);
      if (objection !== undefined) opinion.problem ??= 'validation-failure';
      return objection;
    },
  };
}

function problemOf({ problem }: ServerCertificates): TlsProblem | undefined {
  return problem === undefined ? undefined : tlsProblemOf(problem);
}

/** What the usual check calls `CERT_HAS_EXPIRED`, in the words of reports. */
export function tlsProblemOf(code: string): TlsProblem {
  return PROBLEMS[code] ?? 'certificate-not-trusted';
}

function usualObjection(shown: ServerCertificates, trust: TlsTrust): string | undefined {
  const problem = problemOf(shown);
  if (problem === undefined || trust.anyCertificate === true) return undefined;
  return SENTENCES[problem] ?? `The certificate is not trusted (${shown.problem}).`;
}
