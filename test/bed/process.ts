/** A process that a test has started, in a bed or beside it: its output as it comes, its end, and signals to it. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';

export type ProcessResult = {
  /** Exit status, or 128 + the signal's number as shells have it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
};

export class BedProcess {
  /** Resolves when the process has ended and its output is complete; never rejects. */
  readonly ended: Promise<ProcessResult>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #pid = 0;
  #stdout = '';
  #stderr = '';
  #result: ProcessResult | null = null;

  /**
   * Takes a child at the moment it was spawned, with pipes as descriptors 0 to 3, and resolves when it has reported on
   * the last one which process the program is. Rejects, with its output, when it ends without a word.
   */
  static started(child: ChildProcess, command: string): Promise<BedProcess> {
    const made = new BedProcess(child);
    const report = child.stdio[3] as Readable;
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      made.ended.then(() => reject(new Error(`cannot start ${command}: ${made.output.trim()}`)));
      // A line this short comes in one piece. No end follows it: nsenter keeps its copy until the program ends.
      report.once('data', (line: Buffer) => {
        made.#pid = Number.parseInt(line.toString('latin1'), 10);
        resolve(made);
      });
    });
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    // A program that ends without reading its input is no error of ours.
    child.stdin?.on('error', () => {});
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#wake();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        const status = code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0);
        this.#result = { status, stdout: this.#stdout, stderr: this.#stderr };
        this.#wake();
        resolve(this.#result);
      });
    });
  }

  /** As seen from outside the bed: for signals and for /proc. */
  get pid(): number {
    return this.#pid;
  }

  /** Null while it runs. */
  get result(): ProcessResult | null {
    return this.#result;
  }

  /** All of standard output and standard error so far. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** Writes to its standard input. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Closes its standard input. */
  end(text = ''): void {
    this.#child.stdin?.end(text);
  }

  /** Calls `take` with every further complete line of standard output. */
  onLine(take: (line: string) => void): void {
    let rest = '';
    this.#child.stdout?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
  }

  /** Sends a signal; none when it has ended. */
  kill(signal: NodeJS.Signals): void {
    if (this.#result !== null) return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /**
   * Resolves to the first line of standard output or standard error, seen already or still to come, that matches.
   * Rejects with the whole output when the process ends first, or after `timeoutMilliseconds`.
   */
  waitForLine(pattern: RegExp, timeoutMilliseconds: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const look = () => {
        const line = this.#lines().find((candidate) => pattern.test(candidate));
        if (line !== undefined) finish(() => resolve(line));
        else if (this.#result !== null)
          finish(() => reject(this.#complaint(`ended without a line like ${pattern}`)));
      };
      const timer = setTimeout(() => {
        finish(() => reject(this.#complaint(`printed no line like ${pattern} in ${timeoutMilliseconds} ms`)));
      }, timeoutMilliseconds);
      this.#watchers.add(look);
      look();
    });
  }

  /** Complete lines, and what has come of the last one when the process has ended. */
  #lines(): string[] {
    return [this.#stdout, this.#stderr].flatMap((text) => {
      const lines = text.split('\n');
      if (this.#result === null) lines.pop();
      return lines;
    });
  }

  #complaint(what: string): Error {
    return new Error(`process ${this.pid} ${what}; its output:\n${this.output}`);
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
