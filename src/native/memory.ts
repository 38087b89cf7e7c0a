/**
 * Memory that native code reads and writes by address. Passing plain numbers keeps a call at some 40 ns, where
 * marshalled buffers and out-parameters cost ten times that. A double holds every user address exactly (47 bits on
 * x86-64, 48 on arm64; longer ones must be asked for).
 */
import * as koffi from 'koffi';
import { openLibrary } from './library.ts';

/** An address in this process. Valid only as long as whoever owns the memory says. */
export type Pointer = number;

/** How a Pointer is declared to koffi. */
export const POINTER = 'uintptr_t';

/** Bytes with a fixed address, for as long as this object is reachable. */
export class PinnedBytes {
  readonly bytes: Buffer;
  readonly pointer: Pointer;

  /** Takes the buffer's own memory, not a copy. V8 never moves or shrinks what is behind an ArrayBuffer. */
  constructor(buffer: ArrayBufferLike) {
    this.bytes = Buffer.from(buffer);
    this.pointer = Number(koffi.address(this.bytes));
  }
}

/** Places for 64-bit results: pointers, lengths and times, which are all below 2^53. */
export class OutputCells {
  readonly pointer: Pointer;
  readonly #words: Uint32Array;

  constructor(cells: number) {
    const memory = new ArrayBuffer(cells * 8);
    this.#words = new Uint32Array(memory);
    this.pointer = Number(koffi.address(this.#words));
  }

  /** Where the native function is to write cell `index`. */
  pointerTo(index: number): Pointer {
    return this.pointer + index * 8;
  }

  /** The unsigned value of cell `index`; little-endian, as both platforms that we ship for are. */
  read(index: number): number {
    return (this.#words[index * 2] ?? 0) + (this.#words[index * 2 + 1] ?? 0) * 2 ** 32;
  }
}

type Libc = {
  readonly memcpy: (target: Pointer, source: Pointer, length: number) => void;
  readonly free: (pointer: Pointer) => void;
};

let libc: Libc | null = null;

/** Copies `length` bytes. Nothing is checked: the caller has clamped `length` to what both sides hold. */
export function copyMemory(target: Pointer, source: Pointer, length: number): void {
  openLibc().memcpy(target, source, length);
}

/** Reads a NUL-terminated string that the callee has allocated, and frees it. */
export function takeString(pointer: Pointer): string {
  const text = koffi.decode.string(BigInt(pointer));
  openLibc().free(pointer);
  return text;
}

function openLibc(): Libc {
  if (libc === null) {
    const self = koffi.load(null);
    libc = {
      memcpy: self.func('memcpy', 'void', [POINTER, POINTER, 'size_t']),
      free: self.func('free', 'void', [POINTER]),
    };
  }
  return libc;
}

let trim: ((pad: number) => number) | null = null;

/**
 * Gives the system what the allocator keeps unused between what is in use (malloc_trim(3)): by itself glibc gives back
 * only what is free behind the last of it. Some 0.1 ms for each megabyte.
 */
export function trimMemory(): void {
  const libc = { soname: 'libc.so.6', debianPackage: 'libc6', fedoraPackage: 'glibc' };
  trim ??= openLibrary(libc).func('malloc_trim', 'int', ['size_t']);
  trim(0);
}
