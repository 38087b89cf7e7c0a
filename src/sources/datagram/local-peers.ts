/**
 * Who wrote to a unix socket: the uid that the kernel vouches for, and the unit and executable of the process, as
 * journald finds them out for its entries (systemd.journal-fields(7), _SYSTEMD_UNIT and _EXE). Nothing of it can be
 * written by the sender; a process that is gone already leaves its uid alone.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import type { TrustedFields } from '../../core/record.ts';
import { type Microseconds, SECOND } from '../../core/time.ts';
import type { PeerCredentials } from '../../native/datagram-receiver.ts';

/** Looking takes some 30 µs, so it is done once a second for each process; another may have its PID by then. */
const REMEMBERED: Microseconds = SECOND;

/** Beyond this many processes the memory starts afresh. */
const MAX_REMEMBERED = 1024;

/** As of an entry that carries no such field. */
const UNKNOWN: TrustedFields = { unit: '', executable: '', uid: -1 };

type Known = { readonly fields: TrustedFields; readonly until: Microseconds };

export class LocalPeers {
  readonly #known = new Map<number, Known>();

  /** What is known of who sent something that came at `at`. */
  identify(peer: PeerCredentials | null, at: Microseconds): TrustedFields {
    if (peer === null) return UNKNOWN;
    const known = this.#known.get(peer.pid);
    if (known !== undefined && at < known.until && known.fields.uid === peer.uid) return known.fields;
    const fields = { unit: readUnit(peer.pid), executable: readExecutable(peer.pid), uid: peer.uid };
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(peer.pid, { fields, until: at + REMEMBERED });
    return fields;
  }
}

/** A process of another PID namespace that we cannot see has PID 0. */
function readUnit(pid: number): string {
  if (pid === 0) return '';
  try {
    return unitOf(readFileSync(`/proc/${pid}/cgroup`, 'latin1'));
  } catch {
    return '';
  }
}

/**
 * In a mount namespace of one's own anything can be called /usr/sbin/nginx; so the file must be the one that this host
 * has there. '' when it is not, or may not be known: that takes CAP_SYS_PTRACE for a process of another user (proc(5)).
 */
function readExecutable(pid: number): string {
  if (pid === 0) return '';
  const link = `/proc/${pid}/exe`;
  try {
    const path = readlinkSync(link);
    const running = statSync(link);
    const installed = statSync(path);
    return running.dev === installed.dev && running.ino === installed.ino ? path : '';
  } catch {
    return '';
  }
}

/**
 * The system's unit in the text of /proc/PID/cgroup (cgroups(7)): the first directory that is no slice. Those below are
 * the unit's own, which may call them anything. '' when there is none.
 */
export function unitOf(text: string): string {
  const lines = text.split('\n');
  const line =
    lines.find((one) => one.startsWith('0::')) ?? lines.find((one) => one.includes(':name=systemd:'));
  const path = line?.slice(line.indexOf(':', line.indexOf(':') + 1) + 1) ?? '';
  const directory = path.split('/').find((name) => name !== '' && !name.endsWith('.slice')) ?? '';
  const name = directory.startsWith('_') ? directory.slice(1) : directory;
  return /^[A-Za-z0-9:_.\\@-]+\.(?:service|scope)$/.test(name) ? name : '';
}
