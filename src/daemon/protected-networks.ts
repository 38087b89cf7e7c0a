/** What nothing may ever ban: trusted networks and this host's own addresses, which come and go. */
import type { Network } from '../core/address.ts';
import { ownAddresses } from './own-addresses.ts';

export class ProtectedNetworks {
  readonly #readOwn: () => readonly Network[];
  #own: readonly Network[];
  #trust: readonly Network[];

  constructor(trust: readonly Network[], readOwn: () => readonly Network[] = ownAddresses) {
    this.#trust = trust;
    this.#readOwn = readOwn;
    this.#own = readOwn();
  }

  list(): readonly Network[] {
    return [...this.#trust, ...this.#own];
  }

  setTrust(trust: readonly Network[]): void {
    this.#trust = trust;
  }

  /** Looks at the interfaces again; returns whether this host's addresses have changed. */
  refresh(): boolean {
    const own = this.#readOwn();
    const hasChanged = own.join() !== this.#own.join();
    this.#own = own;
    return hasChanged;
  }
}
