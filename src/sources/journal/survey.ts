/**
 * Looks at the journal's directories from outside. libsystemd opens a journal that is not there, or whose files may
 * not be read, as an empty one and says nothing; this is how we know what to tell, and when to open it again.
 */
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ComponentHealth } from '../../core/component.ts';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';

export type JournalSurvey = {
  readonly health: ComponentHealth;
  /** What is read; '' when it is not. */
  readonly detail: string;
  readonly warnings: readonly RaisedWarning[];
  /** Differs when a directory has come, gone or been mounted over: the journal must be opened again then. */
  readonly identity: string;
};

/** Where journald keeps the system's journal (systemd-journald.service(8), "Files"): on disk, and until reboot. */
const SYSTEM_DIRECTORIES = ['/var/log/journal', '/run/log/journal'];

/** systemd's machine-id(5): journald makes a directory of this name, and libsystemd reads only such ones. */
const MACHINE_DIRECTORY = /^[0-9a-f]{32}$/;

/**
 * A namespace's directory has its name behind the machine's (LogNamespace= of systemd.exec(5)): another journald writes
 * there. Read together with the others, an entry that it stamped before one of theirs and wrote after it would be
 * passed over, as libsystemd goes on by time between the files of different journalds: so they are told, and not read.
 */
const NAMESPACE_DIRECTORY = /^([0-9a-f]{32})\.([^/]{1,222})$/;

/** Namespaces that are named. */
const MAX_NAMESPACES = 5;

/** More files than these are not looked at. */
const MAX_SURVEYED_FILES = 4096;

/** Looks at one directory of journal files, or at the system's for null. Never throws. */
export function surveyJournal(directory: string | null): JournalSurvey {
  const roots = directory === null ? SYSTEM_DIRECTORIES : [directory];
  const findings = emptyFindings();
  for (const root of roots) inspectRoot(root, directory === null ? localMachineId() : null, findings);
  const where = directory === null ? "the system's journal" : `the journal in ${directory}`;
  const { warnings, ...judged } = judge(findings, where, roots);
  const unread = [...findings.namespaces].sort();
  const told = unread.length === 0 ? [] : [raise('journal-namespaces', { names: listOf(unread) })];
  return { ...judged, warnings: [...warnings, ...told], identity: findings.identities.join(' ') };
}

type Findings = {
  identities: string[];
  files: number;
  readable: number;
  /** The first file or directory that may not be read. */
  denied: string | null;
  /** Of this machine, with files of their own. */
  namespaces: Set<string>;
  /** Whether the file that services of the system log to is among those. */
  isSystemDenied: boolean;
};

function emptyFindings(): Findings {
  return {
    identities: [],
    files: 0,
    readable: 0,
    denied: null,
    namespaces: new Set(),
    isSystemDenied: false,
  };
}

function inspectRoot(root: string, machineId: string | null, findings: Findings): void {
  const identity = identify(root);
  if (identity === null) return;
  findings.identities.push(identity);
  for (const name of inspectDirectory(root, findings)) {
    if (MACHINE_DIRECTORY.test(name) && (machineId === null || name === machineId)) {
      inspectDirectory(join(root, name), findings);
    }
    const [, machine, namespace] = NAMESPACE_DIRECTORY.exec(name) ?? [];
    if (machine === machineId && namespace !== undefined) findings.namespaces.add(namespace);
  }
}

/** Counts the journal files of a directory and returns the other names in it. */
function inspectDirectory(directory: string, findings: Findings): string[] {
  const others: string[] = [];
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (isDenied(error)) findings.denied ??= directory;
    return others;
  }
  for (const name of names) {
    if (!name.endsWith('.journal') && !name.endsWith('.journal~')) others.push(name);
    else if (findings.files < MAX_SURVEYED_FILES) inspectFile(join(directory, name), name, findings);
  }
  return others;
}

function inspectFile(path: string, name: string, findings: Findings): void {
  findings.files++;
  try {
    accessSync(path, constants.R_OK);
    findings.readable++;
  } catch (error) {
    if (!isDenied(error)) return;
    findings.denied ??= path;
    if (name === 'system.journal') findings.isSystemDenied = true;
  }
}

function listOf(names: readonly string[]): string {
  const more = names.length - MAX_NAMESPACES;
  const named = names.slice(0, MAX_NAMESPACES).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}

function judge(
  { identities, files, readable, denied, isSystemDenied }: Findings,
  where: string,
  roots: readonly string[],
): Omit<JournalSurvey, 'identity'> {
  if (identities.length === 0 && denied === null) {
    const reason = `cannot read ${where}: no directory ${roots.join(' or ')}`;
    const remedy =
      'start systemd-journald (Debian minimal images: apt-get install systemd); it is read as soon as it is there';
    return { health: 'down', detail: '', warnings: [raise('journal-unreadable', { reason, remedy })] };
  }
  const remedy =
    'add the user that bailiff runs as to the group systemd-journal, or run it as root; then restart it';
  if (denied !== null && readable === 0) {
    const reason = `cannot read ${where}: permission denied for ${denied}`;
    return { health: 'down', detail: '', warnings: [raise('journal-unreadable', { reason, remedy })] };
  }
  if (isSystemDenied) {
    const reason = `reads ${where} in part: permission denied for ${denied}`;
    const warnings = [raise('journal-in-part', { reason, remedy })];
    return { health: 'degraded', detail: `reads ${where} in part`, warnings };
  }
  if (files === 0) {
    const reason = `waits for ${where}: no journal file in ${roots.join(' or ')}`;
    const journald = 'see whether systemd-journald runs: systemctl status systemd-journald';
    return {
      health: 'degraded',
      detail: '',
      warnings: [raise('journal-absent', { reason, remedy: journald })],
    };
  }
  return { health: 'up', detail: `reads ${where}`, warnings: [] };
}

function identify(directory: string): string | null {
  try {
    const { dev, ino } = statSync(directory);
    return `${directory}:${dev}:${ino}`;
  } catch {
    return null;
  }
}

function localMachineId(): string | null {
  try {
    const text = readFileSync('/etc/machine-id', 'latin1').trim();
    return MACHINE_DIRECTORY.test(text) ? text : null;
  } catch {
    return null;
  }
}

function isDenied(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM';
}
