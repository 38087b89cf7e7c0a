/** `bailiff tls`: an authority of one's own, for syslog over TLS, and the certificates that it issues. */
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type {
  CertificateDirectory,
  IssuedCertificate,
  Names,
} from '../../../certificates/certificate-directory.ts';
import type { FileAccess } from '../../../certificates/private-file.ts';
import { parseAddress } from '../../../core/address/address.ts';
import { printable } from '../../../core/text/printable.ts';
import { DAY, formatInstant, type Microseconds } from '../../../core/time.ts';
import {
  type AddCommand,
  type ConfigOptions,
  configOption,
  configPathOf,
  EXIT,
  examples,
  type JsonOptions,
  jsonOption,
  printJson,
  type Session,
} from '../../command.ts';
import { formatCount, renderTable } from '../../render/table.ts';
import type { Terminal } from '../../render/terminal.ts';
import { CLIENT_GUIDES, type ClientKind, type ClientSettings } from '../../senders/tls-client-settings.ts';

type DirectoryOptions = ConfigOptions & JsonOptions & { readonly directory?: string };
type DaysOptions = DirectoryOptions & { readonly days?: number };
type NamesOptions = DaysOptions & { readonly name?: readonly string[] };
type InitOptions = NamesOptions & { readonly write?: true };
type IssueOptions = DaysOptions & { readonly server?: Endpoint; readonly for?: readonly ClientKind[] };

type Endpoint = { readonly host: string; readonly port: number };

/** What `renew` and `revoke` call the server's certificate. */
const SERVER = 'server';

/** The group that the daemon of a package runs in; it must read the server's key. */
const DAEMON_GROUP = 'bailiff';

/** RFC 5425 section 4.1. */
const SYSLOG_TLS_PORT = 6514;

const MAX_DAYS = 7_300;

export const addTls: AddCommand = (program, session) => {
  const tls = program
    .command('tls')
    .summary('certificates for syslog over TLS')
    .description(
      'Makes an authority, and certificates for this host and for its senders. They lie in the directory tls beside the configuration.',
    )
    .addHelpText(
      'after',
      examples([
        ['bailiff tls init --name log.example.net', 'the authority, and one for this host'],
        ['bailiff tls issue nas1', 'one for a sender'],
        ['bailiff tls list', 'all, and until when they are valid'],
      ]),
    );
  addInit(tls, session);
  addIssue(tls, session);
  addList(tls, session);
  addRenew(tls, session);
  addRevoke(tls, session);
};

function addInit(tls: Command, { terminal, end }: Session): void {
  withDirectory(tls.command('init'))
    .summary('make an authority and a certificate for this host')
    .description(
      'Makes an authority, and a certificate for this host with its name and addresses. Nothing is overwritten. Prints what to put into the configuration.',
    )
    .addOption(nameOption())
    .addOption(daysOption())
    .option('--write', 'write conf.d/tls.toml beside the configuration')
    .action(async (options: InitOptions) => {
      const directory = await openDirectory(options, terminal);
      const names = await ownNames(options.name ?? []);
      const at = terminal.now() * 1_000;
      const authorityName = `bailiff on ${hostname()}`.slice(0, 64);
      await directory.begin(authorityName, names, await serverAccess(terminal), at, options.days);
      const settings = configurationLines(directory);
      const dropIn = resolve(dirname(configPathOf(options, terminal)), 'conf.d', 'tls.toml');
      if (options.write) {
        const { writeDropIn } = await import('../../drop-ins/drop-in.ts');
        writeDropIn(dropIn, `${settings.join('\n')}\n`);
      }
      const report = { ...names, certificates: directory.list(), settings, dropIn };
      if (options.json) printJson(terminal, report);
      else terminal.print(describeInit(report, options.write === true));
      end(EXIT.done);
    });
}

function addIssue(tls: Command, { terminal, end }: Session): void {
  withDirectory(tls.command('issue'))
    .summary('make a certificate for a sender')
    .description(
      'Makes a certificate and a key for a sender, as PEM and as PKCS #12, and prints what to enter in it. Whoever has them may send from any address.',
    )
    .argument('<NAME>', 'its name in the certificate, such as nas1 or nas1.example.net', readNewClientName)
    .addOption(daysOption())
    .option(
      '--server <HOST[:PORT]>',
      'what it reaches us by (default: the first name of our certificate)',
      readEndpoint,
    )
    .addOption(
      new Option('--for <KIND...>', 'only what is to be entered in these').choices(
        Object.keys(CLIENT_GUIDES),
      ),
    )
    .action(async (name: string, options: IssueOptions) => {
      const directory = await openDirectory(options, terminal);
      const files = await directory.issueClient(name, terminal.now() * 1_000, options.days);
      const server = options.server ?? serverOf(directory);
      const report = { name, ...files, server: server.host, port: server.port };
      if (options.json) printJson(terminal, report);
      else
        terminal.print(describeClient(report, options.for ?? (Object.keys(CLIENT_GUIDES) as ClientKind[])));
      end(EXIT.done);
    });
}

