/**
 * A problem in a file that a person has written, with its place: shown as `file:line:column: message`, the line itself
 * and a caret under the character that it begins at.
 */
import { printable } from '../../core/text/printable.ts';

export type Problem = {
  /** The file's path, or the option of the command line that is meant. */
  readonly file: string;
  /** From 1; 0 when the problem is the file as a whole. */
  readonly line: number;
  /** In characters, from 1; 0 when `line` is 0. */
  readonly column: number;
  readonly message: string;
  /** The source line with its number, and a line with the caret; safe for a terminal. Absent when `line` is 0. */
  readonly excerpt?: string;
};

/** A file that was read: what offsets are counted in. */
export type Source = { readonly file: string; readonly text: string };

/** Where something begins: an offset in UTF-16 units into the source's text. */
export type Place = { readonly source: Source; readonly offset: number };

/** Problems that are found in one go; whoever has made more than that will begin with these. */
export const MAX_PROBLEMS = 200;

/** Characters of a source line that are shown; a longer line is cut on both sides of the caret. */
export const MAX_EXCERPT_WIDTH = 100;

/** Characters of a value that a message quotes. */
export const MAX_QUOTED_LENGTH = 60;

/** A problem of the whole file, which cannot be pointed at. */
export function problemOfFile(file: string, message: string): Problem {
  return { file, line: 0, column: 0, message };
}

export function problemAt(place: Place, message: string): Problem {
  const { text, file } = place.source;
  const within = Math.min(place.offset, text.length);
  const offset = /[\ud800-\udbff]$/.test(text.slice(Math.max(0, within - 1), within)) ? within - 1 : within;
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', start);
  const content = text.slice(start, newline < 0 ? text.length : newline).replace(/\r$/, '');
  const line = countNewlines(text, start) + 1;
  const column = [...text.slice(start, offset)].length + 1;
  return { file, line, column, message, excerpt: drawExcerpt(content, line, offset - start) };
}

/** Two problems in the order in which a person reads them: by line, then by column. */
export function compareProblems(left: Problem, right: Problem): number {
  return left.line - right.line || left.column - right.column;
}

/** `file:line:column: message` in one line, safe for a terminal. */
export function formatProblemLine(problem: Problem): string {
  const place = problem.line === 0 ? '' : `:${problem.line}:${problem.column}`;
  return printable(`${problem.file}${place}: ${problem.message}`);
}

/** The problem with its source line and caret, without a final newline; safe for a terminal. */
export function formatProblem(problem: Problem): string {
  const head = formatProblemLine(problem);
  return problem.excerpt === undefined ? head : `${head}\n${problem.excerpt}`;
}

/** As formatProblem, for what may be meant so. */
export function formatWarning(problem: Problem): string {
  return formatProblem({ ...problem, message: `warning: ${problem.message}` });
}

/** A string as a message quotes it: in double quotes, cut, with nothing in it that a terminal acts on. */
export function quote(text: string): string {
  return `"${printable(text, MAX_QUOTED_LENGTH)}"`;
}

/** Tabs are drawn as one blank, so that the caret stands right whatever the terminal's tab stops are. */
function drawExcerpt(content: string, line: number, index: number): string {
  const draw = (text: string): string[] => [...printable(text.replaceAll('\t', ' '))];
  const { shown, caret } = cutAround(draw(content), draw(content.slice(0, index)).length);
  const margin = String(line).padStart(5);
  return `${margin} | ${shown}\n${' '.repeat(margin.length)} | ${' '.repeat(caret)}^`;
}

/** At most MAX_EXCERPT_WIDTH characters around the one at `index`, with `…` where something was cut away. */
function cutAround(characters: readonly string[], index: number): { shown: string; caret: number } {
  if (characters.length <= MAX_EXCERPT_WIDTH) return { shown: characters.join(''), caret: index };
  const half = MAX_EXCERPT_WIDTH / 2;
  const start = Math.max(0, Math.min(index - half, characters.length - MAX_EXCERPT_WIDTH));
  const end = Math.min(characters.length, start + MAX_EXCERPT_WIDTH);
  const before = start > 0 ? '…' : '';
  const after = end < characters.length ? '…' : '';
  return {
    shown: before + characters.slice(start, end).join('') + after,
    caret: index - start + before.length,
  };
}

function countNewlines(text: string, end: number): number {
  let count = 0;
  for (let index = text.indexOf('\n'); index >= 0 && index < end; index = text.indexOf('\n', index + 1))
    count++;
  return count;
}
