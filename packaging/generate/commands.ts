/** The pages of the commands: what each one says of itself in its help, and what `prose.ts` adds. */
import type { EventEmitter } from 'node:events';
import type { Command, Option } from 'commander';
import { ENVIRONMENT, EXIT_MEANINGS } from '../../src/cli/command.ts';
import {
  type Block,
  heading,
  literal,
  type Page,
  paragraph,
  type Section,
  type Term,
  terms,
} from './page.ts';
import { COMMAND_PROSE, FILES, PROGRAM_PROSE } from './prose.ts';

/** bailiff(8), and a page for every command that the help names. */
export function commandPages(program: Command): readonly Page[] {
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
  return [programPage(program, commands), ...commands.map((command) => commandPage(command, commands))];
}

function programPage(program: Command, commands: readonly Command[]): Page {
  return {
    name: 'bailiff',
    section: 8,
    summary: 'ban attackers that journald and syslog report, in nftables',
    sections: [
      {
        title: 'Synopsis',
        blocks: [
          paragraph('`bailiff` *COMMAND* [*ARGUMENT*...]'),
          paragraph('`bailiff` `--help` | `--version`'),
        ],
      },
      { title: 'Description', blocks: PROGRAM_PROSE.description.map(paragraph) },
      {
        title: 'Commands',
        blocks: [
          paragraph(
            'Each command has a page of its own, such as bailiff-run(8), and explains itself by `--help`.',
          ),
          terms(commands.map((command): Term => [synopsisOf(command, false), sentence(command.summary())])),
        ],
      },
      {
        title: 'Options',
        blocks: [
          terms([
            ['`-h`, `--help`', 'Print the help.'],
            [`\`${program.options[0]?.flags ?? ''}\``, sentence(program.options[0]?.description ?? '')],
          ]),
        ],
      },
      { title: 'Exit status', blocks: [terms(asTerms(EXIT_MEANINGS))] },
      { title: 'Environment', blocks: [terms(asTerms(ENVIRONMENT))] },
      { title: 'Signals', blocks: [terms(PROGRAM_PROSE.signals)] },
      { title: 'Files', blocks: [terms(FILES)] },
      { title: 'Examples', blocks: PROGRAM_PROSE.examples },
      {
        title: 'See also',
        blocks: [
          paragraph(
            [
              ...commands.map((command) => `bailiff-${command.name()}(8)`),
              'bailiff.toml(5)',
              'bailiff-filters(5)',
              'nft(8)',
              'journalctl(1)',
            ].join(', '),
          ),
        ],
      },
    ],
  };
}

function commandPage(command: Command, all: readonly Command[]): Page {
  const name = command.name();
  const notes = notesOf(command);
  const inner = innerCommands(command);
  const { paragraphs = [], lines = [], seeAlso = [] } = COMMAND_PROSE[name] ?? {};
  const isClient = command.options.some((option) => option.long === '--socket');
  const related = [
    'bailiff(8)',
    ...seeAlso
      .filter((other) => all.some((known) => known.name() === other))
      .map((other) => `bailiff-${other}(8)`),
    'bailiff.toml(5)',
    'bailiff-filters(5)',
  ];
  return {
    name: `bailiff-${name}`,
    section: 8,
    summary: command.summary(),
    sections: [
      { title: 'Synopsis', blocks: synopses(command).map(paragraph) },
      {
        title: 'Description',
        blocks: [
          ...[command.description(), ...paragraphs].map(paragraph),
          ...(lines.length === 0 ? [] : [literal(...lines)]),
        ],
      },
      ...ownSections(command),
      ...(inner.length === 0 ? [] : [{ title: 'Commands', blocks: inner.flatMap(describeInner) }]),
      ...notes.filter((note) => note.title !== 'Examples'),
      {
        title: 'Exit status',
        blocks: [
          terms(
            name === 'fail2ban-client'
              ? [
                  ['0', 'Done.'],
                  ['255', 'Anything else.'],
                ]
              : asTerms(EXIT_MEANINGS),
          ),
        ],
      },
      ...(isClient
        ? [{ title: 'Files', blocks: [terms(FILES.filter(([file]) => file.includes('bailiff.sock')))] }]
        : []),
      ...notes.filter((note) => note.title === 'Examples'),
      { title: 'See also', blocks: [paragraph(related.join(', '))] },
    ],
  };
}

/** The commands of a command. */
function innerCommands(command: Command): readonly Command[] {
  return command.commands.filter((inner) => inner.name() !== 'help');
}

function synopses(command: Command): string[] {
  const own = ownSections(command).length === 0 ? [] : [synopsisOf(command, true)];
  return [...own, ...innerCommands(command).map((inner) => synopsisOf(inner, true))];
}

/** None for a command that only groups others. */
function ownSections(command: Command): readonly Section[] {
  const isGroup = command.options.length === 0 && command.registeredArguments.length === 0;
  if (isGroup && innerCommands(command).length > 0) return [];
  return [...argumentsSection(command), ...optionsSection(command)];
}

