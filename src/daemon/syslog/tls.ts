/**
 * The certificates of the TLS listeners: read from their files, and read again when these change. What cannot be used
 * leaves in force what was there before.
 */
import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import type { TlsServerPlan } from '../../config/plan.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import { formatInstant, type Microseconds } from '../../core/time.ts';
import type { Failing } from '../../core/warning/entry.ts';
import { type TlsCredentials, tryCredentials } from '../../sources/stream/tls-handshakes.ts';
import {
  attempt,
  endOf,
  readIdentity,
  readSettingFile,
  type SettingFile,
  unusable,
} from '../setting-files.ts';

export type SyslogTlsOptions = {
  readonly emit: Emit;
  /** The files have changed, and these are in force now. */
  readonly onCredentials: (credentials: TlsCredentials) => void;
  /** What `trouble` says has changed. */
  readonly onTrouble: () => void;
  /** In place of WATCH_INTERVAL_MILLISECONDS. */
  readonly watchMilliseconds?: number;
};

export type LoadedCredentials = {
  readonly credentials: TlsCredentials;
  /** When the certificate of the server, and the first of the clients' authorities, expires. */
  readonly until: Microseconds;
  readonly clientCaUntil: Microseconds | null;
};

/** A change is taken when the files have stayed as they are from one look to the next. */
const WATCH_INTERVAL_MILLISECONDS = 15_000;

const SECTION = '[syslog.tls_server]';

export class SyslogTls {
  readonly #options: SyslogTlsOptions;
  #plan: TlsServerPlan | null = null;
  #loaded: LoadedCredentials | null = null;
  #failure: Failing | null = null;
  #told = '';
  #seen = '';
  #read = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SyslogTlsOptions) {
    this.#options = options;
  }

  /** Reads the files of `plan`. Null when nothing can be used, now or from before; `trouble` says why. */
  apply(plan: TlsServerPlan | null): TlsCredentials | null {
    this.#plan = plan;
    if (plan === null) {
      if (this.#loaded !== null) this.#tellEnds(null, null);
      this.stop();
      return null;
    }
    this.#load(plan);
    this.#told = JSON.stringify(this.trouble());
    const { watchMilliseconds = WATCH_INTERVAL_MILLISECONDS } = this.#options;
    this.#timer ??= setInterval(() => this.#look(), watchMilliseconds).unref();
    return this.#loaded?.credentials ?? null;
  }

  /** Null when all is well. */
  trouble(): Failing | null {
    return this.#failure;
  }

  /** For the status, such as `2031-11-20`; '' when there is none. */
  validUntil(): string {
    return this.#loaded === null ? '' : dateOf(this.#loaded.until);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#loaded = null;
    this.#failure = null;
  }

  #tellEnds(server: Microseconds | null, clientCa: Microseconds | null): void {
    const { emit } = this.#options;
    emit({ kind: 'certificate', certificate: 'syslog-server', until: server });
    emit({ kind: 'certificate', certificate: 'syslog-client-ca', until: clientCa });
  }

  #look(): void {
    if (this.#plan === null) return;
    const state = stateOfFiles(this.#plan);
    const isSettled = state === this.#seen;
    this.#seen = state;
    const before = this.#loaded;
    if (isSettled && state !== this.#read) this.#load(this.#plan);
    if (this.#loaded !== null && this.#loaded !== before)
      this.#options.onCredentials(this.#loaded.credentials);
    const told = JSON.stringify(this.trouble());
    if (told !== this.#told) this.#options.onTrouble();
    this.#told = told;
  }

  #load(plan: TlsServerPlan): void {
    this.#seen = stateOfFiles(plan);
    this.#read = this.#seen;
    try {
      const loaded = readCredentials(plan);
      this.#loaded = loaded;
      this.#failure = null;
      this.#tellEnds(loaded.until, loaded.clientCaUntil);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const consequence =
        this.#loaded === null ? 'TLS is off' : 'TLS goes on with what the files held before';
      this.#failure = { reason: `${consequence}: ${error.message}`, remedy: error.advice };
    }
  }
}

/** Reads and tries everything. Throws OperationalError, with the file and the reason, when one cannot be used. */
export function readCredentials(plan: TlsServerPlan): LoadedCredentials {
  const certificateFile = fileOf('certificate', plan.certificate);
  const identity = readIdentity(certificateFile, fileOf('key', plan.key));
  const clientCa = plan.clientCa === null ? null : readAuthorities(fileOf('client_ca', plan.clientCa));
  const revoked = plan.revoked === null ? null : readSettingFile(fileOf('revoked', plan.revoked));
  const { requiresClientCertificate } = plan;
  const credentials = { ...identity, clientCa: clientCa?.text ?? null, requiresClientCertificate, revoked };
  attempt(fileOf('revoked', plan.revoked ?? plan.certificate), () => tryCredentials(credentials));
  const until = attempt(certificateFile, () => endOf(new X509Certificate(identity.certificate)));
  return { credentials, until, clientCaUntil: clientCa?.until ?? null };
}

/** Certificates in PEM, one after the other. */
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readAuthorities(file: SettingFile): { readonly text: string; readonly until: Microseconds } {
  const text = readSettingFile(file);
  const certificates = text.match(PEM_CERTIFICATE) ?? [];
  if (certificates.length === 0) throw unusable(file, 'it holds no certificate in PEM');
  const ends = attempt(file, () =>
    certificates.map((certificate) => {
      const parsed = new X509Certificate(certificate);
      if (!parsed.ca) throw new Error('it holds a certificate that is none of an authority');
      return endOf(parsed);
    }),
  );
  return { text, until: Math.min(...ends) };
}

function dateOf(at: Microseconds): string {
  return formatInstant(at).slice(0, 10);
}

function fileOf(setting: string, path: string): SettingFile {
  return { path, setting, section: SECTION };
}

/** Differs as soon as one of the files was written, replaced, or taken away. */
function stateOfFiles({ certificate, key, clientCa, revoked }: TlsServerPlan): string {
  return [certificate, key, clientCa, revoked]
    .map((path) => (path === null ? '-' : stateOfFile(path)))
    .join('\n');
}

function stateOfFile(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [ino, size, mtimeMs, ctimeMs].join(' ');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '-';
  }
}
