/**
 * A page of the manual, and its text in the macros of man(7).
 *
 * In texts `code` stands in backquotes and becomes bold; *words* between asterisks become italic; and another page,
 * such as bailiff.toml(5), becomes a reference.
 */

export type Page = {
  readonly name: string;
  readonly section: 5 | 8;
  readonly summary: string;
  readonly sections: readonly Section[];
};

export type Section = { readonly title: string; readonly blocks: readonly Block[] };

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  /** Terms, each with a text about it. */
  | { readonly kind: 'terms'; readonly terms: ReadonlyArray<Term> }
  | { readonly kind: 'heading'; readonly text: string }
  /** As it would be typed or written into a file. */
  | { readonly kind: 'literal'; readonly lines: readonly string[] };

/** The term may use the marks of a text; further texts are paragraphs of their own. */
export type Term = readonly [term: string, ...texts: string[]];

/** What stands at the foot of each page; `date` as 2026-11-21. */
export type Imprint = { readonly version: string; readonly date: string };

/** Lines of the source, so that it can be read and compared. */
const SOURCE_COLUMNS = 78;

const SECTION_NAMES = { 5: 'File Formats Manual', 8: "System Manager's Manual" } as const;

export function paragraph(text: string): Block {
  return { kind: 'paragraph', text };
}

export function terms(list: readonly Term[]): Block {
  return { kind: 'terms', terms: list };
}

export function literal(...lines: readonly string[]): Block {
  return { kind: 'literal', lines };
}

export function heading(text: string): Block {
  return { kind: 'heading', text };
}

/** The source of the page, for man and mandoc. */
export function renderPage(page: Page, { version, date }: Imprint): string {
  const head = [page.name.toUpperCase(), String(page.section), date, `bailiff ${version}`];
  const lines = [
    `.TH ${[...head, SECTION_NAMES[page.section]].map((word) => `"${escapeText(word)}"`).join(' ')}`,
    '.SH NAME',
    `${escapeLiteral(page.name)} \\- ${escapeText(page.summary)}`,
    ...page.sections.flatMap((section) => [
      `.SH ${escapeText(section.title.toUpperCase())}`,
      ...section.blocks.flatMap((block, index) => {
        const before = section.blocks[index - 1];
        return renderBlock(block, before === undefined || before.kind === 'heading');
      }),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Right under a heading a paragraph begins by itself. */
function renderBlock(block: Block, isFirst: boolean): string[] {
  switch (block.kind) {
    case 'paragraph':
      return [...(isFirst ? [] : ['.PP']), ...renderText(block.text)];
    case 'terms':
      return block.terms.flatMap(renderTerm);
    case 'heading':
      return [`.SS ${escapeText(block.text)}`];
    case 'literal':
      return [
        ...(isFirst ? [] : ['.PP']),
        '.RS 4',
        '.EX',
        ...block.lines.map((line) => (line === '' ? '\\&' : protect(escapeLiteral(line)))),
        '.EE',
        '.RE',
      ];
  }
}

function renderTerm([term, ...texts]: Term): string[] {
  const [first = '', ...rest] = texts;
  return [
    '.TP',
    protect(formatted(term)),
    ...(first === '' ? ['\\&'] : renderText(first)),
    ...rest.flatMap((text) => ['.IP', ...renderText(text)]),
  ];
}

/** Lines that end with each sentence, or where the source would become too wide. */
function renderText(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of formatted(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > SOURCE_COLUMNS) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
    if (/[.?!]$/.test(word) && !/\b(?:e\.g|i\.e)\.$/.test(word)) {
      lines.push(line);
      line = '';
    }
  }
  return [...lines, ...(line === '' ? [] : [line])].map(protect);
}

function formatted(text: string): string {
  return text
    .split(/(`[^`]+`|\*[^*\s][^*]*\*|\b[a-z][a-z0-9._-]*\([1-8]\))/)
    .map((part) => {
      if (part.startsWith('`') && part.length > 1) return `\\fB${escapeLiteral(part.slice(1, -1))}\\fP`;
      if (/^\*[^*\s]/.test(part) && part.endsWith('*')) return `\\fI${escapeText(part.slice(1, -1))}\\fP`;
      const page = /^([a-z][a-z0-9._-]*)\(([1-8])\)$/.exec(part);
      return page === null ? escapeText(part) : `\\fB${escapeLiteral(page[1] ?? '')}\\fP(${page[2]})`;
    })
    .join('');
}

/** Text as it is meant: a hyphen may become a typographer's one. */
function escapeText(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[^\x20-\x7e]/gu, escapeCharacter);
}

/** Text that is typed or copied: what stands there is what is meant. */
function escapeLiteral(text: string): string {
  return escapeText(text).replaceAll('-', '\\-');
}

function escapeCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `\\[u${code}]`;
}

/** A line that begins with a dot or a quote would be taken for a request. */
function protect(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
