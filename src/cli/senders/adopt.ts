/**
 * `bailiff senders adopt` and `bailiff senders forget`: a drop-in with one [[sender]], put in force by a reload where a
 * daemon runs. A configuration that would not bear it stays as it was.
 */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { formatWarning } from '../../config/document/problem.ts';
import { type Network, parseNetwork } from '../../core/address/address.ts';
import { printable } from '../../core/text/printable.ts';
import {
  configOption,
  EXIT,
  examples,
  type JsonOptions,
  jsonOption,
  printJson,
  type Session,
  socketOption,
} from '../command.ts';
import { dropInPath, readDropIn, removeDropIn, writeDropIn } from '../drop-ins/drop-in.ts';
import { findConfiguration, type Place, tryOut } from '../drop-ins/trial.ts';
import { complainAbout, type Terminal } from '../render/terminal.ts';

/** The first line of every drop-in that `adopt` writes; `forget` takes no other away. */
export const ADOPTED_MARK = '# Written by bailiff senders adopt.';

/** What `--json` prints. */
export type AdoptReport = {
  readonly name: string;
  readonly file: string;
  /** False when exactly that was so before. */
  readonly changed: boolean;
  readonly reloaded: boolean;
};

export type AdoptOptions = Place &
  JsonOptions & {
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
    .addOption(jsonOption())
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
  const found = await findConfiguration(options, terminal);
  const path = dropInPath(found.configPath, `sender-${options.name}`);
  const [name, text] = [options.name, dropInOf(network, options)];
  const tell = (report: AdoptReport): void => printJson(terminal, report);
  if (readDropIn(path) === text) {
    if (options.json) tell({ name, file: path, changed: false, reloaded: false });
    else terminal.print(printable(`${name} is ${network} already: ${path}`));
    return EXIT.done;
  }
  writeDropIn(path, text);
  const { obstacle, warnings } = await tryOut(found, options, terminal);
  if (obstacle !== null) {
    removeDropIn(path);
    terminal.complain(obstacle);
    complainAbout(terminal, `${network} is not adopted: the configuration would have problems`);
    return EXIT.configuration;
  }
  for (const warning of warnings) if (warning.file === path) terminal.complain(formatWarning(warning));
  if (options.json) {
    tell({ name, file: path, changed: true, reloaded: found.isRunning });
    return EXIT.done;
  }
  terminal.print(printable(`${name} is ${network}: ${path}`));
  terminal.print(found.isRunning ? 'reloaded' : 'the daemon is not running: it will know when it starts');
  return EXIT.done;
}

async function forget(name: string, options: Place, terminal: Terminal): Promise<number> {
  const found = await findConfiguration(options, terminal);
  const { configPath, isRunning } = found;
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
  const { obstacle } = await tryOut(found, options, terminal);
  if (obstacle !== null) terminal.complain(obstacle);
  terminal.print(printable(`${name} is forgotten: ${path} is gone`));
  if (isRunning && obstacle === null) terminal.print('reloaded');
  return obstacle === null ? EXIT.done : EXIT.configuration;
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
