/** The thread that owns the kernel table. It answers requests in their order; only a listing lets others go between. */
import { setImmediate } from 'node:timers/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Network } from '../core/address/address.ts';
import { assert, OperationalError } from '../core/errors.ts';
import type { FirewallBatch, KernelElement } from './firewall.ts';
import { KernelTable } from './kernel-table.ts';

export type NftWorkerData = { readonly table: string };

export type NftRequest =
  | { readonly kind: 'install'; readonly trust: readonly Network[] }
  | { readonly kind: 'apply'; readonly batch: FirewallBatch }
  | { readonly kind: 'list' }
  | { readonly kind: 'check' }
  | { readonly kind: 'counters' }
  | { readonly kind: 'remove' }
  /** Lets go of the library; the thread then ends by itself. */
  | { readonly kind: 'close' };

export type NftReply = { readonly id: number } & (
  | { readonly kind: 'result'; readonly value: unknown }
  /** A part of a listing; the result comes after the last. */
  | { readonly kind: 'elements'; readonly elements: readonly KernelElement[] }
  | { readonly kind: 'failure'; readonly error: FailureText }
  /** A bug, not the world's doing: to be thrown on the other side. */
  | { readonly kind: 'bug'; readonly stack: string }
);

/** An OperationalError on its way between threads. */
export type FailureText = {
  readonly message: string;
  readonly code: string;
  readonly advice: string;
  readonly retriable: boolean;
};

/** Sends the next part of a listing. */
type Step = () => void;

function serve(port: MessagePort, data: NftWorkerData): void {
  let table: KernelTable | null = null;
  const listings = new Set<Step>();
  const answer = async (id: number, request: NftRequest): Promise<void> => {
    try {
      if (request.kind === 'close') {
        table?.close();
        port.close();
        return;
      }
      table ??= new KernelTable(data.table);
      const value = request.kind === 'list' ? await list(port, id, table, listings) : perform(table, request);
      port.postMessage({ id, kind: 'result', value } satisfies NftReply);
    } catch (error) {
      port.postMessage({ id, ...failureOf(error) } satisfies NftReply);
    }
  };
  port.on('message', (message: { readonly id: number; readonly request: NftRequest }) => {
    void answer(message.id, message.request);
    for (const step of listings) step();
  });
}

/**
 * Sends a listing in parts, one for each turn of the thread and one after each other request, so that neither waits
 * long for the other. The value tells whether there is a table.
 */
async function list(
  port: MessagePort,
  id: number,
  table: KernelTable,
  listings: Set<Step>,
): Promise<boolean> {
  const parts = table.list();
  let outcome: { readonly isTable: boolean } | { readonly error: unknown } | null = null;
  const step = (): void => {
    if (outcome !== null) return;
    try {
      const part = parts.next();
      if (part.done === true) outcome = { isTable: true };
      else if (part.value === null) outcome = { isTable: false };
      else port.postMessage({ id, kind: 'elements', elements: part.value } satisfies NftReply);
    } catch (error) {
      outcome = { error };
    }
  };
  listings.add(step);
  while (outcome === null) {
    step();
    await setImmediate();
  }
  listings.delete(step);
  return settle(outcome);
}

function settle(outcome: { readonly isTable: boolean } | { readonly error: unknown }): boolean {
  if ('error' in outcome) throw outcome.error;
  return outcome.isTable;
}

function perform(table: KernelTable, request: Exclude<NftRequest, { kind: 'list' | 'close' }>): unknown {
  switch (request.kind) {
    case 'install':
      return table.install(request.trust);
    case 'apply':
      return table.apply(request.batch);
    case 'check':
      return table.check();
    case 'counters':
      return table.counters();
    case 'remove':
      return table.remove();
  }
}

function failureOf(error: unknown): { kind: 'failure'; error: FailureText } | { kind: 'bug'; stack: string } {
  if (!(error instanceof OperationalError)) {
    return { kind: 'bug', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const { message, code, advice, retriable } = error;
  return { kind: 'failure', error: { message, code, advice, retriable } };
}

assert(parentPort !== null, 'the nft worker runs in a thread of its own');
serve(parentPort, workerData as NftWorkerData);
