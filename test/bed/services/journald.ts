/** A real systemd-journald inside a bed, with its own files, sockets and machine id: to the bed it is the system's. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bed, StartOptions } from '../namespace.ts';
import type { BedProcess } from '../process.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../waiting.ts';

/** journal field names and values; `MESSAGE` and `SYSLOG_IDENTIFIER` are what most entries have. */
export type JournalFields = Readonly<Record<string, string>>;

export type JournaldOptions = {
  /** Further lines of the [Journal] section of journald.conf(5), such as `SystemMaxUse=8M`. */
  readonly settings?: readonly string[];
};

/** One process that writes entries; journald stamps all of them with its trusted fields. */
export type JournalWriter = {
  /** Resolves to when it was handed to journald: nanoseconds of process.hrtime.bigint(), the same in every process. */
  write(fields: JournalFields): Promise<bigint>;
  close(): void;
};

/** Where the daemon is, in Debian and in Fedora. */
const JOURNALD = ['/usr/lib/systemd/systemd-journald', '/lib/systemd/systemd-journald'];
const WRITER = fileURLToPath(new URL('journal-writer.ts', import.meta.url));
const START_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;

/** The path of systemd-journald, or null where it is not installed. */
export function findJournald(): string | null {
  return JOURNALD.find((path) => existsSync(path)) ?? null;
}

/** The path of systemd-journal-upload or -remote, or null where it is not installed. */
export function findJournalTool(name: 'upload' | 'remote'): string | null {
  const paths = ['/usr/lib/systemd', '/lib/systemd'].map((path) => `${path}/systemd-journal-${name}`);
  return paths.find((path) => existsSync(path)) ?? null;
}

export class Journald {
  readonly #bed: Bed;
  readonly #writers = new Map<string, Promise<JournalWriter>>();
  #daemon: BedProcess | null = null;

  private constructor(bed: Bed) {
    this.#bed = bed;
  }

  /** Starts it and resolves when it takes entries, in some 60 ms. */
  static async start(bed: Bed, options: JournaldOptions = {}): Promise<Journald> {
    const journald = new Journald(bed);
    mkdirSync(journald.directory);
    await bed.run(['sh', '-c', PREPARE, 'prepare', journald.directory], { input: settings(options) });
    await journald.start();
    return journald;
  }

  /** Where its files are: inside the bed, and for readers outside. */
  get directory(): string {
    return join(this.#bed.directory, 'journal');
  }

  /** Paths of the journal files, archived ones included. */
  files(): string[] {
    return readdirSync(this.directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.journal~?$/.test(name))
      .map((name) => join(this.directory, name));
  }

  /** Starts it again after stop() or kill9(). */
  async start(): Promise<void> {
    const path = findJournald();
    if (path === null) throw new Error('systemd-journald is not installed');
    await this.#bed.run(['rm', '-f', READY_SOCKET]);
    this.#daemon = await this.#bed.start([path], {
      environment: { SYSTEMD_LOG_TARGET: 'console', SYSTEMD_LOG_LEVEL: 'notice' },
      ...(this.#bed.units ? { unit: 'systemd-journald.service' } : {}),
    });
    await waitFor('the sockets of systemd-journald', START_TIMEOUT_MILLISECONDS, async () => {
      if (this.#daemon?.result) throw new Error(`systemd-journald ended: ${this.#daemon.output}`);
      const { status } = await this.#bed.run(['test', '-S', READY_SOCKET], { anyStatus: true });
      return status === 0 ? true : null;
    });
  }

  /** Ends it in good order; what is written meanwhile is lost. */
  async stop(): Promise<void> {
    this.#daemon?.kill('SIGTERM');
    await this.#daemon?.ended;
  }

  /** Ends it in the middle of whatever it does. */
  async kill9(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await this.#daemon?.ended;
  }

  /**
   * Writes an entry as the bed's root, so that journald stamps it with `_UID=0`; with a unit or an uid in `options`,
   * as a process of that unit or user. Resolves as JournalWriter.write does.
   */
  async write(fields: JournalFields, options: StartOptions = {}): Promise<bigint> {
    const key = JSON.stringify(options);
    let writer = this.#writers.get(key);
    if (writer === undefined) {
      writer = this.openWriter(options);
      this.#writers.set(key, writer);
    }
    return (await writer).write(fields);
  }

  /** Starts a writer of its own, for a caller that wants to choose or to keep the process. */
  async openWriter(options: StartOptions = {}): Promise<JournalWriter> {
    const running = await this.#bed.start([process.execPath, WRITER], options);
    return new WriterProcess(running);
  }

  /** Archives the current file and begins a new one. */
  async rotate(): Promise<void> {
    await this.#bed.run(['journalctl', '--rotate']);
  }

  /** Deletes archived files until `files` are left, the current one included. */
  async vacuum(files = 1): Promise<void> {
    await this.#bed.run(['journalctl', '--quiet', `--vacuum-files=${files}`]);
  }

  /** Resolves when everything written before is in the files and on the disk. */
  async sync(): Promise<void> {
    await this.#bed.run(['journalctl', '--sync']);
  }

  /** Entries as journald shows them, oldest first; `matches` are `FIELD=value`. */
  async entries(...matches: readonly string[]): Promise<Record<string, string>[]> {
    const { stdout } = await this.#bed.run(['journalctl', '--output=json', '--all', '--quiet', ...matches]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, string>);
  }
}

/** The last of its sockets that journald binds. */
const READY_SOCKET = '/run/systemd/journal/io.systemd.journal';

/** `flushed` makes journald write to /var at once, instead of waiting for the unit that says /var is mounted. */
const PREPARE = `
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/systemd/system /var/log/journal
mount --bind "$1" /var/log/journal
cat >/run/systemd/journald.conf.d/bed.conf
: >/run/systemd/journal/flushed`;

function settings(options: JournaldOptions): string {
  return [
    '[Journal]',
    'Storage=persistent',
    'ReadKMsg=no',
    'Audit=no',
    'ForwardToSyslog=no',
    'RateLimitIntervalSec=0',
    'SystemMaxUse=256M',
    'SystemKeepFree=0',
    ...(options.settings ?? []),
    '',
  ].join('\n');
}

class WriterProcess implements JournalWriter {
  readonly #process: BedProcess;
  readonly #waiting: ((answer: string) => void)[] = [];

  constructor(running: BedProcess) {
    this.#process = running;
    running.onLine((line) => this.#waiting.shift()?.(line));
    running.ended.then((result) => {
      for (const answer of this.#waiting.splice(0)) answer(`error: the writer ended: ${result.stderr}`);
    });
  }

  async write(fields: JournalFields): Promise<bigint> {
    const request = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
    const answer = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#process.result !== null) resolve(`error: the writer has ended: ${this.#process.output}`);
      else this.#process.write(`${JSON.stringify(request)}\n`);
    });
    if (answer.startsWith('error')) throw new Error(`cannot write to the journal: ${answer}`);
    return BigInt(answer);
  }

  close(): void {
    this.#process.end();
  }
}
