/**
 * Tells the service manager how the daemon is: sd_notify(3), sd_watchdog_enabled(3). When nobody is listening (no
 * NOTIFY_SOCKET: a terminal, a container without systemd) every method does nothing, and no library is needed.
 */

import type { Microseconds } from '../core/time.ts';
import { monotonicMicroseconds } from './machine-clocks.ts';
import { OutputCells, POINTER } from './memory.ts';
import { checkResult, openSystemd } from './systemd.ts';

/** STATUS= is one line in `systemctl status`; more than this is cut. */
export const MAX_STATUS_LENGTH = 256;

/** Every method throws OperationalError when the service manager could not be told. */
export interface ServiceManager {
  /** Whether somebody is listening. */
  readonly present: boolean;
  /** How often at least watchdog() must be called, lest we be killed; null when the watchdog is off. */
  readonly watchdogInterval: Microseconds | null;
  /** The daemon is up, or done with reloading. */
  ready(status: string): void;
  status(status: string): void;
  /** ready() must follow. */
  reloading(status: string): void;
  stopping(status: string): void;
  watchdog(): void;
}

/** Connects to the service manager that NOTIFY_SOCKET names. Throws OperationalError `library-missing`. */
export function openServiceManager(): ServiceManager {
  if ((process.env.NOTIFY_SOCKET ?? '') === '') return ABSENT;
  const library = openSystemd();
  const sdNotify = library.func('sd_notify', 'int', ['int', 'str']);
  const sdWatchdogEnabled = library.func('sd_watchdog_enabled', 'int', ['int', POINTER]);
  const out = new OutputCells(1);
  const watched = checkResult('sd_watchdog_enabled', sdWatchdogEnabled(0, out.pointer)) > 0;
  const notify = (...assignments: string[]): void => {
    checkResult('sd_notify', sdNotify(0, assignments.join('\n')));
  };
  return {
    present: true,
    watchdogInterval: watched ? out.read(0) : null,
    ready: (status) => notify('READY=1', statusAssignment(status)),
    status: (status) => notify(statusAssignment(status)),
    reloading: (status) =>
      notify('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`, statusAssignment(status)),
    stopping: (status) => notify('STOPPING=1', statusAssignment(status)),
    watchdog: () => notify('WATCHDOG=1'),
  };
}

const ABSENT: ServiceManager = {
  present: false,
  watchdogInterval: null,
  ready: () => {},
  status: () => {},
  reloading: () => {},
  stopping: () => {},
  watchdog: () => {},
};

/** A line feed in the text would begin another assignment, such as MAINPID=; a NUL would end them all. */
function statusAssignment(status: string): string {
  return `STATUS=${status.slice(0, MAX_STATUS_LENGTH).replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')}`;
}
