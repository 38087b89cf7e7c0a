/** Certificates of a test's own, made by openssl(1). */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type MadeCertificate = {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** What the files hold. */
  readonly certificate: string;
  readonly key: string;
};

/** Why none can be made here; null when they can. */
export function missingOpenssl(): string | null {
  const { error } = spawnSync('openssl', ['version']);
  return error === undefined ? null : `openssl is not installed: ${error.message}`;
}

/** One for 127.0.0.1, signed by itself, in files of this directory. */
export function makeCertificate(directory: string, name: string, days = 2): MadeCertificate {
  const certificatePath = join(directory, `${name}.crt`);
  const keyPath = join(directory, `${name}.key`);
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ${days} -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1`;
  const made = spawnSync('openssl', [...words.split(' '), '-out', certificatePath, '-keyout', keyPath]);
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  return {
    certificatePath,
    keyPath,
    certificate: readFileSync(certificatePath, 'utf8'),
    key: readFileSync(keyPath, 'utf8'),
  };
}
