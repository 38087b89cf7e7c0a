/**
 * Lines of standard output that journald has broken: at NUL, at LineMax (48 KiB), where another process writes into the
 * same stream, and where the stream ends. It says so in `_LINE_BREAK` (systemd.journal-fields(7)), and the next entry of
 * the stream goes on in the middle of the line: what it begins with may be a client's text.
 */

/** An entry holds a whole line, one whose end is missing, or the rest of one. */
export type LinePart = 'whole' | 'beginning' | 'rest';

/** Streams with a broken line that are remembered; beyond it the one that broke longest ago is forgotten. */
export const MAX_BROKEN_STREAMS = 4_096;

type Broken = {
  /** The next entry goes on, whoever wrote it. */
  isNext: boolean;
  /** Processes whose next entry goes on. */
  readonly pids: Set<string>;
};

export class BrokenLines {
  readonly #streams = new Map<string, Broken>();

  /** What an entry of this `_STREAM_ID`, `_PID` and `_LINE_BREAK` holds; in the order of the journal, each once. */
  judge(stream: string, pid: string, lineBreak: string): LinePart {
    const broken = this.#streams.get(stream);
    const isRest = broken !== undefined && (broken.isNext || broken.pids.has(pid));
    if (broken !== undefined) {
      broken.isNext = false;
      broken.pids.delete(pid);
    }
    if (lineBreak === '' || lineBreak === 'eof') {
      if (broken?.pids.size === 0 || lineBreak === 'eof') this.#streams.delete(stream);
    } else this.#note(stream, pid, lineBreak !== 'pid-change');
    if (isRest) return 'rest';
    return lineBreak === '' ? 'whole' : 'beginning';
  }

  #note(stream: string, pid: string, isNext: boolean): void {
    const broken = this.#streams.get(stream) ?? { isNext, pids: new Set() };
    broken.isNext = isNext;
    if (broken.pids.size < MAX_PIDS) broken.pids.add(pid);
    this.#streams.delete(stream);
    this.#streams.set(stream, broken);
    if (this.#streams.size <= MAX_BROKEN_STREAMS) return;
    const [oldest] = this.#streams.keys();
    if (oldest !== undefined) this.#streams.delete(oldest);
  }
}

/** Processes that write into one stream and have a broken line there. */
const MAX_PIDS = 64;
