/**
 * libnftables, the library inside `nft`: runs scripts in nft's own language, in this process. A context opens one
 * netlink socket and belongs to the thread that made it; every call blocks until the kernel has answered. Symbols and
 * flags are those of nftables/libnftables.h and libnftables(3).
 */
import type * as koffi from 'koffi';
import { type NativeLibrary, openLibrary } from './library.ts';

const LIBNFTABLES: NativeLibrary = {
  soname: 'libnftables.so.1',
  debianPackage: 'libnftables1',
  fedoraPackage: 'nftables',
};

/** NFT_CTX_DEFAULT and the NFT_CTX_OUTPUT_* bits of libnftables.h that are used here. */
const NFT_CTX_DEFAULT = 0;
const NFT_CTX_OUTPUT_JSON = 1 << 4;

export type NftResult = {
  /** Whether the whole script was applied; a script is one transaction. */
  readonly ok: boolean;
  /** What the script's `list` commands printed. */
  readonly output: string;
  /** nft's messages with the excerpts that they point at; '' when there are none. */
  readonly error: string;
};

export interface NftContext {
  /** Runs a script as one transaction; `list` commands print JSON (libnftables-json(5)). Never throws. */
  run(script: string): NftResult;
  close(): void;
}

/** Opens a context; throws OperationalError `library-missing`. */
export function openNftContext(): NftContext {
  const library = bind();
  const context = library.nft_ctx_new(NFT_CTX_DEFAULT);
  library.nft_ctx_buffer_output(context);
  library.nft_ctx_buffer_error(context);
  library.nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_JSON);
  return {
    run: (script) => ({
      ok: library.nft_run_cmd_from_buffer(context, script) === 0,
      output: library.nft_ctx_get_output_buffer(context) ?? '',
      error: library.nft_ctx_get_error_buffer(context) ?? '',
    }),
    close: () => library.nft_ctx_free(context),
  };
}

type Context = bigint;

type Symbols = {
  nft_ctx_new(flags: number): Context;
  nft_ctx_free(context: Context): void;
  nft_ctx_buffer_output(context: Context): number;
  nft_ctx_buffer_error(context: Context): number;
  nft_ctx_get_output_buffer(context: Context): string | null;
  nft_ctx_get_error_buffer(context: Context): string | null;
  nft_ctx_output_set_flags(context: Context, flags: number): void;
  nft_run_cmd_from_buffer(context: Context, script: string): number;
};

let symbols: Symbols | null = null;

function bind(): Symbols {
  if (symbols !== null) return symbols;
  const library: koffi.LibraryHandle = openLibrary(LIBNFTABLES);
  symbols = {
    nft_ctx_new: library.func('void *nft_ctx_new(uint32_t flags)'),
    nft_ctx_free: library.func('void nft_ctx_free(void *ctx)'),
    nft_ctx_buffer_output: library.func('int nft_ctx_buffer_output(void *ctx)'),
    nft_ctx_buffer_error: library.func('int nft_ctx_buffer_error(void *ctx)'),
    nft_ctx_get_output_buffer: library.func('const char *nft_ctx_get_output_buffer(void *ctx)'),
    nft_ctx_get_error_buffer: library.func('const char *nft_ctx_get_error_buffer(void *ctx)'),
    nft_ctx_output_set_flags: library.func('void nft_ctx_output_set_flags(void *ctx, unsigned int flags)'),
    nft_run_cmd_from_buffer: library.func('int nft_run_cmd_from_buffer(void *ctx, const char *buf)'),
  };
  return symbols;
}
