/**
 * Reads the journal through libsystemd's sd-journal(3). A reader belongs to the thread that opened it, for life
 * (sd-journal(3), "Thread safety"). It is made for one loop: next(), copy the fields of the entry, next() again; an
 * entry of eight fields costs some 5 µs. What a field holds may have been written by an attacker: any bytes, any
 * length. The files are mapped: root, who alone could do it, kills us by SIGBUS when he truncates one in place.
 */
import { OperationalError } from '../core/errors.ts';
import type { Microseconds } from '../core/time.ts';
import { copyMemory, OutputCells, PinnedBytes, POINTER, type Pointer, takeString } from './memory.ts';
import { checkResult, openSystemd, resultError } from './systemd.ts';

/** What happened to the journal's files since the last question: sd_journal_wait(3). */
export type JournalChange = 'none' | 'append' | 'invalidate';

/** systemd/sd-journal.h. Without a flag for one of them, both system and user journals are read. */
const SD_JOURNAL_LOCAL_ONLY = 1;
const SD_JOURNAL_APPEND = 1;
const SD_JOURNAL_INVALIDATE = 2;

const ENOENT = -2;

/** The name of a field in the form that the library wants it. Make it once and keep it. */
export class JournalField {
  readonly name: string;
  /** Bytes of `NAME=`, which precede the value. */
  readonly prefixLength: number;
  readonly pointer: Pointer;
  readonly #memory: PinnedBytes;

  constructor(name: string) {
    this.name = name;
    this.prefixLength = name.length + 1;
    this.#memory = new PinnedBytes(new ArrayBuffer(name.length + 1));
    this.#memory.bytes.write(name, 'latin1');
    this.pointer = this.#memory.pointer;
  }
}

export class JournalReader {
  readonly #sd: JournalFunctions;
  readonly #out = new OutputCells(2);
  #handle: Pointer;
  #largestFieldBytes = 0;

  private constructor(sd: JournalFunctions, handle: Pointer) {
    this.#sd = sd;
    this.#handle = handle;
  }

  /**
   * Opens the journal of this machine, or the journal files of one directory. Files that may not be read are left out
   * without a word. Throws OperationalError: `library-missing`, or the errno's name.
   */
  static open(directory: string | null): JournalReader {
    const sd = openFunctions();
    const out = new OutputCells(1);
    if (directory === null) {
      checkResult('sd_journal_open', sd.open(out.pointer, SD_JOURNAL_LOCAL_ONLY));
    } else {
      checkResult(`sd_journal_open_directory ${directory}`, sd.openDirectory(out.pointer, directory, 0));
    }
    return new JournalReader(sd, out.read(0));
  }

