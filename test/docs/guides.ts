/** The Markdown of the project as tests want to see it: its code blocks, the commands of bailiff in it, its links. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';

/** `path` is relative to the project, such as `docs/filters.md`. */
export type Guide = { readonly path: string; readonly text: string };

/** A piece of a guide and the line, from 1, that it begins in. */
export type Piece = { readonly text: string; readonly line: number };

/** README.md and everything below docs/. */
export function readGuides(project: string): readonly Guide[] {
  const pages = readdirSync(join(project, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return ['README.md', ...pages.sort()].map((path) => ({
    path,
    text: readFileSync(join(project, path), 'utf8'),
  }));
}

/** The fenced blocks in a language, without the indentation of the list that they may stand in. */
export function blocksOf({ text }: Guide, language: string): readonly Piece[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\`$`, 'gms');
  return [...text.matchAll(fence)].map(({ 1: indentation = '', 2: body = '', index }) => ({
    text: body.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
    line: lineOf(text, index) + 1,
  }));
}

/**
 * Every command of bailiff: in `code`, and at the beginning of a line or behind && in a block. Where the shell sends its
 * output, and comments, are left out.
 */
export function commandsOf({ text }: Guide): readonly Piece[] {
  const inCode = [...text.matchAll(/`((?:npx )?bailiff [^`\n]+)`/g)];
  const inBlocks = [...text.matchAll(/^ *(?:\$ |# )?((?:sudo |npx )?bailiff [^\n`]+)$/gm)].filter(
    ({ index }) => isCode(text, index),
  );
  return [...inCode, ...inBlocks].flatMap(({ 1: line = '', index }) =>
    line
      .split(/&&|\||;/)
      .map((part) =>
        part
          .replace(/\s(?:>|#\s).*$/, '')
          .trim()
          .replace(/^(?:sudo |npx )/, ''),
      )
      .filter((part) => part.startsWith('bailiff '))
      .map((part) => ({ text: part, line: lineOf(text, index) })),
  );
}

/** What stands in backquotes within a text, each in one line. */
export function codeOf({ text }: Guide): readonly Piece[] {
  return text
    .split('\n')
    .flatMap((content, index) =>
      [...content.matchAll(/`([^`]+)`/g)].map(({ 1: code = '' }) => ({ text: code, line: index + 1 })),
    );
}

/** Messages as they come in, `<38>...`, and those that a `logger` with a tag would send. */
export function logLinesOf({ text }: Guide): readonly Piece[] {
  const whole = [...text.matchAll(/^ {4}(<\d+>.+)$/gm)];
  const logged = [...text.matchAll(/logger\s[^`]*?(?:-t|--tag) (\w+)(?: |\s*\\\s+)"([^"]+)"/g)];
  return [
    ...whole.map(({ 1: line = '', index }) => ({ text: line, line: lineOf(text, index) })),
    ...logged.map(({ 1: tag, 2: message = '', index }) => ({
      text: `<38>Nov 20 14:13:17 host ${tag}: ${message.replaceAll(/\s+/g, ' ')}`,
      line: lineOf(text, index),
    })),
  ];
}

/** Links to files of the project. */
export function linksOf({ text }: Guide): readonly Piece[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .filter(({ 1: target = '' }) => !/^[a-z]+:/.test(target))
    .map(({ 1: target = '', index }) => ({ text: target, line: lineOf(text, index) }));
}

/** What is wrong with a command line, or null. A word in capitals stands for any. */
export function problemOf(program: Command, commandLine: string): string | null {
  const words = splitWords(commandLine).slice(1);
  let command = program;
  let operands = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word.startsWith('-') && word !== '-' && !/^-\d/.test(word)) {
      if (word === '--help' || word === '-h') continue;
      const [flag = '', value] = word.split('=', 2);
      const option = optionOf(command, flag);
      if (option === undefined) return `no option ${flag}`;
      if ((option.required || option.optional) && value === undefined) index++;
      continue;
    }
    const subcommand = command.commands.find((candidate) => candidate.name() === word);
    if (operands === 0 && subcommand !== undefined) command = subcommand;
    else if (operands === 0 && command.commands.length > 0) {
      if (/^[A-Z]+$/.test(word)) return null;
      if (word === 'help') return null;
      return `no command ${word}`;
    } else operands++;
  }
  const { registeredArguments } = command;
  const takesMore = registeredArguments.some(({ variadic }) => variadic);
  return operands > registeredArguments.length && !takesMore ? 'too many words' : null;
}

function optionOf(command: Command, flag: string) {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

/** As a shell does it, but for what guides do not use. Brackets around an optional word are dropped. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? (plain ?? '').replace(/^\[|\]$/g, ''),
  );
}

/** Whether a place is in a block: fenced, or indented by four blanks. */
function isCode(text: string, index: number): boolean {
  const line = text.slice(index, text.indexOf('\n', index));
  const fences = text.slice(0, index).match(/^ *```/gm)?.length ?? 0;
  return fences % 2 === 1 || line.startsWith('    ');
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
