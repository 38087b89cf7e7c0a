/**
 * The firewall that bans in the kernel: nftables, by a worker that owns the library, since its calls block. A worker
 * that is lost fails what it was asked, as retriable, and the next request starts another one.
 */
import { Worker } from 'node:worker_threads';
import type { Network } from '../core/address/address.ts';
import { OperationalError, unreachable } from '../core/errors.ts';
import type {
  Firewall,
  FirewallBatch,
  FirewallCheck,
  KernelElement,
  Refusal,
  SetCounter,
} from './firewall.ts';
import type { NftReply, NftRequest, NftWorkerData } from './nft.worker.ts';
import { TableQuestions } from './questions.ts';

type Pending = {
  readonly elements: KernelElement[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
};

export class NftFirewall implements Firewall {
  readonly backend = 'nft';
  readonly description: string;
  readonly #table: string;
  readonly #workerModule: URL;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #questions: TableQuestions | null = null;
  /** The ruleset's generation when the worker last looked; null when it has to look in any case. */
  #checkedGeneration: number | null = null;
  #lastId = 0;

  /**
   * `table` is the name of the table in the inet family, `workerModule` what the worker runs. Opens nothing before the
   * first request.
   */
  constructor(table: string, workerModule: URL = new URL('./nft.worker.ts', import.meta.url)) {
    this.#table = table;
    this.#workerModule = workerModule;
    this.description = `nftables, table inet ${table}`;
  }

  /** Starts the worker, so that the first request need not wait for that. Nothing is opened or changed. */
  prepare(): void {
    this.#worker ??= this.#startWorker();
  }

  async install(trust: readonly Network[]): Promise<void> {
    await this.#request({ kind: 'install', trust });
  }

  async apply(batch: FirewallBatch): Promise<readonly Refusal[]> {
    return (await this.#request({ kind: 'apply', batch })).value as readonly Refusal[];
  }

  async list(): Promise<readonly KernelElement[] | null> {
    const { value, elements } = await this.#request({ kind: 'list' });
    return value === true ? elements : null;
  }

  async check(): Promise<FirewallCheck> {
    const generation = this.#readGeneration();
    if (generation !== null && generation === this.#checkedGeneration) return 'intact';
    this.#checkedGeneration = null;
    const check = (await this.#request({ kind: 'check' })).value as FirewallCheck;
    this.#checkedGeneration = generation;
    return check;
  }

  async counters(): Promise<readonly SetCounter[]> {
    return (await this.#request({ kind: 'counters' })).value as readonly SetCounter[];
  }

  async removeTable(): Promise<void> {
    await this.#request({ kind: 'remove' });
  }

  async close(): Promise<void> {
    this.#questions?.close();
    this.#questions = null;
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ id: 0, request: { kind: 'close' } satisfies NftRequest });
    await ended;
  }

  /**
   * The one thing that is asked in this thread: it takes two microseconds, where waking the worker takes a hundred and
   * more, and nearly always nothing has changed. Null leaves the question, and what is wrong, to the worker.
   */
  #readGeneration(): number | null {
    try {
      this.#questions ??= new TableQuestions(this.#table);
      return this.#questions.generation();
    } catch (error) {
      if (error instanceof OperationalError) return null;
      throw error;
    }
  }

  #request(
    request: NftRequest,
  ): Promise<{ readonly value: unknown; readonly elements: readonly KernelElement[] }> {
    this.#worker ??= this.#startWorker();
    const worker = this.#worker;
    const id = ++this.#lastId;
    const elements: KernelElement[] = [];
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { elements, resolve: (value) => resolve({ value, elements }), reject });
      worker.postMessage({ id, request });
    });
  }

  #startWorker(): Worker {
    const workerData: NftWorkerData = { table: this.#table };
    const worker = new Worker(this.#workerModule, { workerData, name: 'nft' });
    let reason = 'it ended';
    worker.on('message', (reply: NftReply) => this.#settle(reply));
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
      this.#failAll(reason);
    });
    return worker;
  }

  #settle(reply: NftReply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    if (reply.kind === 'elements') {
      for (const element of reply.elements) pending.elements.push(element);
      return;
    }
    this.#pending.delete(reply.id);
    if (reply.kind === 'result') pending.resolve(reply.value);
    else if (reply.kind === 'failure') pending.reject(new OperationalError(reply.error.message, reply.error));
    else if (reply.kind === 'bug') pending.reject(new Error(`in the nft worker: ${reply.stack}`));
    else unreachable(reply);
  }

  #failAll(reason: string): void {
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of lost) {
      reject(
        new OperationalError(`lost the nft worker: ${reason}`, { code: 'worker-lost', retriable: true }),
      );
    }
  }
}
