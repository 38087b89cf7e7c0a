/** What the kernel of a bed holds in the sets of nftables, and word of every element that is added to them. */
import type { Bed } from './namespace.ts';
import type { BedProcess } from './process.ts';
import { PATIENCE_MILLISECONDS, waitFor } from './waiting.ts';

export type SetElement = {
  /** As nft prints it: `203.0.113.9`, `2001:db8::/64`, or `203.0.113.9 . tcp . 22`. */
  readonly key: string;
  /** Both null for an element without a timeout. */
  readonly timeoutSeconds: number | null;
  readonly expiresSeconds: number | null;
  readonly comment: string;
  /** What it has dropped; null without a counter. */
  readonly packets: number | null;
};

/** The table that bailiff uses as it is shipped. */
const TABLE = 'bailiff';

/** Elements of a set of `inet bailiff`; null when there is no such set. */
export async function readElements(bed: Bed, set: string, table = TABLE): Promise<SetElement[] | null> {
  const result = await bed.run(['nft', '--json', 'list', 'set', 'inet', table, set], { anyStatus: true });
  if (result.status !== 0) return null;
  return parseSet(result.stdout);
}

/** Resolves to the element when it is there. */
export function waitForElement(
  bed: Bed,
  set: string,
  key: string,
  timeoutMilliseconds: number,
): Promise<SetElement> {
  return waitFor(`element ${key} in ${set}`, timeoutMilliseconds, async () => {
    const elements = await readElements(bed, set);
    return elements?.find((element) => element.key === key) ?? null;
  });
}

/** Resolves when the element is not, or no longer, there; the set has to exist. */
export async function waitForNoElement(
  bed: Bed,
  set: string,
  key: string,
  timeoutMilliseconds: number,
): Promise<void> {
  await waitFor(`the end of element ${key} in ${set}`, timeoutMilliseconds, async () => {
    const elements = await readElements(bed, set);
    return elements !== null && !elements.some((element) => element.key === key) ? true : null;
  });
}

/** Reads the output of `nft --json list set`, libnftables-json(5). */
export function parseSet(json: string): SetElement[] {
  const { nftables } = JSON.parse(json) as {
    nftables: readonly { set?: { elem?: readonly JsonElement[] } }[];
  };
  return nftables.flatMap((entry) => entry.set?.elem ?? []).map(readElement);
}

type JsonValue =
  | string
  | number
  | { readonly prefix: { readonly addr: string; readonly len: number } }
  | { readonly concat: readonly JsonValue[] };
type JsonElement =
  | JsonValue
  | {
      readonly elem: {
        readonly val: JsonValue;
        readonly timeout?: number;
        readonly expires?: number;
        readonly comment?: string;
        readonly counter?: { readonly packets: number };
      };
    };

function readElement(json: JsonElement): SetElement {
  if (typeof json !== 'object' || !('elem' in json)) {
    return { key: keyOf(json), timeoutSeconds: null, expiresSeconds: null, comment: '', packets: null };
  }
  const { elem } = json;
  return {
    key: keyOf(elem.val),
    timeoutSeconds: elem.timeout ?? null,
    expiresSeconds: elem.expires ?? null,
    comment: elem.comment ?? '',
    packets: elem.counter?.packets ?? null,
  };
}

function keyOf(value: JsonValue): string {
  if (typeof value !== 'object') return `${value}`;
  if ('prefix' in value) return `${value.prefix.addr}/${value.prefix.len}`;
  return protocolNamed(value.concat.map(keyOf).join(' . '));
}

/** Where nobody has installed /etc/protocols, nft prints the protocol of a key as a number. */
function protocolNamed(key: string): string {
  return key.replace(/ \. 6 \. /, ' . tcp . ').replace(/ \. 17 \. /, ' . udp . ');
}

/** A listener of the kernel's own notifications: it knows of a new element within a millisecond or two. */
export class ElementWatch {
  readonly #monitor: BedProcess;
  readonly #seen = new Map<string, bigint>();
  readonly #waiting = new Map<string, (at: bigint) => void>();

  private constructor(monitor: BedProcess) {
    this.#monitor = monitor;
    monitor.onLine((line) => this.#take(line));
  }

  /** Resolves when it listens: from then on it misses nothing. */
  static async start(bed: Bed): Promise<ElementWatch> {
    const monitor = await bed.start(['nft', 'monitor']);
    const watch = new ElementWatch(monitor);
    // nft does not say when it has subscribed, so changes are made until one comes back.
    await waitFor('nft monitor to listen', LISTEN_TIMEOUT_MILLISECONDS, async () => {
      if (monitor.result !== null) throw new Error(`nft monitor ended: ${monitor.output}`);
      await bed.run(['nft', 'add table inet bed_probe; delete table inet bed_probe']);
      return /bed_probe/.test(monitor.output) ? true : null;
    });
    return watch;
  }

  /**
   * Resolves to the time at which the element's addition was announced, also when that was before this call:
   * nanoseconds of process.hrtime.bigint(). Rejects after `timeoutMilliseconds`.
   */
  async added(set: string, key: string, timeoutMilliseconds: number): Promise<bigint> {
    const name = `${set} ${key}`;
    const seen = this.#seen.get(name);
    if (seen !== undefined) return seen;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(name);
        reject(new Error(`no element ${key} was added to ${set} in ${timeoutMilliseconds} ms`));
      }, timeoutMilliseconds);
      this.#waiting.set(name, (at) => {
        clearTimeout(timer);
        resolve(at);
      });
    });
  }

  /** Forgets what it has seen, so that added() waits for news. */
  forget(): void {
    this.#seen.clear();
  }

  close(): void {
    this.#monitor.kill('SIGTERM');
  }

  /** `add element inet bailiff ban4 { 203.0.113.9 timeout 10m expires 9m59s comment "sshd" counter packets 0 ... }` */
  #take(line: string): void {
    const at = process.hrtime.bigint();
    const found = /^add element inet \S+ (\S+) \{ (.*) \}$/.exec(line);
    if (found === null) return;
    const [, set = '', elements = ''] = found;
    for (const element of elements.split(', ')) {
      const key = protocolNamed(/^\S+(?: \. \S+)*/.exec(element)?.[0] ?? '');
      const name = `${set} ${key}`;
      this.#seen.set(name, at);
      this.#waiting.get(name)?.(at);
      this.#waiting.delete(name);
    }
  }
}

const LISTEN_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;