function addList(tls: Command, { terminal, end }: Session): void {
  withDirectory(tls.command('list'))
    .summary('show every certificate, and until when it is valid')
    .description('Shows the authority, the certificate of this host and those of the senders.')
    .action(async (options: DirectoryOptions) => {
      const directory = await openDirectory(options, terminal);
      const certificates = directory.list();
      if (options.json) printJson(terminal, { directory: directory.directory, certificates });
      else terminal.print(describeList(directory, certificates, terminal));
      end(certificates.length === 0 ? EXIT.no : EXIT.done);
    });
}

function addRenew(tls: Command, { terminal, end }: Session): void {
  withDirectory(tls.command('renew'))
    .summary('make a new certificate in place of an old one')
    .description(
      'Makes a new certificate and key: for this host (server, which the daemon takes by itself within a minute), or for a sender, which must be given both again.',
    )
    .argument('[NAME]', `the sender, or ${SERVER}`, readClientName, SERVER)
    .addOption(nameOption())
    .addOption(daysOption())
    .action(async (name: string, options: NamesOptions) => {
      const directory = await openDirectory(options, terminal);
      const at = terminal.now() * 1_000;
      if (name === SERVER) {
        const names = await ownNames(options.name ?? []);
        const renewed = await directory.renewServer(names, await serverAccess(terminal), at, options.days);
        if (options.json) printJson(terminal, { name, ...renewed, certificates: directory.list() });
        else terminal.print(printable(`server: a new certificate for ${listNames(renewed)}`));
      } else {
        const files = await directory.renewClient(name, at, options.days);
        if (options.json) printJson(terminal, { name, ...files });
        else terminal.print(describeFiles({ name, ...files }).join('\n'));
      }
      end(EXIT.done);
    });
}

function addRevoke(tls: Command, { terminal, end }: Session): void {
  withDirectory(tls.command('revoke'))
    .summary('believe a certificate of a sender no longer')
    .description(
      'Puts the certificate of a sender, and those that it has replaced, on the revocation list. The daemon reads it again within a minute, and then closes the connections that were opened with them.',
    )
    .argument('<NAME>', 'the sender', readClientName)
    .action(async (name: string, options: DirectoryOptions) => {
      const directory = await openDirectory(options, terminal);
      const serialNumbers = await directory.revokeClient(name, terminal.now() * 1_000);
      const list = directory.path('ca.crl');
      if (options.json) printJson(terminal, { name, serialNumbers });
      else terminal.print(printable(`${name}: revoked (${serialNumbers.join(', ')}), see ${list}`));
      end(EXIT.done);
    });
}

function withDirectory(command: Command): Command {
  return command
    .option('--directory <PATH>', 'where the certificates lie (default: tls beside the configuration)')
    .addOption(configOption())
    .addOption(jsonOption());
}

function nameOption(): Option {
  return new Option(
    '--name <HOST...>',
    'further names or addresses of this host, the first for senders to use',
  ).argParser((text: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    readHostName(text),
  ]);
}

function daysOption(): Option {
  return new Option('--days <DAYS>', 'how long it is valid (default: 1825)').argParser(readDays);
}

async function openDirectory(options: DirectoryOptions, terminal: Terminal): Promise<CertificateDirectory> {
  const { CertificateDirectory } = await import('../../../certificates/certificate-directory.ts');
  return new CertificateDirectory(options.directory ?? join(dirname(configPathOf(options, terminal)), 'tls'));
}

/** The daemon of a package is no root; elsewhere it runs as whoever runs this. */
async function serverAccess(terminal: Terminal): Promise<FileAccess> {
  const { findGroup, PRIVATE, readableBy } = await import('../../../certificates/private-file.ts');
  const group = terminal.userId === 0 ? findGroup(DAEMON_GROUP) : null;
  return group === null ? PRIVATE : readableBy(group);
}

/** The names and addresses that this host is reached by; `first` come first. */
async function ownNames(first: readonly string[]): Promise<Names> {
  const { ownAddresses } = await import('../../../daemon/judgement/own-addresses.ts');
  const addresses = ownAddresses().filter((address) => !/^fe[89ab]/.test(address));
  const all = [...first, hostname(), 'localhost', ...addresses];
  return {
    hostNames: [...new Set(all.filter((name) => parseAddress(name) === null && isHostName(name)))],
    addresses: [...new Set(all.flatMap((name) => parseAddress(name) ?? []))],
  };
}

function serverOf(directory: CertificateDirectory): Endpoint {
  const { hostNames, addresses } = directory.serverNames();
  return { host: hostNames[0] ?? addresses[0] ?? hostname(), port: SYSLOG_TLS_PORT };
}

