/**
 * How the daemon is: each component in its own words, and the one list of what is wrong, for the status, the service
 * manager, the metrics and /readyz. It is made from events alone, and tells by events what begins and ends.
 */
import type { ComponentName } from '../core/component.ts';
import type { BailiffEvent, CertificateRole, Emit } from '../core/event.ts';
import type { Clock, Microseconds } from '../core/time.ts';
import { certificateWarnings, type WarningChange, warningsOf } from '../core/warning/from-events.ts';
import { StandingWarnings, type Warning, type WarningTurns } from '../core/warning/standing.ts';
import type { ComponentReport } from '../http/control.ts';

/** The order in which people are told. */
const ORDER: readonly ComponentName[] = [
  'configuration',
  'journal',
  'syslog',
  'firewall',
  'state',
  'metrics',
  'control',
];

export class Health {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #reports = new Map<ComponentName, ComponentReport>();
  readonly #standing = new StandingWarnings();
  readonly #certificates = new Map<CertificateRole, Microseconds>();
  /** How often what is held for a while has happened, by `code subject`. */
  readonly #counts = new Map<string, number>();

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock;
    this.#emit = emit;
  }

  observe(event: BailiffEvent): void {
    const at = this.#clock.now();
    if (event.kind === 'component') {
      const { component, health, detail, warnings } = event;
      this.#reports.set(component, { component, health, detail });
      this.#tell(this.#standing.replace(component, warnings, at));
    } else if (event.kind === 'certificate') {
      if (event.until === null) this.#certificates.delete(event.certificate);
      else this.#certificates.set(event.certificate, event.until);
      this.#carryOut(certificateWarnings(event.certificate, event.until, at), at);
    } else this.#carryOut(warningsOf(event, this.#count), at);
  }

  /** Ends what was held long enough, and looks how near the certificates are to their end. */
  tick(): void {
    const at = this.#clock.now();
    this.#tell(this.#standing.expire(at));
    for (const [role, until] of this.#certificates) this.#carryOut(certificateWarnings(role, until, at), at);
  }

  components(): readonly ComponentReport[] {
    return ORDER.flatMap((component) => this.#reports.get(component) ?? []);
  }

  /** What is wrong, worst first. */
  warnings(): readonly Warning[] {
    return this.#standing.list();
  }

  /** One line for `systemctl status`: the worst, and how many more there are. */
  summary(): string {
    const [worst, ...others] = this.warnings().filter(({ severity }) => severity !== 'hint');
    if (worst === undefined) return 'all is well';
    const more = others.length === 0 ? '' : ` (and ${others.length} more: bailiff status)`;
    return `${worst.severity}: ${worst.text}${more}`;
  }

  #carryOut(changes: readonly WarningChange[], at: Microseconds): void {
    for (const change of changes) {
      if (change.kind === 'raise') this.#tell(this.#standing.raise(change.raised, at));
      else this.#tell(this.#standing.clear(change.code, change.subject));
    }
  }

  #tell({ began, ended }: WarningTurns): void {
    for (const warning of ended) {
      this.#counts.delete(`${warning.code} ${warning.subject}`);
      this.#emit({ kind: 'warning-ended', warning });
    }
    for (const warning of began) this.#emit({ kind: 'warning-began', warning });
  }

  readonly #count = (key: string, times: number): number => {
    const count = (this.#counts.get(key) ?? 0) + times;
    this.#counts.set(key, count);
    return count;
  };
}
