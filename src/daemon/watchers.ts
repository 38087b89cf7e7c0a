/**
 * Those who only watch: the log, health, metrics, the last hour, and who sends what. They are made from events alone,
 * and joined before anything happens.
 */
import type { Plan } from '../config/plan.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import { VERSION } from '../core/version.ts';
import { raise } from '../core/warning/catalogue.ts';
import type { LedgerLevels } from '../metrics/levels.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { SenderTable } from '../senders/table.ts';
import type { SystemClock } from './clock.ts';
import { Activity } from './control/activity.ts';
import type { EventBus } from './event-bus.ts';
import { Health } from './health.ts';
import { createLog, type Log } from './log/log.ts';
import { openLogWriter } from './log/log-output.ts';
import { isProgramReplaced } from './own-program.ts';
import type { Part } from './part.ts';

export type WatchersOptions = {
  readonly bus: EventBus;
  /** How full it is, is read when Prometheus asks. */
  readonly ledger: Ledger;
  readonly clock: SystemClock;
};

/** Every so many ticks it is looked whether this program was replaced. */
const TICKS_BETWEEN_LOOKS_AT_PROGRAM = 60;

export class Watchers implements Part {
  readonly name = 'watchers';
  readonly log: Log;
  readonly health: Health;
  readonly metrics: Metrics = createMetrics({ version: VERSION });
  readonly activity: Activity;
  readonly senderTable: SenderTable;
  readonly #ledger: Ledger;
  readonly #bus: EventBus;
  readonly #clock: SystemClock;
  #ticks = 0;

  constructor({ bus, ledger, clock }: WatchersOptions) {
    this.#ledger = ledger;
    this.#bus = bus;
    this.#clock = clock;
    this.health = new Health(clock, bus.emit);
    this.log = createLog(openLogWriter(clock), clock);
    this.activity = new Activity(clock);
    this.senderTable = new SenderTable(clock, bus.emit);
    for (const watcher of [this.log, this.health, this.metrics, this.activity, this.senderTable])
      bus.subscribe((event) => watcher.observe(event));
    this.metrics.readWarningsFrom(() => this.health.warnings());
    this.metrics.readSendersFrom(() => this.senderTable.levels());
  }

  readonly apply = (plan: Plan): void => {
    this.senderTable.configure(plan.senders.configured);
    this.metrics.showFail2banNames(plan.metrics.fail2banNames);
    this.metrics.declareJails(plan.jails.map(({ policy, filters }) => ({ jail: policy.name, filters })));
    this.metrics.declareSenders(plan.senders.configured.map(({ name }) => name));
    this.metrics.readLedgerFrom(() => levelsOf(plan, this.#ledger));
  };

  readonly tick = (): void => {
    this.log.tick();
    this.#lookAround();
    this.health.tick();
    this.senderTable.tick();
  };

  /** For what nobody else would tell. */
  #lookAround(): void {
    const { emit } = this.#bus;
    const step = this.#clock.takeStep();
    if (step !== 0) emit({ kind: 'clock-set', step });
    this.#ticks++;
    if (this.#ticks % TICKS_BETWEEN_LOOKS_AT_PROGRAM === 0 && isProgramReplaced())
      emit({ kind: 'warning', raised: raise('upgraded', {}) });
  }
}

function levelsOf(plan: Plan, ledger: Ledger): LedgerLevels {
  return {
    jails: plan.jails.map(({ policy: { name, maxRetry, findTime, banTime } }) => ({
      jail: name,
      maxRetry,
      findTime,
      banTime,
      ...ledger.counts(name),
    })),
    bans: ledger.bans(),
  };
}
