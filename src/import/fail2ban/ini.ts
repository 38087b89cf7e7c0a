/**
 * The files of fail2ban: sections with options, as Python's configparser reads them
 * (docs.python.org/3/library/configparser.html), each line of a value with its place.
 */

export type FilePlace = {
  readonly file: string /** From 1; 0 for the file as a whole. */;
  readonly line: number;
};

/** One line of a value. */
export type PlacedLine = { readonly text: string; readonly place: FilePlace };

/** A value has one line or more; the first stands beside the option's name. */
export type PlacedValue = readonly PlacedLine[];

export type IniSection = Map<string, PlacedValue>;

export type IniFile = {
  /** Sections by name, also the one named DEFAULT. Option names are lower case. */
  readonly sections: Map<string, IniSection>;
  readonly faults: readonly IniFault[];
};

export type IniFault = { readonly place: FilePlace; readonly message: string };

/** Lines of one file that are read. */
const MAX_LINES = 20_000;

/** Reads a file's text. What is not understood becomes a fault; the rest is read. */
export function parseIni(file: string, text: string): IniFile {
  return new Reader(file).read(text);
}

class Reader {
  readonly #file: string;
  readonly #sections = new Map<string, IniSection>();
  readonly #faults: IniFault[] = [];
  #section: IniSection | null = null;
  #value: PlacedLine[] | null = null;
  /** Columns by which the option is indented; what is indented more goes on with it. */
  #indent = 0;

  constructor(file: string) {
    this.#file = file;
  }

  read(text: string): IniFile {
    const lines = text.split(/\r\n|\r|\n/);
    for (const [index, line] of lines.slice(0, MAX_LINES).entries()) this.#line(line, index + 1);
    if (lines.length > MAX_LINES) this.#fault(MAX_LINES, `only the first ${MAX_LINES} lines are read`);
    for (const section of this.#sections.values()) {
      for (const [option, value] of section) section.set(option, withoutEmptyEnd(value));
    }
    return { sections: this.#sections, faults: this.#faults };
  }

  #line(line: string, number: number): void {
    const place = { file: this.#file, line: number };
    const isComment = /^\s*[#;]/.test(line);
    const text = isComment ? '' : line.replace(/(?:^|\s);.*$/, '').trim();
    if (text === '') {
      if (!isComment && line.trim() === '') this.#value?.push({ text: '', place });
      return;
    }
    const indent = line.length - line.trimStart().length;
    if (this.#value !== null && indent > this.#indent) {
      this.#value.push({ text, place });
      return;
    }
    this.#indent = indent;
    const header = /^\[([^\]]+)\]/.exec(text);
    if (header !== null) this.#open(header[1] ?? '');
    else this.#option(text, place);
  }

  #open(name: string): void {
    this.#section = this.#sections.get(name) ?? new Map();
    this.#sections.set(name, this.#section);
    this.#value = null;
  }

  #option(text: string, place: FilePlace): void {
    const end = text.search(/[=:]/);
    const name = text.slice(0, Math.max(0, end)).trim().toLowerCase();
    if (this.#section === null || name === '') {
      this.#fault(
        place.line,
        this.#section === null ? 'stands in no section' : 'is no option: it has no name or no =',
      );
      this.#value = null;
      return;
    }
    this.#value = [{ text: text.slice(end + 1).trim(), place }];
    if (this.#section.has(name))
      this.#fault(place.line, `the option ${name} is given twice; the last one counts`);
    this.#section.set(name, this.#value);
  }

  #fault(line: number, message: string): void {
    this.#faults.push({ place: { file: this.#file, line }, message });
  }
}

/** Empty lines at the end belong to the file, not to the value. */
function withoutEmptyEnd(value: PlacedValue): PlacedValue {
  const last = value.findLastIndex(({ text }) => text !== '');
  return value.slice(0, Math.max(1, last + 1));
}
