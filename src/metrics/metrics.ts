/** The metrics of a daemon: takes events, keeps what the catalogue makes of them, writes the page for Prometheus. */
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { BailiffEvent, EventKind } from '../core/event.ts';
import type { Warning } from '../core/warning/standing.ts';
import type { SenderLevels } from '../senders/report.ts';
import { CATALOGUE, LABEL_OVERFLOWS, UNUSABLE_VALUES } from './catalogue.ts';
import type { DeclaredJail, MetricEntry, Write } from './entry.ts';
import { FAIL2BAN_METRICS } from './fail2ban-metrics.ts';
import { type LedgerLevels, type ProcessLevels, readProcessLevels } from './levels.ts';
import { LabelValues, SeriesSet } from './series.ts';

export type MetricsOptions = {
  /** Of bailiff. */
  readonly version: string;
  /** This process's own levels when absent. */
  readonly readProcess?: () => ProcessLevels;
};

export interface Metrics {
  /** The Content-Type of the page: Prometheus's text format 0.0.4. */
  readonly contentType: string;
  /** Counts an event. Never throws. */
  observe(event: BailiffEvent): void;
  /** Lets the counters of these jails begin at zero, before anything happens in them. For the start and each reload. */
  declareJails(jails: readonly DeclaredJail[]): void;
  /** The same for the senders that have a name in the configuration. */
  declareSenders(senders: readonly string[]): void;
  /** Sets where the levels of the senders are read for each page; until then the page is without them. */
  readSendersFrom(read: () => readonly SenderLevels[]): void;
  /** Sets where what is wrong is read for each page; until then nothing is. */
  readWarningsFrom(read: () => readonly Warning[]): void;
  /** Sets where the levels of the ledger are read for each page; until then the page is without them. */
  readLedgerFrom(read: () => LedgerLevels): void;
  /** Whether the page ends with the jails under fail2ban's names; it does not at first. */
  showFail2banNames(shown: boolean): void;
  /** The page. */
  render(): Promise<string>;
}

/** Metrics of the whole catalogue, each at zero. */
export function createMetrics(options: MetricsOptions): Metrics {
  return new CatalogueMetrics(options);
}

/** One metric of the catalogue at work. */
type Instrument = {
  readonly entry: MetricEntry;
  readonly write: Write;
  readonly series: SeriesSet;
  /** Hands the values to the client library. */
  readonly publish: () => void;
};

class CatalogueMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #fail2banRegistry = new Registry();
  readonly #readProcess: () => ProcessLevels;
  readonly #labelValues: LabelValues;
  readonly #instruments: readonly Instrument[];
  readonly #fail2banInstruments: readonly Instrument[];
  readonly #drivers = new Map<EventKind, ((event: BailiffEvent) => void)[]>();
  readonly #overflows: Instrument;
  readonly #unusable: Instrument;
  #isFail2banShown = false;
  #readLedger: (() => LedgerLevels) | null = null;
  #readSenders: () => readonly SenderLevels[] = () => [];
  #readWarnings: () => readonly Warning[] = () => [];

  constructor({ version, readProcess = () => readProcessLevels(version) }: MetricsOptions) {
    this.#readProcess = readProcess;
    this.#labelValues = new LabelValues((label) => this.#overflows.write(1, label));
    this.#instruments = CATALOGUE.map((entry) => this.#instrument(entry));
    this.#fail2banInstruments = FAIL2BAN_METRICS.map((entry) =>
      this.#instrument(entry, this.#fail2banRegistry),
    );
    this.#overflows = this.#instrument(LABEL_OVERFLOWS);
    this.#unusable = this.#instrument(UNUSABLE_VALUES);
    for (const { entry, write } of this.#instruments) {
      for (const { kind, apply } of entry.events ?? []) {
        const drivers = this.#drivers.get(kind) ?? [];
        drivers.push((event) => apply(event, write));
        this.#drivers.set(kind, drivers);
      }
    }
    this.declareJails([]);
    this.declareSenders([]);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  observe(event: BailiffEvent): void {
    const drivers = this.#drivers.get(event.kind);
    if (drivers === undefined) return;
    for (const drive of drivers) drive(event);
  }

  declareJails(jails: readonly DeclaredJail[]): void {
    for (const { entry, series } of [...this.#instruments, this.#overflows]) {
      for (const [first, second] of entry.zeros?.(jails) ?? []) series.cell(first, second);
    }
  }

  declareSenders(senders: readonly string[]): void {
    for (const { entry, series } of this.#instruments) {
      for (const [first, second] of entry.senderZeros?.(senders) ?? []) series.cell(first, second);
    }
  }

  readSendersFrom(read: () => readonly SenderLevels[]): void {
    this.#readSenders = read;
  }

  readWarningsFrom(read: () => readonly Warning[]): void {
    this.#readWarnings = read;
  }

  readLedgerFrom(read: () => LedgerLevels): void {
    this.#readLedger = read;
  }

  showFail2banNames(shown: boolean): void {
    this.#isFail2banShown = shown;
  }

  async render(): Promise<string> {
    const fail2ban = this.#isFail2banShown ? this.#fail2banInstruments : [];
    const processLevels = this.#readProcess();
    const ledgerLevels = this.#readLedger?.() ?? null;
    const senderLevels = this.#readSenders();
    const warnings = this.#readWarnings();
    for (const { entry, series, write } of [...this.#instruments, ...fail2ban]) {
      if (entry.events === undefined) series.clear();
      if (ledgerLevels !== null) entry.ledger?.(ledgerLevels, write);
      entry.process?.(processLevels, write);
      entry.senders?.(senderLevels, write);
      entry.warnings?.(warnings, write);
    }
    for (const { publish } of [...this.#instruments, ...fail2ban, this.#overflows, this.#unusable]) publish();
    if (!this.#isFail2banShown) return this.#registry.metrics();
    return `${await this.#registry.metrics()}\n${await this.#fail2banRegistry.metrics()}`;
  }

  #instrument(entry: MetricEntry, registry = this.#registry): Instrument {
    const { name, help, type, labels, least } = entry;
    const series = new SeriesSet(labels, this.#labelValues);
    const description = { name, help, registers: [registry] };
    if (type === 'histogram') {
      const histogram = new Histogram({ ...description, buckets: [...(entry.buckets ?? [])] });
      const write: Write = (value) => {
        if (this.#isUsable(value)) histogram.observe(value);
      };
      return { entry, series, write, publish: () => {} };
    }
    if (labels.length === 0) series.cell();
    const labelNames = [...labels];
    if (type === 'counter') {
      const counter = new Counter({ ...description, labelNames });
      const publish = () => {
        counter.reset();
        for (const { labels: values, value } of series.cells) counter.inc(values, value);
      };
      return { entry, series, write: this.#addTo(series, least), publish };
    }
    const gauge = new Gauge({ ...description, labelNames });
    const publish = () => {
      gauge.reset();
      for (const { labels: values, value } of series.cells) gauge.set(values, value);
    };
    return {
      entry,
      series,
      write: entry.events === undefined ? this.#addTo(series, least) : this.#setIn(series),
      publish,
    };
  }

  /** For counters, and for levels, which are gathered anew for each page. */
  #addTo(series: SeriesSet, least?: number): Write {
    return (value, first, second) => {
      if (this.#isUsable(value, least)) series.cell(first, second).value += value;
    };
  }

  #setIn(series: SeriesSet): Write {
    return (value, first, second) => {
      if (value === null) series.remove(first, second);
      else if (this.#isUsable(value)) series.cell(first, second).value = value;
    };
  }

  #isUsable(value: number | null, least = 0): value is number {
    if (value !== null && value >= least && value < Number.POSITIVE_INFINITY) return true;
    this.#unusable.write(1);
    return false;
  }
}
