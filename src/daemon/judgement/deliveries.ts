/**
 * Records that a sender delivers more than once: some send each line over several connections, some the last one again
 * when they start. The same bytes with the same time of the device, over another connection, are the same record. Only
 * records that a rule has matched come here.
 */

import { RecencyMap } from '../../core/recency-map.ts';
import type { LogRecord } from '../../core/record.ts';
import { HOUR, type Microseconds } from '../../core/time.ts';

/** Records that are remembered; the one heard of longest ago is forgotten. */
export const MAX_DELIVERIES = 4_096;

/** For how long: a sender that starts anew is back within that time. */
export const DELIVERY_TIME: Microseconds = HOUR;

/** Characters of what tells a record from others; a longer one is not remembered, and counts each time. */
export const MAX_DELIVERY_LENGTH = 2_048;

type Delivery = { readonly at: Microseconds; readonly connection: number };

export class Deliveries {
  readonly #known = new RecencyMap<Delivery>();
  #forgotten = 0;

  /** Whether the record has come over another connection before; remembers it when it has not. */
  isRepeat(record: LogRecord): boolean {
    const { at, connection, timestamp } = record;
    if (connection === 0 || timestamp < 0) return false;
    const { source, sender, via = '', hostname, identifier, pid, structuredData, message } = record;
    const name = [source, sender, via, timestamp, hostname, identifier, pid, structuredData, message].join(
      '\n',
    );
    if (name.length > MAX_DELIVERY_LENGTH) return false;
    const known = this.#known.get(name);
    if (known !== undefined && at - known.at <= DELIVERY_TIME && known.connection !== connection) return true;
    this.#known.touch(name, { at, connection });
    this.#bound(at);
    return false;
  }

  /** How many were forgotten before their time since this was asked last. */
  takeForgotten(): number {
    const forgotten = this.#forgotten;
    this.#forgotten = 0;
    return forgotten;
  }

  #bound(at: Microseconds): void {
    for (const [name, delivery] of this.#known) {
      const isOver = at - delivery.at > DELIVERY_TIME;
      if (!isOver && this.#known.size <= MAX_DELIVERIES) return;
      if (!isOver) this.#forgotten++;
      this.#known.delete(name);
    }
  }
}
