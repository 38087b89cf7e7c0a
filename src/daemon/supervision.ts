/** The daemon's dealings with whoever started it: signals, and systemd's notifications where systemd listens. */
import { OperationalError } from '../core/errors.ts';
import type { BailiffEvent, Emit } from '../core/event.ts';
import { MILLISECOND } from '../core/time.ts';
import { raise } from '../core/warning/catalogue.ts';
import { openServiceManager, type ServiceManager } from '../native/service-manager.ts';
import type { Health } from './health.ts';

/** The watchdog is fed this many times within its interval. */
const WATCHDOG_SAFETY_FACTOR = 3;

export class Supervision {
  readonly #health: Pick<Health, 'summary'>;
  readonly #manager: ServiceManager | null;
  readonly #stopSignal = Promise.withResolvers<string>();
  #watchdog: NodeJS.Timeout | null = null;
  #isReady = false;
  #told = '';
  #reload: (() => Promise<unknown>) | null = null;
  #isReloadDue = false;

  /** From here on signals are heard. Without a manager nobody is told anything. */
  constructor(health: Pick<Health, 'summary'>, manager: ServiceManager | null) {
    this.#health = health;
    this.#manager = manager;
    process.on('SIGTERM', this.#onStopSignal);
    process.on('SIGINT', this.#onStopSignal);
    process.on('SIGHUP', this.#onReloadSignal);
  }

  observe(event: BailiffEvent): void {
    const isNews = event.kind === 'warning-began' || event.kind === 'warning-ended';
    if (isNews && this.#isReady) this.#tellStatus();
  }

  /** The daemon is up: tells the service manager, and feeds its watchdog from now on. */
  ready(): void {
    this.#isReady = true;
    this.#told = this.#health.summary();
    this.#tell((manager) => manager.ready(this.#told));
    const interval = this.#manager?.watchdogInterval ?? null;
    if (interval === null) return;
    const feed = () => this.#tell((manager) => manager.watchdog());
    this.#watchdog = setInterval(feed, interval / MILLISECOND / WATCHDOG_SAFETY_FACTOR);
  }

  /** Runs a reload between the notifications that belong around it. */
  async whileReloading<Result>(reload: () => Promise<Result>): Promise<Result> {
    this.#tell((manager) => manager.reloading('reloading the configuration'));
    try {
      return await reload();
    } finally {
      this.#told = this.#health.summary();
      this.#tell((manager) => manager.ready(this.#told));
    }
  }

  stopping(): void {
    this.#isReady = false;
    this.#tell((manager) => manager.stopping('stopping; bans in the kernel stay'));
  }

  /** Resolves to the name of the first signal that asks us to stop. */
  untilStopSignal(): Promise<string> {
    return this.#stopSignal.promise;
  }

  /** Says what SIGHUP does, and does it when one has come already. */
  onReloadSignal(reload: () => Promise<unknown>): void {
    this.#reload = reload;
    if (this.#isReloadDue) this.#onReloadSignal();
  }

  /**
   * The daemon has ended and its process is about to. Signals are heard and come to nothing until then: npm hands
   * Ctrl-C on to a process that has had it from the terminal, which must not die of it in its last moment.
   */
  ended(): void {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
  }

  /** As `ended`; signals do from then on what they do to any process. */
  close(): void {
    this.ended();
    process.off('SIGTERM', this.#onStopSignal);
    process.off('SIGINT', this.#onStopSignal);
    process.off('SIGHUP', this.#onReloadSignal);
  }

  readonly #onStopSignal = (signal: string): void => this.#stopSignal.resolve(signal);

  /** Whoever sends a signal hears of no error; the reload has told it by an event. */
  readonly #onReloadSignal = (): void => {
    this.#isReloadDue = this.#reload === null;
    void this.#reload?.().catch(ignoreOperational);
  };

  #tellStatus(): void {
    const summary = this.#health.summary();
    if (summary === this.#told) return;
    this.#told = summary;
    this.#tell((manager) => manager.status(summary));
  }

  /** The service manager's socket may be gone; the daemon lives on, and a missed watchdog says the rest. */
  #tell(notify: (manager: ServiceManager) => void): void {
    if (this.#manager === null) return;
    try {
      notify(this.#manager);
    } catch (error) {
      ignoreOperational(error);
    }
  }
}

/** Connects to the service manager, if there is one; null, with an event, when that fails. */
export function findServiceManager(emit: Emit): ServiceManager | null {
  try {
    return openServiceManager();
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const raised = raise('service-manager-deaf', { reason: error.message, remedy: error.advice });
    emit({ kind: 'warning', raised });
    return null;
  }
}

function ignoreOperational(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
}
