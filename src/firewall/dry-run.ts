/** The firewall that only remembers: for dry runs, and where bans cannot reach a kernel. */
import type { Network } from '../core/address/address.ts';
import { type Clock, FOREVER, type Microseconds } from '../core/time.ts';
import type {
  Firewall,
  FirewallBatch,
  FirewallCheck,
  KernelElement,
  Refusal,
  SetCounter,
} from './firewall.ts';
import { elementId, elementOfId } from './layout.ts';

type Remembered = { readonly until: Microseconds; readonly comment: string };

export class DryRunFirewall implements Firewall {
  readonly backend = 'dry-run';
  readonly description = 'dry run: bans are recorded, no packet is dropped';
  readonly #clock: Clock;
  readonly #elements = new Map<string, Remembered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async install(_trust: readonly Network[]): Promise<void> {}

  async apply(batch: FirewallBatch): Promise<readonly Refusal[]> {
    const now = this.#clock.now();
    for (const element of batch.deletes) this.#elements.delete(elementId(element));
    for (const upsert of batch.upserts) {
      const until = upsert.timeout >= FOREVER ? FOREVER : now + upsert.timeout;
      this.#elements.set(elementId(upsert), { until, comment: upsert.comment });
    }
    return [];
  }

  async list(): Promise<readonly KernelElement[]> {
    const now = this.#clock.now();
    const listed: KernelElement[] = [];
    for (const [id, { until, comment }] of this.#elements) {
      if (until <= now) this.#elements.delete(id);
      else {
        const expires = until >= FOREVER ? FOREVER : until - now;
        listed.push({ ...elementOfId(id), expires, comment, packets: 0, bytes: 0 });
      }
    }
    return listed;
  }

  async check(): Promise<FirewallCheck> {
    return 'intact';
  }

  async counters(): Promise<readonly SetCounter[]> {
    return [];
  }

  async removeTable(): Promise<void> {
    this.#elements.clear();
  }

  async close(): Promise<void> {}
}
