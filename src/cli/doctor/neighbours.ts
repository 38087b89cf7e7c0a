/** Programs of this host that get in each other's way: fail2ban, and whoever has the port of a listener. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import { type Check, type DoctorWorld, foundOrOk, type Verdict } from './check.ts';

const NAME = 'neighbours';

export const neighbours: Check = {
  name: NAME,
  run: async (world) => look(world, '/proc'),
};

/** `proc` is where the kernel shows its processes, proc(5). */
export function look({ status }: Pick<DoctorWorld, 'status'>, proc: string): readonly Verdict[] {
  const raised = [...findFail2ban(proc), ...findPortHolders(status, proc)];
  return foundOrOk(NAME, raised, 'no fail2ban, and no program on the port of a listener');
}

function findFail2ban(proc: string): readonly RaisedWarning[] {
  return processesOf(proc).flatMap((pid) =>
    nameOf(proc, pid).startsWith('fail2ban-server') ? [raise('fail2ban-runs', { pid })] : [],
  );
}

/** Who has the ports of listeners that do not listen; sockets of other users only root can tell. */
function findPortHolders(status: DoctorWorld['status'], proc: string): readonly RaisedWarning[] {
  const down = (status?.warnings ?? []).filter(({ code }) => code === 'syslog-listener-down');
  return down.flatMap(({ subject }) => {
    const [, protocol = '', port = ''] = /^(udp|tcp|tls) .*:(\d+)$/.exec(subject) ?? [];
    const inodes = inodesOfPort(proc, protocol === 'udp' ? 'udp' : 'tcp', Number(port));
    const pid = inodes.size === 0 ? undefined : processesOf(proc).find((one) => hasSocket(proc, one, inodes));
    return pid === undefined ? [] : [raise('port-held', { program: nameOf(proc, pid), pid }, subject)];
  });
}

function processesOf(proc: string): readonly number[] {
  return readdirSync(proc).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/** Processes come and go while we look: one that is gone has no name. */
function nameOf(proc: string, pid: number): string {
  try {
    return readFileSync(`${proc}/${pid}/comm`, 'latin1').trim();
  } catch {
    return '';
  }
}

/** Inodes of the sockets that are bound to a port: proc_net_tcp(5), the address in hexadecimal, then the inode. */
function inodesOfPort(proc: string, protocol: 'udp' | 'tcp', port: number): ReadonlySet<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = ['', '6'].flatMap((family) => {
    let lines: readonly string[];
    try {
      lines = readFileSync(`${proc}/net/${protocol}${family}`, 'latin1').split('\n').slice(1);
    } catch {
      return [];
    }
    return lines.flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      return fields[1]?.endsWith(`:${wanted}`) ? [fields[9] ?? ''] : [];
    });
  });
  return new Set(inodes);
}

function hasSocket(proc: string, pid: number, inodes: ReadonlySet<string>): boolean {
  if (pid === process.pid) return false;
  try {
    return readdirSync(`${proc}/${pid}/fd`).some((fd) => {
      const target = readlinkSync(`${proc}/${pid}/fd/${fd}`);
      return target.startsWith('socket:[') && inodes.has(target.slice('socket:['.length, -1));
    });
  } catch {
    return false;
  }
}
