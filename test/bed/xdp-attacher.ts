/**
 * Attaches an XDP program that lets every packet pass to a device, says `attached`, and holds it until it is ended:
 *
 *     node xdp-attacher.ts INTERFACE-INDEX
 *
 * bpf(2) and linux/bpf.h: BPF_PROG_LOAD with two instructions, then BPF_LINK_CREATE in the generic mode.
 */
import * as koffi from 'koffi';

const BPF_SYSCALL = process.arch === 'arm64' ? 280 : 321;
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;
const BPF_PROG_TYPE_XDP = 6;
const BPF_XDP = 37;
const XDP_FLAGS_SKB_MODE = 2;
const XDP_PASS = 2;

/** `r0 = XDP_PASS; exit`, eight bytes each. */
const PROGRAM = Buffer.from([0xb7, 0, 0, 0, XDP_PASS, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const LICENCE = Buffer.from('GPL\0');
const ATTRIBUTE_BYTES = 72;

const syscall = koffi.load('libc.so.6').func('syscall', 'long', ['long', 'long', 'uint8_t *', 'long']);

function call(command: number, attribute: Buffer): number {
  const descriptor = Number(syscall(BPF_SYSCALL, command, attribute, attribute.length));
  if (descriptor < 0) throw new Error(`bpf(${command}): errno ${koffi.errno()}`);
  return descriptor;
}

const load = Buffer.alloc(ATTRIBUTE_BYTES);
load.writeUInt32LE(BPF_PROG_TYPE_XDP, 0);
load.writeUInt32LE(PROGRAM.length / 8, 4);
load.writeBigUInt64LE(BigInt(koffi.address(PROGRAM)), 8);
load.writeBigUInt64LE(BigInt(koffi.address(LICENCE)), 16);
const program = call(BPF_PROG_LOAD, load);

const link = Buffer.alloc(ATTRIBUTE_BYTES);
link.writeUInt32LE(program, 0);
link.writeUInt32LE(Number(process.argv[2]), 4);
link.writeUInt32LE(BPF_XDP, 8);
link.writeUInt32LE(XDP_FLAGS_SKB_MODE, 12);
call(BPF_LINK_CREATE, link);

process.stdout.write('attached\n');
setInterval(() => undefined, 60_000);
