/** Tells the firewall's health, once for each change. */
import type { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import { raise } from '../../core/warning/catalogue.ts';
import type { Firewall } from '../../firewall/firewall.ts';

export class FirewallHealth {
  readonly #emit: Emit;
  readonly #firewall: Firewall;
  readonly #limitation: OperationalError | null;
  #isDown: boolean | null = null;

  /** `limitation` is why the firewall is only a stand-in; it then never counts as up. */
  constructor(emit: Emit, firewall: Firewall, limitation: OperationalError | null) {
    this.#emit = emit;
    this.#firewall = firewall;
    this.#limitation = limitation;
  }

  down(error: OperationalError): void {
    if (this.#isDown === true) return;
    this.#isDown = true;
    const warnings = [raise('firewall-failing', { reason: error.message, remedy: error.advice })];
    this.#emit({ kind: 'component', component: 'firewall', health: 'down', detail: '', warnings });
  }

  up(): void {
    if (this.#isDown === false) return;
    this.#isDown = false;
    const { description, backend } = this.#firewall;
    if (this.#limitation === null) {
      const health = backend === 'dry-run' ? 'off' : 'up';
      this.#emit({ kind: 'component', component: 'firewall', health, detail: description, warnings: [] });
      return;
    }
    const { message: reason, advice: remedy } = this.#limitation;
    const warnings = [raise('firewall-unavailable', { reason, remedy })];
    this.#emit({
      kind: 'component',
      component: 'firewall',
      health: 'degraded',
      detail: description,
      warnings,
    });
  }
}
