/** What other programs make of the file that pipeline reads, where their packages are installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import type { Benchmark, Outcome, Row } from '../benchmark.ts';
import { LOG_LINES, withLogFile } from '../logs/log-file.ts';
import { median } from './statistics.ts';

type Peer = {
  readonly name: string;
  /** Where Debian and Fedora have the program. */
  readonly paths: readonly string[];
  readonly debianPackage: string;
  /** Words after the program; without the file it is read from standard input. */
  arguments(file: string): readonly string[];
  readonly readsInput: boolean;
  readonly runs: number;
  /** What the run has found, from what it printed. */
  found(output: string): string;
};

/** Its server matches with the same code. By default the tool goes on after the first match; the server does not. */
const FAIL2BAN: Peer = {
  name: 'fail2ban-regex, filter sshd',
  paths: ['/usr/bin/fail2ban-regex'],
  debianPackage: 'fail2ban',
  arguments: (file) => [
    '--no-check-all',
    '--usedns',
    'no',
    '--print-no-missed',
    '--print-no-ignored',
    file,
    'sshd',
  ],
  readsInput: false,
  runs: 1,
  found: (output) => /^Lines:.*$/m.exec(output)?.[0] ?? '',
};

const SSHGUARD: Peer = {
  name: 'sshg-parser',
  paths: ['/usr/libexec/sshguard/sshg-parser', '/usr/lib/sshguard/sshg-parser', '/usr/libexec/sshg-parser'],
  debianPackage: 'sshguard',
  arguments: () => [],
  readsInput: true,
  runs: 5,
  found: (output) => `${output.split('\n').length - 1} attacks`,
};

const PEERS: readonly Peer[] = [FAIL2BAN, SSHGUARD];
const TIMEOUT_MILLISECONDS = 5 * 60_000;

export const peers: Benchmark = {
  name: 'peers',
  measures: 'lines/s of other programs that read the same file; they parse and match, and decide nothing',
  missing: () =>
    PEERS.some((peer) => programOf(peer) !== null)
      ? null
      : `needs a peer: apt-get install ${PEERS.map(({ debianPackage }) => debianPackage).join(' or ')}`,
  run: () => withLogFile((path) => measurePeers(path, LOG_LINES)),
};

function programOf({ paths }: Peer): string | null {
  return paths.find((path) => existsSync(path)) ?? null;
}

/** Lets every peer that is installed read the file of `lines` lines. */
export async function measurePeers(path: string, lines: number): Promise<Outcome> {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const peer of PEERS) {
    const program = programOf(peer);
    if (program === null) {
      notes.push(`${peer.name} is left out: apt-get install ${peer.debianPackage}`);
      continue;
    }
    const runs: PeerRun[] = [];
    for (let run = 0; run < peer.runs; run++) runs.push(await runPeer(peer, program, path));
    const seconds = median(runs.map((run) => run.seconds));
    rows.push({
      label: peer.name,
      cells: [Math.round(lines / seconds), (seconds / lines) * 1_000_000],
    });
    notes.push(`${peer.name}: ${peer.found(runs[0]?.output ?? '')}`);
  }
  return { tables: [{ columns: ['lines/s', 'µs/line'], rows }], notes };
}

type PeerRun = { readonly seconds: number; readonly output: string };

/** From its start to its end. Rejects when it fails, or takes too long. */
async function runPeer(peer: Peer, program: string, path: string): Promise<PeerRun> {
  const input = openSync(path, 'r');
  try {
    const startedAt = performance.now();
    const child = spawn(program, peer.arguments(path), {
      stdio: [peer.readsInput ? input : 'ignore', 'pipe', 'ignore'],
      timeout: TIMEOUT_MILLISECONDS,
    });
    const output = await outputOf(child);
    return { seconds: (performance.now() - startedAt) / 1_000, output };
  } finally {
    closeSync(input);
  }
}

function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${child.spawnfile}: ${signal ?? `exit status ${status}`}\n${output}`));
    });
  });
}