function configurationLines(directory: CertificateDirectory): readonly string[] {
  return [
    '[syslog]',
    `tls = ["0.0.0.0:${SYSLOG_TLS_PORT}", "[::]:${SYSLOG_TLS_PORT}"]`,
    '',
    '[syslog.tls_server]',
    `certificate = ${JSON.stringify(directory.path('server.crt'))}`,
    `key = ${JSON.stringify(directory.path('server.key'))}`,
    `client_ca = ${JSON.stringify(directory.path('ca.crt'))}`,
    `revoked = ${JSON.stringify(directory.path('ca.crl'))}`,
    '# "optional" also takes senders without a certificate, whose address may send.',
    'client_certificate = "required"',
  ];
}

function describeInit(
  report: Names & {
    readonly certificates: readonly IssuedCertificate[];
    readonly settings: readonly string[];
    readonly dropIn: string;
  },
  isWritten: boolean,
): string {
  const [authority, server] = report.certificates;
  const made = [
    `authority  ${authority?.file}, until ${dateOf(authority?.until ?? 0)}`,
    `server     ${server?.file}, until ${dateOf(server?.until ?? 0)}`,
    `for        ${listNames(report)}`,
  ];
  const next = isWritten
    ? [`Written to ${report.dropIn}; to put it into force: bailiff reload`]
    : [`Put this into ${report.dropIn}, then: bailiff reload`, '', ...report.settings];
  const last = 'A certificate for each sender, and what to enter there: bailiff tls issue NAME';
  return [...made, '', ...next, '', last].map((line) => printable(line)).join('\n');
}

type ClientReport = ClientSettings & { readonly passphrase: string; readonly until: Microseconds };

function describeClient(report: ClientReport, kinds: readonly ClientKind[]): string {
  const guides = kinds.flatMap((kind) => {
    const { title, describe } = CLIENT_GUIDES[kind];
    return ['', `${title}:`, ...describe(report).map((line) => (line === '' ? '' : `  ${line}`))];
  });
  return [...describeFiles(report), ...guides.map((line) => printable(line))].join('\n');
}

function describeFiles(
  report: Pick<
    ClientReport,
    'name' | 'certificate' | 'key' | 'pkcs12' | 'authority' | 'passphrase' | 'until'
  >,
): readonly string[] {
  return [
    `certificate  ${report.certificate}, until ${dateOf(report.until)}`,
    `key          ${report.key}`,
    `PKCS #12     ${report.pkcs12}, passphrase ${report.passphrase} (kept nowhere)`,
    `authority    ${report.authority}`,
  ].map((line) => printable(line));
}

function describeList(
  directory: CertificateDirectory,
  certificates: readonly IssuedCertificate[],
  terminal: Terminal,
): string {
  if (certificates.length === 0) return printable(`no certificates in ${directory.directory}`);
  const at = terminal.now() * 1_000;
  const rows = certificates.map(({ name, role, until, isRevoked, file }) => {
    const days = Math.floor((until - at) / DAY);
    const left = isRevoked ? 'revoked' : days < 0 ? 'expired' : formatCount(days);
    return [name, role, dateOf(until), left, file];
  });
  return renderTable(
    [
      { title: 'name', align: 'left' },
      { title: 'role', align: 'left' },
      { title: 'until', align: 'left' },
      { title: 'days left', align: 'right' },
      { title: 'file', align: 'left' },
    ],
    rows,
    terminal,
  );
}

function listNames({ hostNames, addresses }: Names): string {
  return [...hostNames, ...addresses].join(', ');
}

function dateOf(at: Microseconds): string {
  return formatInstant(at).slice(0, 10);
}

/** It names files, and stands in the settings of other programs. */
function readClientName(text: string): string {
  if (/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(text) && !text.includes('..')) return text;
  throw new InvalidArgumentError(
    'It must be 1 to 63 of a-z, 0-9, - and ., such as nas1 or nas1.example.net.',
  );
}

/** A sender that is called as our own certificate could not be renewed. */
function readNewClientName(text: string): string {
  if (text === SERVER) throw new InvalidArgumentError('That is the name of our own certificate.');
  return readClientName(text);
}

function readHostName(text: string): string {
  if (parseAddress(text) !== null || isHostName(text)) return text;
  throw new InvalidArgumentError('It is neither a host name nor an address.');
}

function isHostName(text: string): boolean {
  return /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text);
}

function readEndpoint(text: string): Endpoint {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/.exec(text);
  const host = readHostName(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3] ?? SYSLOG_TLS_PORT);
  if (port >= 1 && port <= 65_535) return { host, port };
  throw new InvalidArgumentError('The port must be from 1 to 65535.');
}

function readDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,4}$/.test(text) && days >= 1 && days <= MAX_DAYS) return days;
  throw new InvalidArgumentError(`It must be a number from 1 to ${MAX_DAYS}.`);
}
