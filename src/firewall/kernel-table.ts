/**
 * Our table in the kernel, worked on by one thread: scripts go in through libnftables, questions are asked over
 * netlink. Every method blocks until the kernel has answered.
 */
import type { Network } from '../core/address/address.ts';
import { OperationalError } from '../core/errors.ts';
import { type NftContext, openNftContext } from '../native/nftables.ts';
import type { FirewallBatch, FirewallCheck, KernelElement, Refusal, SetCounter } from './firewall.ts';
import { type BanSet, parseBanSet, STANDARD_BAN_SETS } from './layout.ts';
import { decodeCounter, decodeSetName } from './nfnetlink.ts';
import { noPermission, TableQuestions } from './questions.ts';
import { BASE_CHAIN, batchScript, installScript, MAX_TRUSTED_NETWORKS, removeScript } from './script.ts';

export class KernelTable {
  readonly #table: string;
  readonly #context: NftContext;
  readonly #questions: TableQuestions;
  #trust: readonly Network[] = [];
  /** The sets that our rules look into; null before install(). */
  #sets: readonly BanSet[] | null = null;
  #rules = 0;
  /** The ruleset's generation after our last change, or at our last look. */
  #generation = -1;

  /** Opens the library and a socket; throws OperationalError. */
  constructor(table: string) {
    this.#table = table;
    this.#context = openNftContext();
    this.#questions = new TableQuestions(table);
  }