function describeInner(command: Command): Block[] {
  return [
    heading(pathOf(command)),
    paragraph(command.description()),
    ...ownSections(command).flatMap((section) => section.blocks),
    ...notesOf(command).flatMap((note) => note.blocks),
  ];
}

/** `bailiff tls issue`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function synopsisOf(command: Command, withOptions: boolean): string {
  const options = withOptions ? command.options.filter((option) => !option.hidden).map(usageOf) : [];
  const names = command.registeredArguments.map((argument) => {
    const name = `*${argument.name()}*${argument.variadic ? '...' : ''}`;
    return argument.required ? name : `[${name}]`;
  });
  return [`\`${pathOf(command)}\``, ...options, ...names].join(' ');
}

function usageOf(option: Option): string {
  const flag = `${flagsOf(option, option.long ?? '')}`;
  return option.mandatory ? flag : `[${flag}]`;
}

/** The flags in bold and the value in italics. */
function flagsOf(option: Option, flags: string): string {
  const name = / [<[](.*)[>\]]$/.exec(option.flags)?.[1];
  if (name === undefined) return `\`${flags}\``;
  return option.required ? `\`${flags}\` *${name}*` : `\`${flags}\` [*${name}*]`;
}

function argumentsSection(command: Command): Section[] {
  if (command.registeredArguments.length === 0) return [];
  const list = command.registeredArguments.map((argument): Term => {
    const more = details(argument.argChoices, argument.defaultValue);
    return [`*${argument.name()}*`, sentence(argument.description), ...more];
  });
  return [{ title: 'Arguments', blocks: [terms(list)] }];
}

function optionsSection(command: Command): Section[] {
  const options = command.options.filter((option) => !option.hidden);
  const list = options.map((option): Term => {
    const flags = option.flags.replace(/ ?[<[].*$/, '').replaceAll(', ', '`, `');
    const more = details(option.argChoices, option.defaultValue);
    return [flagsOf(option, flags), sentence(option.description), ...more];
  });
  // What takes the options of another program lists them in its notes.
  if (command.name() === 'fail2ban-client') return [];
  return [{ title: 'Options', blocks: [terms([...list, ['`-h`, `--help`', 'Print the help.']])] }];
}

function details(choices: readonly string[] | undefined, value: unknown): string[] {
  const texts: string[] = [];
  if (choices !== undefined) texts.push(`One of: ${choices.map((choice) => `\`${choice}\``).join(', ')}.`);
  if (value !== undefined && value !== '') texts.push(`Default: \`${String(value)}\`.`);
  return [texts.join(' ')].filter((text) => text !== '');
}

/** What the help has below the options: headings with two columns below them, and lines of text. */
function notesOf(command: Command): readonly Section[] {
  let text = '';
  // A command is an emitter of its parts of the help, see addHelpText of commander; its types keep that to themselves.
  (command as unknown as EventEmitter).emit('afterHelp', {
    error: false,
    command,
    write: (part: string) => {
      text += part;
    },
  });
  const sections: { title: string; blocks: Block[]; rows: [string, string][] }[] = [];
  for (const line of text.split('\n')) {
    const title = /^([A-Z][\w ]*):$/.exec(line)?.[1];
    const last = sections.at(-1);
    const [, left = '', right = ''] = /^ {2}(\S.*?)?(?: {2,}(\S.*))?$/.exec(line) ?? [];
    if (title !== undefined) sections.push({ title, blocks: [], rows: [] });
    else if (line.startsWith('  ') && last !== undefined) addRow(last.rows, left, right);
    else if (line !== '') sections.push({ title: 'Notes', blocks: [paragraph(line)], rows: [] });
  }
  return sections.map(({ title, blocks, rows }) => {
    if (rows.length === 0) return { title, blocks };
    return { title, blocks: title === 'Examples' ? rows.flatMap(asExample) : [terms(rows.map(asNote))] };
  });
}

/** A row without a first column goes on with the row above. */
function addRow(rows: [string, string][], left: string, right: string): void {
  const last = rows.at(-1);
  if (left === '' && last !== undefined) last[1] += ` ${right}`;
  else rows.push([left, right]);
}

function asExample([line, about]: readonly [string, string]): Block[] {
  return [...(about === '' ? [] : [paragraph(`${capitalised(about)}:`)]), literal(line)];
}

function asNote([left, right]: readonly [string, string]): Term {
  return [`\`${left}\``, right === '' ? '' : sentence(right)];
}

function asTerms(rows: ReadonlyArray<readonly [string, string]>): Term[] {
  return rows.map(([left, right]) => [`\`${left}\``, sentence(right)]);
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? capitalised(text) : `${capitalised(text)}.`;
}

/** Words that are written so stay: `pong`, --json, 203.0.113.9. */
function capitalised(text: string): string {
  return /^[a-z]+[ .:;]/.test(text) || /^[a-z]+$/.test(text)
    ? text.charAt(0).toUpperCase() + text.slice(1)
    : text;
}
