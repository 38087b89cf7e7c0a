/**
 * The directory in which an authority, what it has issued and what it has revoked lie as PEM:
 *
 *     ca.crt ca.key ca.crl         the authority, and the list of what it has revoked
 *     server.crt server.key        what the TLS listeners show
 *     clients/NAME.crt .key .p12   for a sender
 *     clients/NAME-SERIAL.replaced one that was renewed, and is believed until its end
 *     clients/NAME-SERIAL.revoked  one that is no longer believed
 *
 * Nothing that is there is ever overwritten, but by a renewal. The key of the authority is for its owner alone: the
 * daemon needs no more than server.key.
 */
import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, parseAddress } from '../core/address/address.ts';
import { OperationalError } from '../core/errors.ts';
import { DAY, type Microseconds } from '../core/time.ts';
import {
  createAuthority,
  createRevocationList,
  type Identity,
  issue,
  readRevocationList,
  type Validity,
} from './authority.ts';
import { createPkcs12 } from './pkcs12.ts';
import { type FileAccess, PRIVATE, PUBLIC, replaceFile, writeNewFile } from './private-file.ts';

/** What a certificate is for, and what it is valid for. */
export type Names = { readonly hostNames: readonly string[]; readonly addresses: readonly Address[] };

export type IssuedCertificate = {
  /** `ca`, `server`, or the name of a client. */
  readonly name: string;
  readonly role: 'authority' | 'server' | 'client';
  readonly until: Microseconds;
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly isRevoked: boolean;
  readonly file: string;
};

/** What a client needs. */
export type ClientFiles = {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly pkcs12: string;
  /** Of the PKCS #12 file; told once and kept nowhere. */
  readonly passphrase: string;
  readonly until: Microseconds;
};

/** Certificates begin to be valid a day ago, for devices whose clocks are behind. */
const BACKDATING = DAY;
const AUTHORITY_DAYS = 7_300;
/** Of servers and clients, unless somebody says otherwise. */
export const CERTIFICATE_DAYS = 1_825;

/** Some 71 bits: enough against whoever copies the file and tries. */
const PASSPHRASE_BYTES = 9;

export class CertificateDirectory {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The path of one of its files. */
  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  /**
   * Makes the authority, an empty revocation list and the server's certificate. `serverAccess` is who may read the
   * server's key. Throws OperationalError when something is there already, or cannot be written.
   */
  async begin(
    authorityName: string,
    server: Names,
    serverAccess: FileAccess,
    at: Microseconds,
    days: number = CERTIFICATE_DAYS,
  ): Promise<void> {
    const files = ['ca.crt', 'ca.key', 'ca.crl', 'server.crt', 'server.key'];
    const found = files.find((file) => existsSync(this.path(file)));
    if (found !== undefined) {
      throw new OperationalError(`${this.path(found)} is there already, and nothing is overwritten`, {
        code: 'certificate-exists',
        advice:
          'bailiff tls list shows what there is; bailiff tls renew server makes a new server certificate',
      });
    }
    this.#makeDirectories();
    const authority = await createAuthority(authorityName, validityOf(at, AUTHORITY_DAYS));
    writeNewFile(this.path('ca.key'), authority.key, PRIVATE);
    writeNewFile(this.path('ca.crt'), authority.certificate, PUBLIC);
    const list = await createRevocationList(authority, [], 1, validityOf(at, AUTHORITY_DAYS));
    writeNewFile(this.path('ca.crl'), list, PUBLIC);
    const identity = await this.#issueServer(authority, server, at, days);
    writeNewFile(this.path('server.key'), identity.key, serverAccess);
    writeNewFile(this.path('server.crt'), identity.certificate, PUBLIC);
  }

  /** Makes a certificate for a client. Throws OperationalError as `begin` does, and without an authority. */
  async issueClient(name: string, at: Microseconds, days: number = CERTIFICATE_DAYS): Promise<ClientFiles> {
    const authority = this.#readAuthority();
    if (existsSync(this.path('clients', `${name}.crt`))) {
      throw new OperationalError(`there is a certificate for ${name} already`, {
        code: 'certificate-exists',
        advice: `bailiff tls renew ${name} makes a new one; bailiff tls revoke ${name} ends it`,
      });
    }
    return this.#writeClient(authority, name, at, days, writeNewFile);
  }

