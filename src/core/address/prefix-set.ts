/** A set of networks that answers whether an address lies in one of them: ignore lists, trust, this host's own. */
import { BlockList } from 'node:net';
import {
  type Address,
  bitsOf,
  type Family,
  familyOf,
  maskAddress,
  type Network,
  splitNetwork,
} from './address.ts';

export class PrefixSet {
  readonly networks: readonly Network[];
  readonly #list = new BlockList();
  /** By prefix length and family: the networks of that length in which a network of this set begins. */
  readonly #surroundings = new Map<string, ReadonlySet<Network>>();

  /** Takes canonical networks, as parseNetwork gives them. */
  constructor(networks: Iterable<Network>) {
    this.networks = [...new Set(networks)];
    for (const network of this.networks) {
      const { address, prefixLength } = splitNetwork(network);
      this.#list.addSubnet(address, prefixLength, familyOf(address) === 4 ? 'ipv4' : 'ipv6');
    }
  }

  /** Whether the address is inside one of the networks. */
  has(address: Address): boolean {
    return this.networks.length > 0 && this.#list.check(address, familyOf(address) === 4 ? 'ipv4' : 'ipv6');
  }

  /**
   * Whether the network and one of the set's share any address: banning `network` would then hit the set, also where
   * the set's network is the smaller one (a ban of a /64 that holds one trusted host).
   */
  overlaps(network: Network): boolean {
    const { address, prefixLength } = splitNetwork(network);
    if (this.has(address)) return true;
    const family = familyOf(address);
    if (prefixLength === bitsOf(family)) return false;
    return this.#surroundingsOf(prefixLength, family).has(network);
  }

  /** Those networks of the set that share an address with `network`. */
  overlapping(network: Network): readonly Network[] {
    if (!this.overlaps(network)) return [];
    return this.networks.filter((one) => new PrefixSet([one]).overlaps(network));
  }

  /** Made once for each length that is asked for: building it for every question took 5 µs. */
  #surroundingsOf(prefixLength: number, family: Family): ReadonlySet<Network> {
    const key = `${family}/${prefixLength}`;
    let surroundings = this.#surroundings.get(key);
    if (surroundings === undefined) {
      const firsts = this.networks
        .map((network) => splitNetwork(network).address)
        .filter((first) => familyOf(first) === family);
      surroundings = new Set(firsts.map((first) => maskAddress(first, prefixLength)));
      this.#surroundings.set(key, surroundings);
    }
    return surroundings;
  }
}
