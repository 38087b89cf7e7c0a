/** How the parts of the daemon are, from their own words; for the status, the service manager and /readyz. */
import type { BailiffEvent, ComponentName } from '../core/event.ts';
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
  readonly #reports = new Map<ComponentName, ComponentReport>();

  observe(event: BailiffEvent): void {
    if (event.kind !== 'component') return;
    const { component, health, detail, advice } = event;
    this.#reports.set(component, { component, health, detail, advice });
  }

  components(): readonly ComponentReport[] {
    return ORDER.flatMap((component) => this.#reports.get(component) ?? []);
  }

  /** One line for `systemctl status`. */
  summary(): string {
    const ailing = this.components().filter(({ health }) => health === 'down' || health === 'degraded');
    if (ailing.length === 0) return 'all is well';
    return ailing.map(({ component, health, detail }) => `${component} ${health}: ${detail}`).join('; ');
  }
}
