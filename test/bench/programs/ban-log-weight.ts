/** Run by bans.ts with --expose-gc: prints as JSON what bans weigh in the ledger, and what the ban log adds. */
import { BanLog } from '../../../src/core/ledger/ban-log.ts';
import type { Decision } from '../../../src/core/ledger/decision.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { HOUR } from '../../../src/core/time.ts';

/** Bytes for each ban. */
export type BanWeight = { readonly bans: number; readonly ledgerBytes: number; readonly logBytes: number };

const COUNTS = [10_000, 100_000];
const LIMITS = { maxOffenders: 1_000_000, maxBans: 1_000_000 };
/** In µs; the ledger only wants it to go on. */
const START = 1_795_000_000_000_000;

if (import.meta.main) process.stdout.write(JSON.stringify(COUNTS.map(weigh)));

function weigh(bans: number): BanWeight {
  const empty = heapBytes();
  const filled: { readonly ledger: Ledger; log: BanLog | null } = fill(bans);
  if (filled.log?.position.serial !== bans) throw new Error('a change is missing');
  const both = heapBytes();
  filled.log = null;
  const alone = heapBytes();
  if ([...filled.ledger.bans()].length !== bans) throw new Error('a ban is missing');
  return { bans, ledgerBytes: (alone - empty) / bans, logBytes: (both - alone) / bans };
}

/** A ledger whose bans came one by one, and its log. */
function fill(bans: number): { readonly ledger: Ledger; log: BanLog } {
  const ledger = new Ledger(LIMITS);
  const log = new BanLog({ session: 'bench', bans: () => ledger.bans() });
  for (let index = 0; index < bans; index++) {
    const offender = `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
    const at = START + index;
    const decisions: Decision[] = [];
    ledger.ban(
      { jail: 'sshd', offender, since: at, until: at + HOUR, cause: 'offence', failures: 5 },
      at,
      decisions,
    );
    for (const decision of decisions) if (decision.kind !== 'forgive') log.record(decision);
    ledger.takeChanges();
  }
  return { ledger, log };
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('start it with --expose-gc');
  for (let round = 0; round < 3; round++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}
