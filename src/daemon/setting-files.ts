/** Files that the configuration names: certificates, keys, tokens. Read whole, and tried before they are used. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { OperationalError } from '../core/errors.ts';
import type { Microseconds } from '../core/time.ts';

/** A file, and the setting that names it: `certificate` in `[metrics]`. */
export type SettingFile = { readonly path: string; readonly setting: string; readonly section: string };

/** The error of a file that cannot be used. */
export const UNUSABLE_FILE = 'unusable-file';

/** Longer files are no certificates, keys or tokens. */
const MAX_FILE_BYTES = 256 * 1024;

/** Reads plain files only: a pipe without a writer would hold up the daemon. As all here it throws OperationalError. */
export function readSettingFile(file: SettingFile): string {
  return attempt(file, () => {
    const descriptor = openSync(file.path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(descriptor).isFile()) throw new Error('it is no plain file');
      const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
      const length = readSync(descriptor, buffer);
      if (length > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
      return buffer.toString('latin1', 0, length);
    } finally {
      closeSync(descriptor);
    }
  });
}

/** A certificate, with its chain, and the key that belongs to it, in PEM. */
export function readIdentity(
  certificateFile: SettingFile,
  keyFile: SettingFile,
): { readonly certificate: string; readonly key: string } {
  const certificate = readSettingFile(certificateFile);
  const key = readSettingFile(keyFile);
  const parsed = attempt(certificateFile, () => new X509Certificate(certificate));
  const parsedKey: KeyObject = attempt(keyFile, () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(parsedKey)) {
    throw unusable(keyFile, `it does not belong to the certificate in ${certificateFile.path}`);
  }
  attempt(certificateFile, () => createSecureContext({ cert: certificate, key }));
  return { certificate, key };
}

/** When a certificate expires. */
export function endOf(certificate: X509Certificate): Microseconds {
  return certificate.validToDate.getTime() * 1_000;
}

/** Runs `deed`, which uses the file; what it throws becomes an OperationalError that names the file. */
export function attempt<Value>(file: SettingFile, deed: () => Value): Value {
  try {
    return deed();
  } catch (cause) {
    throw unusable(file, (cause as Error).message);
  }
}

export function unusable(
  { path, setting, section }: SettingFile,
  reason: string,
  advice = `correct ${setting} in ${section}, or the file, then: bailiff reload`,
): OperationalError {
  return new OperationalError(`cannot use ${setting} ${path}: ${reason}`, { code: UNUSABLE_FILE, advice });
}
