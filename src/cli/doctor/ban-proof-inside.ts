/** The part of the proof of a ban that runs inside its throw-away network: `bailiff doctor --prove-ban PID`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { OperationalError } from '../../core/errors.ts';
import { MINUTE } from '../../core/time.ts';
import { elementOf } from '../../firewall/layout.ts';
import { NftFirewall } from '../../firewall/nft.ts';

/** What the doctor's own program is told, before the process that holds the attacker's namespace. */
export const PROOF_COMMAND: readonly string[] = ['doctor', '--prove-ban'];

/** Of TEST-NET-2 (RFC 5737); the network is nobody else's. */
export const HOST_ADDRESS = '198.51.100.1';
export const ATTACKER_ADDRESS = '198.51.100.2';

/** Whether a connection came about, and what failed; '' for nothing. */
export type BanProof = {
  readonly before: boolean;
  readonly during: boolean;
  readonly after: boolean;
  readonly failure: string;
};

const TABLE = 'bailiff_doctor';

/** A first SYN that is dropped is sent again after a second: whoever is let in is so within this. */
const CONNECT_MILLISECONDS = 900;

const CONNECT = `
const [host, port, milliseconds] = process.argv.slice(1);
const socket = require('node:net').connect(Number(port), host);
const end = (status) => process.exit(status);
socket.once('connect', () => end(0));
socket.once('error', () => end(1));
setTimeout(end, Number(milliseconds), 1);
`;

/** Connects before, during and after a ban. Throws nothing that the world has done; it is in the proof. */
export async function proveInside(attackerHolder: string): Promise<BanProof> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, HOST_ADDRESS);
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const reaches = () => connectFrom(attackerHolder, port);
  const firewall = new NftFirewall(TABLE);
  const element = elementOf(ATTACKER_ADDRESS, null);
  const proof = { before: false, during: false, after: false, failure: '' };
  try {
    proof.before = await reaches();
    await firewall.install([]);
    const upsert = { ...element, timeout: MINUTE, comment: 'doctor' };
    await firewall.apply({ upserts: [upsert], deletes: [] });
    proof.during = await reaches();
    await firewall.apply({ upserts: [], deletes: [element] });
    proof.after = await reaches();
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    proof.failure = error.message;
  } finally {
    await firewall.close();
    server.close();
  }
  return proof;
}

async function connectFrom(holder: string, port: number): Promise<boolean> {
  const words = [`--net=/proc/${holder}/ns/net`, process.execPath, '-e', CONNECT];
  const given = [HOST_ADDRESS, `${port}`, `${CONNECT_MILLISECONDS}`];
  const child = spawn('nsenter', [...words, ...given], { stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status === 0;
}