  /** As Firewall.install. Sets that a former run has made keep their rules and elements. */
  install(trust: readonly Network[]): void {
    if (trust.length > MAX_TRUSTED_NETWORKS) {
      throw new OperationalError(`cannot trust ${trust.length} networks`, {
        code: 'trust-too-long',
        advice: `trust at most ${MAX_TRUSTED_NETWORKS}`,
      });
    }
    const found = (this.#setNames() ?? []).map(parseBanSet).filter((set) => set !== null);
    this.#trust = trust;
    this.#installSets([...STANDARD_BAN_SETS, ...found]);
  }

  /** As Firewall.apply. Makes the sets that the batch is the first to need. */
  apply(batch: FirewallBatch): readonly Refusal[] {
    const sets = this.#sets;
    if (sets === null) throw notInstalled();
    const names = new Set(sets.map((set) => set.name));
    const wanted = [...new Set(batch.upserts.map((upsert) => upsert.set))].filter((name) => !names.has(name));
    if (wanted.length > 0) {
      this.#installSets([...sets, ...wanted.map(parseBanSet).filter((set) => set !== null)]);
      for (const name of wanted) names.add(name);
    }
    return this.#applyOrSplit({
      upserts: batch.upserts,
      deletes: batch.deletes.filter((element) => names.has(element.set)),
    });
  }

  /**
   * Every element of every ban set, some hundred at a time, so that the thread can do other work in between; yields
   * nothing but null when the table is not there.
   */
  *list(): Generator<readonly KernelElement[] | null> {
    const names = this.#setNames();
    if (names === null) {
      yield null;
      return;
    }
    // On a socket of its own: others ask their questions in between.
    const questions = new TableQuestions(this.#table);
    try {
      for (const set of names.map(parseBanSet)) {
        if (set !== null) yield* questions.elements(set);
      }
    } finally {
      questions.close();
    }
  }

  /** As Firewall.check. */
  check(): FirewallCheck {
    if (this.#sets === null) throw notInstalled();
    const generation = this.#questions.generation();
    if (generation === this.#generation) return 'intact';
    this.#generation = generation;
    return this.#isWhole() ? 'touched' : 'missing';
  }

  /** As Firewall.counters. */
  counters(): readonly SetCounter[] {
    return (this.#questions.ask('counters', '') ?? [])
      .map(decodeCounter)
      .filter((counter) => counter !== null);
  }

  /** As Firewall.removeTable. */
  remove(): void {
    const error = this.#tryRun(removeScript(this.#table));
    if (error !== null) throw error;
    this.#sets = null;
  }

  close(): void {
    this.#questions.close();
    this.#context.close();
  }

  #installSets(sets: readonly BanSet[]): void {
    const distinct = [...new Map(sets.map((set) => [set.name, set])).values()];
    const error = this.#tryRun(installScript(this.#table, distinct, this.#trust));
    if (error !== null) {
      const isThere = error.code !== 'no-permission' && this.#setNames() !== null;
      throw isThere ? tableConflict(this.#table, error) : error;
    }
    this.#sets = distinct;
    this.#rules = this.#questions.ask('rules', '')?.length ?? 0;
  }

  /** A failed transaction applies nothing: halves it until the elements that are refused stand alone. */
  #applyOrSplit(batch: FirewallBatch): readonly Refusal[] {
    const { upserts, deletes } = batch;
    const size = upserts.length + deletes.length;
    if (size === 0) return [];
    const error = this.#tryRun(batchScript(this.#table, batch));
    if (error === null) return [];
    if (error.code !== 'nft-failed') throw error;
    const [element] = [...upserts, ...deletes];
    if (size === 1 && element !== undefined) {
      return [{ element: { set: element.set, key: element.key }, reason: error.message }];
    }
    const refusals = halves(batch).flatMap((half) => this.#applyOrSplit(half));
    if (refusals.length === size) throw error;
    return refusals;
  }

  /** Whether our chain is there, with as many rules as we made, and every set that they look into. */
  #isWhole(): boolean {
    if (this.#sets === null || this.#questions.ask('chain', BASE_CHAIN) === null) return false;
    const names = new Set(this.#setNames() ?? []);
    if (!this.#sets.every((set) => names.has(set.name))) return false;
    return (this.#questions.ask('rules', '')?.length ?? 0) === this.#rules;
  }

  #setNames(): readonly string[] | null {
    const names = this.#questions.ask('sets', '')?.map(decodeSetName) ?? [];
    return names.length === 0 ? null : names;
  }

  /** Runs a script; a change of our own does not count as somebody touching the ruleset. */
  #tryRun(script: string): OperationalError | null {
    const before = this.#questions.generation();
    const result = this.#context.run(script);
    const isOurs = before === this.#generation || this.#generation < 0;
    if (result.ok && isOurs && this.#questions.generation() === (before + 1) >>> 0) {
      this.#generation = (before + 1) >>> 0;
    }
    return result.ok ? null : nftError(result.error);
  }
}

function halves(batch: FirewallBatch): readonly FirewallBatch[] {
  const { upserts, deletes } = batch;
  const middle = Math.ceil((upserts.length + deletes.length) / 2);
  const deletesFirst = Math.max(0, middle - upserts.length);
  return [
    { upserts: upserts.slice(0, middle), deletes: deletes.slice(0, deletesFirst) },
    { upserts: upserts.slice(middle), deletes: deletes.slice(deletesFirst) },
  ];
}

function notInstalled(): OperationalError {
  return new OperationalError('the firewall is not installed yet', {
    code: 'not-installed',
    retriable: true,
  });
}

/**
 * Reads the first of nft's messages. It ends in the kernel's errno as text, in the C locale, since nothing in this
 * process calls setlocale(3).
 */
function nftError(text: string): OperationalError {
  const line = text.split('\n', 1)[0] ?? '';
  const message = `cannot change nftables: ${line.replace(/^.*?Error: /, '') || 'nft gave no reason'}`;
  if (/Operation not permitted|Permission denied/.test(line)) return noPermission('change nftables');
  if (/No such file or directory/.test(line)) {
    return new OperationalError(message, { code: 'table-missing', retriable: true });
  }
  if (/not supported/.test(line)) {
    return new OperationalError(message, {
      code: 'nft-unsupported',
      advice: 'the kernel needs nf_tables with the inet family (CONFIG_NF_TABLES_INET)',
    });
  }
  return new OperationalError(message, { code: 'nft-failed', retriable: true });
}

/** The table is there, and does not take our sets and rules. */
function tableConflict(table: string, error: OperationalError): OperationalError {
  return new OperationalError(`cannot use table inet ${table}, which is there already: ${error.message}`, {
    code: 'table-conflict',
    advice: `if it is not bailiff's, choose another name for firewall.table; else: nft delete table inet ${table}`,
    cause: error,
  });
}
