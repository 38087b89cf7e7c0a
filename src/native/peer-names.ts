/** The text of addresses that the kernel has written, remembered: making it anew takes longer than a parser needs. */
import type { Address } from '../core/address/address.ts';
import { decodeInet, decodeInet6 } from './socket-address.ts';

/** Each has one place of its own, which another takes over; forged addresses cannot fill more. */
const PLACES = 1024;

const WORDS = 4;

export class PeerNames {
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  readonly #known = new Uint32Array(PLACES * WORDS);
  readonly #names = new Array<Address>(PLACES).fill('');

  /** The addresses lie in `words`; they are those of one socket, and so of one family. */
  constructor(words: Uint32Array) {
    this.#words = words;
    this.#bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  }

  /** The text of the IPv4 address in the word at `index`. */
  ofInet(index: number): Address {
    const address = this.#words[index] ?? 0;
    return (
      this.#find(address, 0, 0, 0) ?? this.#remember(address, 0, 0, 0, decodeInet(this.#bytes, index * 4))
    );
  }

  /** The text of the IPv6 address in the four words at `index`; a mapped IPv4 address is folded. */
  ofInet6(index: number): Address {
    const words = this.#words;
    const a = words[index] ?? 0;
    const b = words[index + 1] ?? 0;
    const c = words[index + 2] ?? 0;
    const d = words[index + 3] ?? 0;
    return this.#find(a, b, c, d) ?? this.#remember(a, b, c, d, decodeInet6(this.#bytes, index * 4));
  }

  #find(a: number, b: number, c: number, d: number): Address | null {
    const known = this.#known;
    const place = placeOf(a, b, c, d);
    const start = place * WORDS;
    const isKnown =
      known[start] === a && known[start + 1] === b && known[start + 2] === c && known[start + 3] === d;
    return isKnown && this.#names[place] !== '' ? (this.#names[place] ?? null) : null;
  }

  #remember(a: number, b: number, c: number, d: number, name: Address): Address {
    const place = placeOf(a, b, c, d);
    this.#known.set([a, b, c, d], place * WORDS);
    this.#names[place] = name;
    return name;
  }
}

/** Whoever chooses its address so that it shares a place with another makes both slower by a microsecond, no more. */
function placeOf(a: number, b: number, c: number, d: number): number {
  const mixed = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 961) ^ Math.imul(d, 29791), 0x9e3779b1);
  return mixed >>> 22;
}
