/** The completion for fish: one `complete` for each command, option and argument; complete(1) of fish. */
import type { ArgumentModel, CommandModel, OptionModel, Values } from './model.ts';

export function renderFishCompletion(
  commands: readonly CommandModel[],
  globalFlags: readonly string[],
): string {
  const lines = [
    '# fish completion for bailiff, as printed by: bailiff completion fish',
    '',
    'complete -c bailiff -f',
    ...globalFlags.map((flag) => `complete -c bailiff -n __fish_use_subcommand -l ${flag.slice(2)}`),
    ...commands.map(
      ({ name, summary }) => `complete -c bailiff -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`,
    ),
    ...commands.flatMap(renderCommand),
  ];
  return `${lines.join('\n')}\n`;
}

function renderCommand(command: CommandModel): string[] {
  const { name, options } = command;
  return [
    '',
    ...options.map((option) => `complete -c bailiff -n ${quote(seen(name))} ${renderOption(option)}`),
    ...command.arguments.flatMap(({ values }, index) => {
      const offers = offersFor(values);
      const condition = seen(name) + renderPosition(index, command.arguments);
      return offers === null ? [] : [`complete -c bailiff -n ${quote(condition)} ${offers}`];
    }),
  ];
}

function seen(command: string): string {
  return `__fish_seen_subcommand_from ${command}`;
}

/** Where there are several arguments, each is for its place: behind `bailiff`, the command, and those before it. */
function renderPosition(index: number, all: readonly ArgumentModel[]): string {
  if (all.length === 1) return '';
  const comparison = index === all.length - 1 ? '-ge' : '-eq';
  return `; and test (count (commandline -opc)) ${comparison} ${index + 2}`;
}

/** An option whose value is optional stands alone: fish would take the next word for its value. */
function renderOption({ flag, description, value }: OptionModel): string {
  const head = `-l ${flag.slice(2)} -d ${quote(description)}`;
  if (value === null || value.isOptional) return head;
  const offers = offersFor(value.values);
  return value.values.kind === 'files' ? `${head} -r -F` : `${head} -x ${offers ?? ''}`.trimEnd();
}

/** Null for what nobody can guess. */
function offersFor(values: Values): string | null {
  switch (values.kind) {
    case 'words':
      return `-a ${quote(values.words.join(' '))}`;
    case 'files':
      return '-F';
    case 'directories':
      return "-a '(__fish_complete_directories)'";
    case 'other':
      return null;
    default:
      return `-a '(bailiff complete ${values.kind} (commandline -ct) 2>/dev/null)'`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
