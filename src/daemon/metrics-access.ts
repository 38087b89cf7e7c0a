/** Who may read the metrics, and over what: the files that [metrics] names, read and tried. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { MetricsPlan } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import type { MetricsServerOptions } from '../http/metrics-server.ts';

export type MetricsAccess = Pick<MetricsServerOptions, 'token' | 'tls'>;

/** Longer files are no certificates, keys or tokens. */
const MAX_FILE_BYTES = 256 * 1024;

/** Too many to be guessed over a network. */
const MIN_TOKEN_LENGTH = 16;

/** What can follow `Bearer` (RFC 6750 section 2.1). */
const TOKEN = /^[\w.~+/-]+=*$/;

/** Throws OperationalError, with the file and the reason, when one of the files cannot be used. */
export function readMetricsAccess({ tokenFile, tls }: MetricsPlan): MetricsAccess {
  return {
    token: tokenFile === null ? null : readToken(tokenFile),
    tls: tls === null ? null : readIdentity(tls),
  };
}

function readToken(path: string): string {
  const token = read(path, 'token_file').trim();
  if (token.length < MIN_TOKEN_LENGTH || !TOKEN.test(token)) {
    throw unusable(
      path,
      'token_file',
      `it holds no token of ${MIN_TOKEN_LENGTH} or more letters, digits and -._~+/`,
      `make one with: openssl rand -hex 32 > ${path}`,
    );
  }
  return token;
}

function readIdentity(files: { readonly certificate: string; readonly key: string }) {
  const certificate = read(files.certificate, 'certificate');
  const key = read(files.key, 'key');
  const parsed = attempt(files.certificate, 'certificate', () => new X509Certificate(certificate));
  const parsedKey: KeyObject = attempt(files.key, 'key', () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(parsedKey)) {
    throw unusable(files.key, 'key', `it does not belong to the certificate in ${files.certificate}`);
  }
  attempt(files.certificate, 'certificate', () => createSecureContext({ cert: certificate, key }));
  return { certificate, key };
}

/** Reads plain files only: a pipe without a writer would hold up the daemon. */
function read(path: string, setting: string): string {
  return attempt(path, setting, () => {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(file).isFile()) throw new Error('it is no plain file');
      const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
      const length = readSync(file, buffer);
      if (length > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
      return buffer.toString('latin1', 0, length);
    } finally {
      closeSync(file);
    }
  });
}

function attempt<Value>(path: string, setting: string, deed: () => Value): Value {
  try {
    return deed();
  } catch (cause) {
    throw unusable(path, setting, (cause as Error).message);
  }
}

function unusable(path: string, setting: string, reason: string, advice = ''): OperationalError {
  return new OperationalError(`cannot use ${setting} ${path}: ${reason}`, {
    code: 'metrics-access',
    advice: advice === '' ? `correct ${setting} in [metrics], or the file, then: bailiff reload` : advice,
  });
}
