/** What all commands have in common: exit statuses, shared options, help with examples. */
import { type Command, Option } from 'commander';
import { DEFAULT_CONFIG_PATH, defaultConfigPath } from '../config/paths.ts';
import { printableJson } from '../core/text/printable.ts';
import type { Terminal } from './render/terminal.ts';

/** What the shell sees. `no` is an understood request with a negative outcome. */
export const EXIT = { done: 0, no: 1, usage: 2, notRunning: 3, configuration: 4 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** What each of them means, in the help and the manual. */
export const EXIT_MEANINGS: ReadonlyArray<readonly [string, string]> = [
  ['0', 'done'],
  ['1', 'no: refused, not found, or not possible'],
  ['2', 'the command line is wrong'],
  ['3', 'the daemon is not running'],
  ['4', 'the configuration is wrong'],
  ['78', 'run: the configuration of a first start is wrong'],
];

/** Variables of the environment that every command heeds. */
export const ENVIRONMENT: ReadonlyArray<readonly [string, string]> = [
  ['BAILIFF_CONFIG', 'configuration file, as --config'],
  ['BAILIFF_SOCKET', 'control socket, as --socket'],
  ['NO_COLOR', 'when set, no colours'],
];

/** One run of the program: where to write, and how it ended. */
export type Session = {
  readonly terminal: Terminal;
  /** Called once, by the command that ran. */
  readonly end: (status: number) => void;
};

/** Adds one command to the program. */
export type AddCommand = (program: Command, session: Session) => void;

export type SocketOptions = { readonly socket?: string };
export type JsonOptions = { readonly json?: true };
export type ConfigOptions = { readonly config?: string };

export function socketOption(): Option {
  return new Option(
    '--socket <PATH>',
    'control socket of the daemon (default: $BAILIFF_SOCKET, else its usual place)',
  );
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON, for programs');
}

export function configOption(): Option {
  return new Option(
    '--config <FILE>',
    `configuration (default: $BAILIFF_CONFIG, else ${DEFAULT_CONFIG_PATH})`,
  );
}

/** The configuration that is meant: `--config`, else $BAILIFF_CONFIG, else the system's, or in a checkout its own. */
export function configPathOf(options: ConfigOptions, terminal: Terminal): string {
  return options.config || terminal.environment.BAILIFF_CONFIG || defaultConfigPath();
}

/** The socket that is meant: `--socket`, else $BAILIFF_SOCKET, else null for the usual place. */
export function socketPathOf(options: SocketOptions, terminal: Terminal): string | null {
  return options.socket || terminal.environment.BAILIFF_SOCKET || null;
}

/** A report as JSON on standard output, indented, safe on a terminal. */
export function printJson(terminal: Terminal, report: unknown): void {
  terminal.print(printableJson(report, 2));
}

/** A part of the help below the options: a heading, and lines whose second words are aligned. */
export function helpSection(heading: string, lines: ReadonlyArray<readonly [string, string]>): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return `\n${heading}:\n${lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join('\n')}`;
}

export function examples(lines: ReadonlyArray<readonly [string, string]>): string {
  return helpSection('Examples', lines);
}
