/** What nothing may ever ban: trusted networks and this host's own addresses, which come and go. */
import type { Network } from '../../core/address/address.ts';
import { OperationalError } from '../../core/errors.ts';
import { ownAddresses } from './own-addresses.ts';

export class ProtectedNetworks {
  readonly #readOwn: () => readonly Network[];
  #own: readonly Network[];
  #trust: readonly Network[];

  /** Throws OperationalError when this host's addresses are not to be had: it might ban itself. */
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

  /** Looks at the interfaces again; returns whether this host's addresses have changed. What cannot be read has not. */
  refresh(): boolean {
    const own = this.#readOwnAgain();
    const hasChanged = own.join() !== this.#own.join();
    this.#own = own;
    return hasChanged;
  }

  #readOwnAgain(): readonly Network[] {
    try {
      return this.#readOwn();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return this.#own;
    }
  }
}
