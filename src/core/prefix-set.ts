/** A set of networks that answers whether an address lies in one of them: ignore lists, trust, this host's own. */
import { BlockList } from 'node:net';
import { type Address, bitsOf, familyOf, type Network, splitNetwork } from './address.ts';

export class PrefixSet {
  readonly networks: readonly Network[];
  readonly #list = new BlockList();

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
    const outer = new BlockList();
    outer.addSubnet(address, prefixLength, family === 4 ? 'ipv4' : 'ipv6');
    return this.networks.some((inner) => {
      const first = splitNetwork(inner).address;
      return familyOf(first) === family && outer.check(first, family === 4 ? 'ipv4' : 'ipv6');
    });
  }
}
