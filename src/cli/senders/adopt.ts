/**
 * `bailiff senders adopt` and `bailiff senders forget`: a drop-in with one [[sender]], put in force by a reload where a
 * daemon runs. A configuration that would not bear it stays as it was.
 */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { formatProblem, formatWarning, type Problem } from '../../config/document/problem.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { type Network, parseNetwork } from '../../core/address/address.ts';
import { OperationalError } from '../../core/errors.ts';
import { printable, printableLines } from '../../core/text/printable.ts';
import type { ReloadReport, StatusReport } from '../../http/control.ts';
import { askDaemon, pathOf } from '../client.ts';
import {
  type ConfigOptions,
  configOption,
  configPathOf,
  EXIT,
  examples,
  type Session,
  type SocketOptions,
  socketOption,
} from '../command.ts';
import { complainAbout, type Terminal } from '../render/terminal.ts';
import { dropInPath, readDropIn, removeDropIn, writeDropIn } from './drop-in.ts';

/** The first line of every drop-in that `adopt` writes; `forget` takes no other away. */
export const ADOPTED_MARK = '# Written by bailiff senders adopt.';

type Place = ConfigOptions & SocketOptions;

export type AdoptOptions = Place & {
  readonly name: string;
  readonly certificate?: readonly string[];
  readonly jail?: readonly string[];
  readonly over?: readonly string[];
  readonly dialect?: string;
  readonly relay?: true;
  readonly lowConfidence?: true;
};

export function addAdopt(senders: Command, session: Session): void {
  senders
    .command('adopt')
    .summary('give a sender a name')
    .description(
      'Writes a [[sender]] for an address or network into conf.d/sender-NAME.toml and has the daemon reload. From then on it may send, has its own metrics, and is missed when it falls silent.',
    )
    .argument('<ADDRESS>', 'address or network that it sends from', readNetwork)
    .requiredOption('--name <NAME>', 'what it is called: a-z, 0-9, - and _', readName)
    .option('--certificate <NAME...>', 'names in its certificate, by which it is known over TLS too')
    .option('--over <TRANSPORT...>', 'udp, tcp, tls: what it may send over (default: all)')
    .option('--jail <NAME...>', 'jails that it may feed (default: all)')
    .option('--dialect <NAME>', 'what its messages look like, such as rfc5424')
    .option('--relay', 'it hands on what other hosts sent')
    .option('--low-confidence', 'its records alone ban nobody')
    .addOption(configOption())
    .addOption(socketOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff senders adopt 192.168.1.10 --name nas1', 'a NAS'],
        ['bailiff senders adopt 192.168.1.1 --name router --jail sshd', 'for one jail'],
        ['bailiff senders adopt 192.0.2.7 --name web1 --over tls', 'never over UDP'],
      ]),
    )
    .action(async (network: Network, options: AdoptOptions) =>
      session.end(await adopt(network, options, session.terminal)),
    );
}

export function addForget(senders: Command, session: Session): void {
  senders
    .command('forget')
    .summary('take a name back')
    .description(
      'Takes away what `bailiff senders adopt` has written for NAME, and has the daemon reload. What others have written into the configuration stays.',
    )
    .argument('<NAME>', 'what it is called', readName)
    .addOption(configOption())
    .addOption(socketOption())
    .addHelpText('after', examples([['bailiff senders forget nas1', 'the opposite of adopt']]))
    .action(async (name: string, options: Place) =>
      session.end(await forget(name, options, session.terminal)),
    );
}

async function adopt(network: Network, options: AdoptOptions, terminal: Terminal): Promise<number> {
  const { configPath, isRunning } = await findConfiguration(options, terminal);
  const path = dropInPath(configPath, `sender-${options.name}`);
  writeDropIn(path, dropInOf(network, options));
  const { obstacle, warnings } = await tryOut(configPath, isRunning, options, terminal);
  if (obstacle !== null) {
    removeDropIn(path);
    terminal.complain(obstacle);
    complainAbout(terminal, `${network} is not adopted: the configuration would have problems`);
    return EXIT.configuration;
  }
  for (const warning of warnings) if (warning.file === path) terminal.complain(formatWarning(warning));
  terminal.print(printable(`${options.name} is ${network}: ${path}`));
  terminal.print(isRunning ? 'reloaded' : 'the daemon is not running: it will know when it starts');
  return EXIT.done;
}

