/** The real bailiff, run from this checkout's sources inside a bed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MILLISECOND } from '../../../src/core/time.ts';
import { PAGE_LIFETIME } from '../../../src/http/shared-page.ts';
import type { Bed } from '../namespace.ts';
import type { BedProcess, ProcessResult } from '../process.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../waiting.ts';

export type DaemonOptions = {
  /** The text of bailiff.toml. */
  readonly configuration: string;
  /** Files beside it, such as `conf.d/sshd.toml`, with their text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Names its directory, for more than one daemon in a bed. Files of an earlier daemon of that name stay. */
  readonly name?: string;
  /** Further arguments of `bailiff run`, such as `--dry-run`. */
  readonly arguments?: readonly string[];
  /** Arguments of node itself, such as `--cpu-prof`. */
  readonly nodeArguments?: readonly string[];
  /** What starts node, such as `setpriv --no-new-privs`; it must become it, not start a child. */
  readonly wrapper?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
};

export type ApiRequest = { readonly method?: 'GET' | 'POST' | 'DELETE'; readonly body?: unknown };
export type ApiAnswer = { readonly status: number; readonly body: unknown };

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const STOP_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;

/** Runs any command of bailiff in the bed, to its end, whatever its exit status is. */
export function bailiff(bed: Bed, ...words: readonly string[]): Promise<ProcessResult> {
  return bed.run([process.execPath, MAIN, ...words], { anyStatus: true });
}

export class Daemon {
  readonly #bed: Bed;
  readonly #options: DaemonOptions;
  #process: BedProcess;
  #pageReadAt = Number.NEGATIVE_INFINITY;

  private constructor(bed: Bed, options: DaemonOptions, running: BedProcess) {
    this.#bed = bed;
    this.#options = options;
    this.#process = running;
  }

  /** Writes its configuration, starts it, and resolves when it answers. Rejects with its output when it ends. */
  static async start(bed: Bed, options: DaemonOptions): Promise<Daemon> {
    writeFiles(bed, options);
    const daemon = new Daemon(bed, options, await startProcess(bed, options));
    await daemon.#answering();
    return daemon;
  }

  get directory(): string {
    return directoryOf(this.#bed, this.#options);
  }

  get configurationPath(): string {
    return join(this.directory, 'bailiff.toml');
  }

  get socketPath(): string {
    return socketOf(this.directory);
  }

  /** As seen from outside the bed: for signals and for /proc. */
  get pid(): number {
    return this.#process.pid;
  }

  /** What this run has printed so far, on both outputs. */
  get output(): string {
    return this.#process.output;
  }

  /** Resolves to the first line of this run that matches, printed already or still to come. */
  waitForLine(pattern: RegExp, timeoutMilliseconds: number): Promise<string> {
    return this.#process.waitForLine(pattern, timeoutMilliseconds);
  }

  /** Replaces the text of bailiff.toml; it takes effect at the next reload or start. */
  configure(configuration: string): void {
    writeFileSync(this.configurationPath, configuration);
  }

  /** Starts it again, after stop() or kill9(), on the files that it left. */
  async restart(): Promise<void> {
    if (this.#process.result === null) throw new Error('the daemon is still running');
    this.#process = await startProcess(this.#bed, this.#options);
    await this.#answering();
  }

  /** SIGTERM; resolves to its end. Rejects, after killing it, when it does not end. */
  async stop(): Promise<ProcessResult> {
    this.#process.kill('SIGTERM');
    const late = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT_MILLISECONDS);
    const result = await this.#process.ended;
    clearTimeout(late);
    if (result.status === 137) throw new Error(`bailiff did not stop in time:\n${this.output}`);
    return result;
  }

  /** SIGKILL, as if the power had gone for it alone. */
  async kill9(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.ended;
  }

  /** A request to the control socket; the body is parsed when it is JSON, else text. */
  api(path: string, options: ApiRequest = {}): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      const body = options.body === undefined ? undefined : JSON.stringify(options.body);
      const sent = request(
        {
          socketPath: this.socketPath,
          path,
          method: options.method ?? 'GET',
          headers: body === undefined ? {} : { 'content-type': 'application/json' },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: parseBody(text) }));
          answer.once('error', reject);
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  }

  /** A command of bailiff against this daemon's socket; resolves whatever its exit status is. */
  command(...words: readonly string[]): Promise<ProcessResult> {
    return bailiff(this.#bed, ...words, '--socket', this.socketPath);
  }

  /** The samples of the metrics page, each under its name with labels as printed: `up{jail="sshd"}`. */
  async metrics(url = 'http://127.0.0.1:9185/metrics'): Promise<ReadonlyMap<string, number>> {
    return parseMetrics(await this.metricsText(url));
  }

  /** Made since the last one: whoever asks within a second gets the same page again. */
  async metricsText(url = 'http://127.0.0.1:9185/metrics'): Promise<string> {
    await pause(Math.max(0, this.#pageReadAt + PAGE_LIFETIME / MILLISECOND - performance.now()));
    const { stdout } = await this.#bed.run([process.execPath, '-e', FETCH, url]);
    this.#pageReadAt = performance.now();
    return stdout;
  }

  async #answering(): Promise<void> {
    await waitFor('bailiff to answer', PATIENCE_MILLISECONDS, async () => {
      if (this.#process.result !== null) return 'ended';
      const answer = await this.api('/v1/ping');
      return answer.status === 200 ? 'ready' : null;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; its output:\n${this.output}`, { cause: error });
    });
    const { result } = this.#process;
    if (result !== null) throw new Error(`bailiff ended with status ${result.status}:\n${this.output}`);
  }
}

const FETCH = `
fetch(process.argv[1]).then(async (answer) => {
  process.stdout.write(await answer.text());
  if (!answer.ok) { console.error(answer.status); process.exitCode = 1; }
});`;

/** Reads the Prometheus text format (version 0.0.4): `name{labels} value`, comments left out. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)/.exec(line);
    if (found !== null) samples.set(found[1] ?? '', Number(found[2]?.replace('Inf', 'Infinity')));
  }
  return samples;
}

function directoryOf(bed: Bed, options: DaemonOptions): string {
  return join(bed.directory, options.name ?? 'bailiff');
}

function socketOf(directory: string): string {
  return join(directory, 'bailiff.sock');
}

function writeFiles(bed: Bed, options: DaemonOptions): void {
  const directory = directoryOf(bed, options);
  for (const [name, text] of Object.entries({ 'bailiff.toml': options.configuration, ...options.files })) {
    const path = join(directory, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }
}

function startProcess(bed: Bed, options: DaemonOptions): Promise<BedProcess> {
  const directory = directoryOf(bed, options);
  return bed.start(
    [
      ...(options.wrapper ?? []),
      process.execPath,
      ...(options.nodeArguments ?? []),
      MAIN,
      'run',
      '--config',
      join(directory, 'bailiff.toml'),
      '--state-dir',
      join(directory, 'state'),
      '--socket',
      socketOf(directory),
      ...(options.arguments ?? []),
    ],
    options.environment === undefined ? {} : { environment: options.environment },
  );
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