  /** A new certificate and key in place of the old; the old certificate stays valid until its end. */
  async renewClient(name: string, at: Microseconds, days: number = CERTIFICATE_DAYS): Promise<ClientFiles> {
    const authority = this.#readAuthority();
    const { serialNumber } = this.#requireClient(name);
    // Who has lost a key may renew first and revoke later: that must find the old certificate too.
    const before = this.#read(join('clients', `${name}.crt`));
    replaceFile(this.path('clients', `${name}-${serialNumber}.replaced`), before, PUBLIC);
    return this.#writeClient(authority, name, at, days, replaceFile);
  }

  /** A new certificate and key for the server, with the old names and `further` ones. The daemon takes it by itself. */
  async renewServer(
    further: Names,
    serverAccess: FileAccess,
    at: Microseconds,
    days: number = CERTIFICATE_DAYS,
  ): Promise<Names> {
    const authority = this.#readAuthority();
    const names = mergeNames(namesOf(this.#read('server.crt')), further);
    const identity = await this.#issueServer(authority, names, at, days);
    replaceFile(this.path('server.key'), identity.key, serverAccess);
    replaceFile(this.path('server.crt'), identity.certificate, PUBLIC);
    return names;
  }

  /**
   * Puts a client's certificate on the revocation list, and those that it has replaced, and takes its key away. Returns
   * their serial numbers, that of its own first.
   */
  async revokeClient(name: string, at: Microseconds): Promise<readonly string[]> {
    const authority = this.#readAuthority();
    const { serialNumber } = this.#requireClient(name);
    const former = this.#formerCertificates();
    const own = [
      serialNumber,
      ...former.filter((one) => one.name === name && one.state === 'replaced').map((one) => one.serialNumber),
    ];
    const before = existsSync(this.path('ca.crl')) ? readRevocationList(this.#read('ca.crl')) : null;
    const known = new Map(before?.revocations.map((one) => [BigInt(`0x${one.serialNumber}`), one]));
    // Also what was revoked before, should the list have been lost.
    const lost = former.filter(({ state }) => state === 'revoked').map((one) => one.serialNumber);
    for (const serialNumber of [...own, ...lost]) {
      const key = BigInt(`0x${serialNumber}`);
      if (!known.has(key)) known.set(key, { serialNumber, at });
    }
    const until = new X509Certificate(authority.certificate).validToDate.getTime() * 1_000;
    const validity = { from: at - BACKDATING, until };
    const number = (before?.number ?? 0) + 1;
    const list = await createRevocationList(authority, [...known.values()], number, validity);
    replaceFile(this.path('ca.crl'), list, PUBLIC);
    for (const one of own) {
      const file = one === serialNumber ? `${name}.crt` : `${name}-${one}.replaced`;
      renameSync(this.path('clients', file), this.path('clients', `${name}-${one}.revoked`));
    }
    for (const suffix of ['key', 'p12']) rmSync(this.path('clients', `${name}.${suffix}`), { force: true });
    return own;
  }

  /** Everything that was issued; the authority and the server first, then clients by their names. */
  list(): readonly IssuedCertificate[] {
    const clients = existsSync(this.path('clients')) ? readdirSync(this.path('clients')).sort() : [];
    return [
      ...this.#describe('ca', 'authority', 'ca.crt'),
      ...this.#describe('server', 'server', 'server.crt'),
      ...clients.flatMap((file) => {
        const match = /^(.+?)(?:\.crt|-[0-9A-F]+\.(?:replaced|revoked))$/.exec(file);
        return match?.[1] === undefined ? [] : this.#describe(match[1], 'client', join('clients', file));
      }),
    ];
  }

  /** The names of the server's certificate, the first of which clients are told. */
  serverNames(): Names {
    return namesOf(this.#read('server.crt'));
  }

  #describe(name: string, role: IssuedCertificate['role'], file: string): IssuedCertificate[] {
    if (!existsSync(this.path(file))) return [];
    const { serialNumber, validToDate } = parse(this.path(file), this.#read(file));
    const until = validToDate.getTime() * 1_000;
    return [{ name, role, until, serialNumber, isRevoked: file.endsWith('.revoked'), file: this.path(file) }];
  }

  /** By the names of their files, so that one that cannot be read keeps nobody from revoking another. */
  #formerCertificates(): readonly {
    readonly name: string;
    readonly serialNumber: string;
    readonly state: string;
  }[] {
    return readdirSync(this.path('clients')).flatMap((file) => {
      const [, name, serialNumber, state] = /^(.+?)-([0-9A-F]+)\.(replaced|revoked)$/.exec(file) ?? [];
      return name && serialNumber && state ? [{ name, serialNumber, state }] : [];
    });
  }

  #issueServer(authority: Identity, names: Names, at: Microseconds, days: number): Promise<Identity> {
    const name = names.hostNames[0] ?? names.addresses[0] ?? 'bailiff';
    return issue(authority, { purpose: 'server', name, ...names, validity: validityOf(at, days) });
  }

  async #writeClient(
    authority: Identity,
    name: string,
    at: Microseconds,
    days: number,
    write: typeof writeNewFile,
  ): Promise<ClientFiles> {
    this.#makeDirectories();
    const validity = validityOf(at, days);
    const request = { purpose: 'client', name, hostNames: [name], addresses: [], validity } as const;
    const identity = await issue(authority, request);
    const passphrase = randomBytes(PASSPHRASE_BYTES).toString('base64url');
    const bundle = await createPkcs12(identity, authority.certificate, name, passphrase);
    const [certificate, key, pkcs12] = ['crt', 'key', 'p12'].map((suffix) =>
      this.path('clients', `${name}.${suffix}`),
    ) as [string, string, string];
    write(key, identity.key, PRIVATE);
    write(pkcs12, bundle, PRIVATE);
    write(certificate, identity.certificate, PUBLIC);
    return { authority: this.path('ca.crt'), certificate, key, pkcs12, passphrase, until: validity.until };
  }

  #requireClient(name: string): X509Certificate {
    const file = join('clients', `${name}.crt`);
    if (existsSync(this.path(file))) return parse(this.path(file), this.#read(file));
    throw new OperationalError(`there is no certificate for ${name} in ${this.path('clients')}`, {
      code: 'no-such-certificate',
      advice: 'bailiff tls list shows what there is',
    });
  }

  #readAuthority(): Identity {
    if (!existsSync(this.path('ca.crt'))) {
      throw new OperationalError(`there is no authority in ${this.directory}`, {
        code: 'no-authority',
        advice: 'make one with: bailiff tls init',
      });
    }
    return { certificate: this.#read('ca.crt'), key: this.#read('ca.key') };
  }

  #read(file: string): string {
    try {
      return readFileSync(this.path(file), 'latin1');
    } catch (cause) {
      throw new OperationalError(`cannot read ${this.path(file)}: ${(cause as Error).message}`, {
        code: 'certificate-file',
        advice: 'run it as root, or as whoever made the authority',
        cause,
      });
    }
  }

