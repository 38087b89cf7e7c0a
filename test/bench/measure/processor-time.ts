/** What a process has used of the processor, thread by thread (proc_pid_task(5), proc_pid_schedstat(5)). */
import { readdirSync, readFileSync } from 'node:fs';

export type ThreadTime = {
  readonly id: number;
  /** As the thread calls itself. */
  readonly name: string;
  readonly nanoseconds: number;
  /** How often it has gone to sleep by itself. */
  readonly sleeps: number;
};

/** Every thread that the process has now. */
export function readThreadTimes(pid: number): readonly ThreadTime[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => {
    const directory = `/proc/${pid}/task/${id}`;
    const status = readFileSync(`${directory}/status`, 'utf8');
    return {
      id: Number(id),
      name: readFileSync(`${directory}/comm`, 'utf8').trim(),
      nanoseconds: Number(readFileSync(`${directory}/schedstat`, 'utf8').split(' ')[0]),
      sleeps: Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0),
    };
  });
}

/** utime and stime of the whole process, ended threads included, in clock ticks of 10 ms (proc_pid_stat(5)). */
export function readProcessTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Kilobytes from the lines of /proc/PID/status, such as `VmRSS`. */
export function readMemory(pid: number, line: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${line}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}
