/** Who may read the metrics, and over what: the files that [metrics] names, read and tried. */
import type { MetricsPlan } from '../../config/plan.ts';
import type { MetricsServerOptions } from '../../http/metrics-server.ts';
import { readIdentity, readSettingFile, type SettingFile, unusable } from '../setting-files.ts';

export type MetricsAccess = Pick<MetricsServerOptions, 'token' | 'tls'>;

/** Too many to be guessed over a network. */
const MIN_TOKEN_LENGTH = 16;

/** What can follow `Bearer` (RFC 6750 section 2.1). */
const TOKEN = /^[\w.~+/-]+=*$/;

/** Throws OperationalError, with the file and the reason, when one of the files cannot be used. */
export function readMetricsAccess({ tokenFile, tls }: MetricsPlan): MetricsAccess {
  return {
    token: tokenFile === null ? null : readToken(fileOf('token_file', tokenFile)),
    tls: tls === null ? null : readIdentity(fileOf('certificate', tls.certificate), fileOf('key', tls.key)),
  };
}

function readToken(file: SettingFile): string {
  const token = readSettingFile(file).trim();
  if (token.length < MIN_TOKEN_LENGTH || !TOKEN.test(token)) {
    throw unusable(
      file,
      `it holds no token of ${MIN_TOKEN_LENGTH} or more letters, digits and -._~+/`,
      `make one with: openssl rand -hex 32 > ${file.path}`,
    );
  }
  return token;
}

function fileOf(setting: string, path: string): SettingFile {
  return { path, setting, section: '[metrics]' };
}