async function forget(name: string, options: Place, terminal: Terminal): Promise<number> {
  const { configPath, isRunning } = await findConfiguration(options, terminal);
  const path = dropInPath(configPath, `sender-${name}`);
  const text = readDropIn(path);
  if (text === null || !text.startsWith(ADOPTED_MARK)) {
    const advice = `take its [[sender]] out of the configuration: grep -rn '"${name}"' ${configPath} ${path.replace(/[^/]+$/, '')}`;
    complainAbout(
      terminal,
      `${name} was not adopted: ${path} is not there, or somebody else has written it`,
      advice,
    );
    return EXIT.no;
  }
  removeDropIn(path);
  const { obstacle } = await tryOut(configPath, isRunning, options, terminal);
  if (obstacle !== null) terminal.complain(obstacle);
  terminal.print(printable(`${name} is forgotten: ${path} is gone`));
  if (isRunning && obstacle === null) terminal.print('reloaded');
  return obstacle === null ? EXIT.done : EXIT.configuration;
}

/** That of the daemon that runs, unless another is named. */
async function findConfiguration(
  options: Place,
  terminal: Terminal,
): Promise<{ readonly configPath: string; readonly isRunning: boolean }> {
  const named = configPathOf(options, terminal);
  try {
    const status = await askDaemon<StatusReport>(options, terminal, {
      method: 'GET',
      path: pathOf(['status']),
    });
    const isNamed = options.config !== undefined;
    const isRunning = !isNamed || named === status.configuration;
    return { configPath: isNamed ? named : status.configuration, isRunning };
  } catch (error) {
    if (error instanceof OperationalError && error.code === 'daemon-not-running')
      return { configPath: named, isRunning: false };
    throw error;
  }
}

/** What stands in the way of a configuration, null when nothing does, and what may be meant otherwise. */
type Trial = { readonly obstacle: string | null; readonly warnings: readonly Problem[] };

/** Has the daemon reload, or without one reads the configuration as it would. */
async function tryOut(
  configPath: string,
  isRunning: boolean,
  options: Place,
  terminal: Terminal,
): Promise<Trial> {
  const { plan, problems, warnings } = await load(configPath, terminal);
  if (plan === null) return { obstacle: problems.map(formatProblem).join('\n'), warnings };
  if (!isRunning) return { obstacle: null, warnings };
  const asked = { method: 'POST', path: pathOf(['reload']) } as const;
  const report = await askDaemon<ReloadReport>(options, terminal, asked);
  return { obstacle: report.applied ? null : printableLines(report.problems.join('\n')), warnings };
}

async function load(configPath: string, terminal: Terminal): Promise<LoadedConfig> {
  const { loadConfig } = await import('../../config/load.ts');
  const { userId: uid, environment: env } = terminal;
  return loadConfig({ configPath, uid, env, filtersInUseOnly: true });
}

/** Every value is quoted as JSON, which TOML's basic strings take as it is. */
function dropInOf(network: Network, options: AdoptOptions): string {
  const lines: readonly (readonly [string, unknown])[] = [
    ['name', options.name],
    ['addresses', [network]],
    ['certificates', options.certificate],
    ['transports', options.over],
    ['jails', options.jail],
    ['dialect', options.dialect],
    ['relay', options.relay],
    ['confidence', options.lowConfidence === true ? 'low' : undefined],
  ];
  const written = lines.flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${JSON.stringify(value)}`],
  );
  return [ADOPTED_MARK, '', '[[sender]]', ...written, ''].join('\n');
}

function readNetwork(text: string): Network {
  const network = parseNetwork(text);
  if (network === null) throw new InvalidArgumentError('It is not an address or a network.');
  return network;
}

function readName(text: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('Write 1 to 32 of a-z, 0-9, - and _, beginning with a letter or a digit.');
}