  #makeDirectories(): void {
    try {
      mkdirSync(this.directory, { recursive: true, mode: 0o755 });
      mkdirSync(this.path('clients'), { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new OperationalError(`cannot make ${this.directory}: ${(cause as Error).message}`, {
        code: 'certificate-file',
        advice: 'run it as root, or name another place with --directory',
        cause,
      });
    }
  }
}

function validityOf(at: Microseconds, days: number): Validity {
  return { from: at - BACKDATING, until: at + days * DAY };
}

function parse(path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new OperationalError(`${path} holds no certificate: ${(cause as Error).message}`, {
      code: 'certificate-file',
      cause,
    });
  }
}

function namesOf(pem: string): Names {
  const parts = (new X509Certificate(pem).subjectAltName ?? '').split(', ');
  return {
    hostNames: parts.flatMap((part) => /^DNS:(.+)$/.exec(part)?.[1] ?? []),
    addresses: parts.flatMap((part) => parseAddress(/^IP Address:(.+)$/.exec(part)?.[1] ?? '') ?? []),
  };
}

function mergeNames(left: Names, right: Names): Names {
  return {
    hostNames: [...new Set([...left.hostNames, ...right.hostNames])],
    addresses: [...new Set([...left.addresses, ...right.addresses])],
  };
}
