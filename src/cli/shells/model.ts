/** The commands, their options and what may stand behind each, as the completions of all shells need them. */
import type { Argument, Command, Option } from 'commander';

/** Values that only the running program knows; `bailiff complete KIND` prints them. */
export const LIVE_KINDS = ['jails', 'banned', 'filters'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

/** What an option or an argument takes; `other` for what nobody can guess. */
export type Values =
  | { readonly kind: LiveKind | 'files' | 'directories' | 'other' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

export type OptionModel = {
  /** With its dashes: `--json`. */
  readonly flag: string;
  readonly description: string;
  /** How the help names the value, and what it is; null for an option without one. */
  readonly value: { readonly name: string; readonly isOptional: boolean; readonly values: Values } | null;
};

export type ArgumentModel = { readonly name: string; readonly isVariadic: boolean; readonly values: Values };

export type CommandModel = {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionModel[];
  readonly arguments: readonly ArgumentModel[];
};

/** By the name of an option or an argument's value, where it means the same everywhere. */
const BY_NAME: Readonly<Record<string, Values['kind'] & ('jails' | 'files' | 'directories')>> = {
  JAIL: 'jails',
  FILE: 'files',
  PATH: 'files',
  DIR: 'directories',
};

/** The others, by command and the argument's name, or by the option. */
const BY_PLACE: Readonly<Record<string, LiveKind>> = {
  '--jail': 'jails',
  '--filter': 'filters',
  'unban ADDRESS': 'banned',
  'bans ADDRESS': 'banned',
  'test NAME': 'filters',
  'lint NAME': 'filters',
};

const HELP_OPTION: OptionModel = { flag: '--help', description: 'print the help', value: null };

/** The first word after `fail2ban-client`; behind it mostly stands a jail. */
const FAIL2BAN_WORDS = ['status', 'banned', 'unban', 'set', 'get', 'reload', 'ping', 'version'];

/** Every command that the help names, in its order. */
export function describeCommands(program: Command): readonly CommandModel[] {
  const visible = program.createHelp().visibleCommands(program);
  const names = visible.map((command) => command.name());
  return visible.map((command) => ({
    name: command.name(),
    summary: command.summary() || command.description(),
    options: command.name() === 'help' ? [] : [...optionsOf(command), HELP_OPTION],
    arguments: argumentsOf(command, names),
  }));
}

/** Of a command that has commands of its own, the options of those together. */
function optionsOf(command: Command): readonly OptionModel[] {
  const inner = innerCommands(command).flatMap((one) => optionsOf(one));
  const own = command.options.flatMap((option) => {
    if (option.hidden || option.long === undefined) return [];
    const { description } = option;
    return [{ flag: option.long, description, value: optionValue(option) }];
  });
  return [...new Map([...own, ...inner].map((option) => [option.flag, option])).values()];
}

function innerCommands(command: Command): readonly Command[] {
  if (command.commands.length === 0) return [];
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help');
}

function optionValue(option: Option): OptionModel['value'] {
  if (!option.required && !option.optional) return null;
  const name = / [<[](.*?)(?:\.\.\.)?[>\]]$/.exec(option.flags)?.[1] ?? '';
  const values = valuesOf(option.long ?? '', name, option.argChoices);
  return { name, isOptional: !option.required, values };
}

function argumentsOf(command: Command, commandNames: readonly string[]): readonly ArgumentModel[] {
  if (command.name() === 'help') {
    return [{ name: 'COMMAND', isVariadic: false, values: { kind: 'words', words: commandNames } }];
  }
  if (command.name() === 'fail2ban-client') {
    return [
      { name: 'COMMAND', isVariadic: false, values: { kind: 'words', words: FAIL2BAN_WORDS } },
      { name: 'JAIL', isVariadic: true, values: { kind: 'jails' } },
    ];
  }
  const inner = innerCommands(command).map((one) => one.name());
  if (inner.length > 0) {
    return [{ name: 'COMMAND', isVariadic: false, values: { kind: 'words', words: inner } }];
  }
  return command.registeredArguments.map((argument: Argument) => ({
    name: argument.name(),
    isVariadic: argument.variadic,
    values: valuesOf(`${command.name()} ${argument.name()}`, argument.name(), argument.argChoices),
  }));
}

function valuesOf(place: string, name: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return { kind: BY_PLACE[place] ?? BY_NAME[name] ?? 'other' };
}
