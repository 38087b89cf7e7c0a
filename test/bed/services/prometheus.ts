/** A real Prometheus in a bed, with the files that people get in etc/prometheus, at a quicker pace. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { etcPath } from '../../monitoring/boards.ts';
import type { Bed } from '../namespace.ts';
import { waitFor } from '../waiting.ts';

/** What a query returns for one series: a time in Unix seconds, and a number as text. */
export type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
};

export type Rule = {
  readonly type: 'recording' | 'alerting';
  readonly name: string;
  /** As Prometheus writes it, whatever the file has. */
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  /** Of an alert. */
  readonly state?: 'inactive' | 'pending' | 'firing';
};

const SCRAPE_SECONDS = 1;
const SCRAPES_MILLISECONDS = 10_000;
const ADDRESS = '127.0.0.1:9090';

/** Why there can be none here. */
export function prometheusMissing(): string | false {
  const { status } = spawnSync('prometheus', ['--version'], { stdio: 'ignore' });
  return status === 0 ? false : 'needs prometheus: apt-get install prometheus';
}

export class Prometheus {
  readonly #bed: Bed;

  private constructor(bed: Bed) {
    this.#bed = bed;
  }

  /** Resolves after its first scrape; it ends with the bed. */
  static async start(bed: Bed): Promise<Prometheus> {
    const directory = join(bed.directory, 'prometheus');
    cpSync(etcPath('prometheus'), directory, { recursive: true });
    const path = join(directory, 'prometheus.yml');
    const shipped = readFileSync(path, 'utf8');
    const quick = shipped.replaceAll(/_interval: 15s$/gm, `_interval: ${SCRAPE_SECONDS}s`);
    assert.notEqual(quick, shipped);
    writeFileSync(path, quick);
    const running = await bed.start([
      'prometheus',
      `--config.file=${path}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${ADDRESS}`,
    ]);
    const prometheus = new Prometheus(bed);
    await waitFor('the first scrape', SCRAPES_MILLISECONDS, async () => {
      if (running.result !== null) return 'ended';
      return (await prometheus.#scrapes()) > 0 ? 'scraped' : null;
    });
    assert.equal(running.result, null, running.output);
    return prometheus;
  }

  /** Instant queries, all in one go; rejects with what Prometheus says against one that it cannot run. */
  async ask(queries: readonly string[]): Promise<Sample[][]> {
    const paths = queries.map((query) => `/api/v1/query?query=${encodeURIComponent(query)}`);
    const answers = (await this.#get(paths)) as { readonly result: Sample[] }[];
    return answers.map(({ result }) => result);
  }

  async rules(): Promise<Rule[]> {
    const [answer] = (await this.#get(['/api/v1/rules'])) as {
      readonly groups: { readonly rules: Rule[] }[];
    }[];
    return answer?.groups.flatMap(({ rules }) => rules) ?? [];
  }

  async waitForScrapes(further: number): Promise<void> {
    const before = await this.#scrapes();
    await waitFor(`${further} scrapes`, SCRAPES_MILLISECONDS, async () =>
      (await this.#scrapes()) >= before + further ? true : null,
    );
  }

  async #scrapes(): Promise<number> {
    const [samples] = await this.ask(['sum(count_over_time((up{job="bailiff"} == 1)[1h:1s]))']);
    return Number(samples?.[0]?.value[1] ?? 0);
  }

  async #get(paths: readonly string[]): Promise<unknown[]> {
    const urls = paths.map((path) => `http://${ADDRESS}${path}`);
    const { stdout } = await this.#bed.run([process.execPath, '-e', FETCH], { input: JSON.stringify(urls) });
    return JSON.parse(stdout) as unknown[];
  }
}

const FETCH = `
const urls = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
Promise.all(urls.map(async (url) => {
  const answer = await (await fetch(url)).json();
  if (answer.status !== 'success') throw new Error(decodeURIComponent(url) + ': ' + answer.error);
  return answer.data;
})).then((data) => process.stdout.write(JSON.stringify(data)));`;

/** Values of a few of them, the largest, each with its labels. */
export function describeSamples(samples: readonly Sample[]): string {
  const sizeOf = ({ value }: Sample) => Math.abs(Number(value[1]));
  const largest = [...samples].sort((left, right) => sizeOf(right) - sizeOf(left)).slice(0, 4);
  const shown = largest.map(({ metric, value }) => {
    const { __name__: _name, job: _job, ...labels } = metric;
    const words = Object.values(labels).join(' ');
    return `${words === '' ? '' : `${words}=`}${Number(Number(value[1]).toPrecision(3))}`;
  });
  if (samples.length > shown.length) shown.push(`and ${samples.length - shown.length} more`);
  return shown.join(', ') || 'nothing';
}