  /** Longer fields may be cut to about this many bytes while they are decompressed; 0 for no limit. */
  limitFieldBytes(bytes: number): void {
    checkResult('sd_journal_set_data_threshold', this.#sd.setDataThreshold(this.#handle, bytes));
  }

  /**
   * Reads only entries with one of these `FIELD=value`; all entries when there are none. The place in the journal
   * stays, and next() goes on behind it.
   */
  setMatches(matches: readonly string[]): void {
    this.#sd.flushMatches(this.#handle);
    for (const [index, match] of [...new Set(matches)].entries()) {
      if (index > 0) checkResult('sd_journal_add_disjunction', this.#sd.addDisjunction(this.#handle));
      const data = Buffer.from(match);
      checkResult(`sd_journal_add_match ${match}`, this.#sd.addMatch(this.#handle, data, data.length));
    }
  }

  /** The next call of next() reads the oldest entry. */
  seekHead(): void {
    checkResult('sd_journal_seek_head', this.#sd.seekHead(this.#handle));
  }

  /** The next call of previous() reads the newest entry. next() says nothing useful here. */
  seekTail(): void {
    checkResult('sd_journal_seek_tail', this.#sd.seekTail(this.#handle));
  }

  /** The next call of next() reads the first entry at or after `at`. */
  seekRealtime(at: Microseconds): void {
    checkResult('sd_journal_seek_realtime_usec', this.#sd.seekRealtime(this.#handle, Math.max(0, at)));
  }

  /** The next call of next() reads this entry; when it is gone, silently another one: ask isAt(). */
  seekCursor(cursor: string): void {
    checkResult('sd_journal_seek_cursor', this.#sd.seekCursor(this.#handle, cursor));
  }

  /** Whether the current entry is the one of this cursor. */
  isAt(cursor: string): boolean {
    return checkResult('sd_journal_test_cursor', this.#sd.testCursor(this.#handle, cursor)) > 0;
  }

  /** Steps to the next entry; false at the end, where the current entry stays the last one. */
  next(): boolean {
    const result = this.#sd.next(this.#handle);
    return result === 0 ? false : checkResult('sd_journal_next', result) > 0;
  }

  /** Steps to the entry before; false at the beginning. */
  previous(): boolean {
    return checkResult('sd_journal_previous', this.#sd.previous(this.#handle)) > 0;
  }

  /**
   * Takes note of files that came, went or grew, without waiting. next() alone never sees a new file. Journald
   * announces that a file has grown at most every 250 ms, but next() sees a new entry of a known file at once.
   */
  refresh(): JournalChange {
    const change = checkResult('sd_journal_wait', this.#sd.wait(this.#handle, 0));
    if (change === SD_JOURNAL_INVALIDATE) return 'invalidate';
    return change === SD_JOURNAL_APPEND ? 'append' : 'none';
  }

  /** When journald received the current entry. */
  realtime(): Microseconds {
    checkResult('sd_journal_get_realtime_usec', this.#sd.getRealtime(this.#handle, this.#out.pointer));
    return this.#out.read(0);
  }

  /** The current entry's cursor: an opaque text that names it for good. */
  cursor(): string {
    checkResult('sd_journal_get_cursor', this.#sd.getCursor(this.#handle, this.#out.pointer));
    return takeString(this.#out.read(0));
  }

  /** Of the fields that copyField has met: the library keeps as much memory until it is closed. */
  get largestFieldBytes(): number {
    return this.#largestFieldBytes;
  }

  /**
   * Copies the value of a field of the current entry to target[offset, offset + limit) and returns its whole length,
   * which may be more than `limit`; -1 when the entry has no such field. Of several values it takes one. Throws
   * OperationalError when the entry is damaged.
   */
  copyField(field: JournalField, target: PinnedBytes, offset: number, limit: number): number {
    const out = this.#out;
    const result = this.#sd.getData(this.#handle, field.pointer, out.pointer, out.pointerTo(1));
    if (result === ENOENT) return -1;
    if (result < 0) throw resultError(`sd_journal_get_data ${field.name}`, result);
    const length = out.read(1) - field.prefixLength;
    if (length < 0)
      throw new OperationalError(`sd_journal_get_data ${field.name}: too short`, { code: 'EBADMSG' });
    if (length > this.#largestFieldBytes) this.#largestFieldBytes = length;
    // The library's memory dies at the next call, and its length is the attacker's choice.
    const room = Math.min(limit, target.bytes.length - offset);
    if (room > 0)
      copyMemory(target.pointer + offset, out.read(0) + field.prefixLength, Math.min(length, room));
    return length;
  }

  /** Releases the library's memory and files. Safe to repeat; nothing else may be called afterwards. */
  close(): void {
    if (this.#handle !== 0) this.#sd.close(this.#handle);
    this.#handle = 0;
  }
}

type JournalFunctions = ReturnType<typeof loadFunctions>;

let functions: JournalFunctions | null = null;

function openFunctions(): JournalFunctions {
  functions ??= loadFunctions();
  return functions;
}

/** Declares the functions of systemd/sd-journal.h; every `sd_journal *` and every out-parameter is an address. */
function loadFunctions() {
  const library = openSystemd();
  return {
    open: library.func('sd_journal_open', 'int', [POINTER, 'int']),
    openDirectory: library.func('sd_journal_open_directory', 'int', [POINTER, 'str', 'int']),
    close: library.func('sd_journal_close', 'void', [POINTER]),
    setDataThreshold: library.func('sd_journal_set_data_threshold', 'int', [POINTER, 'size_t']),
    addMatch: library.func('sd_journal_add_match', 'int', [POINTER, 'void *', 'size_t']),
    addDisjunction: library.func('sd_journal_add_disjunction', 'int', [POINTER]),
    flushMatches: library.func('sd_journal_flush_matches', 'void', [POINTER]),
    seekHead: library.func('sd_journal_seek_head', 'int', [POINTER]),
    seekTail: library.func('sd_journal_seek_tail', 'int', [POINTER]),
    seekRealtime: library.func('sd_journal_seek_realtime_usec', 'int', [POINTER, 'uint64_t']),
    seekCursor: library.func('sd_journal_seek_cursor', 'int', [POINTER, 'str']),
    testCursor: library.func('sd_journal_test_cursor', 'int', [POINTER, 'str']),
    next: library.func('sd_journal_next', 'int', [POINTER]),
    previous: library.func('sd_journal_previous', 'int', [POINTER]),
    wait: library.func('sd_journal_wait', 'int', [POINTER, 'uint64_t']),
    getRealtime: library.func('sd_journal_get_realtime_usec', 'int', [POINTER, POINTER]),
    getCursor: library.func('sd_journal_get_cursor', 'int', [POINTER, POINTER]),
    getData: library.func('sd_journal_get_data', 'int', [POINTER, POINTER, POINTER, POINTER]),
  };
}
