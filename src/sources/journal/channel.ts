/** What passes between the journal's worker and the main thread. */
import type { ComponentHealth } from '../../core/component.ts';
import type { Microseconds } from '../../core/time.ts';
import type { RaisedWarning } from '../../core/warning/catalogue.ts';

/** Batches that the worker may have posted without being told that they are done with: one slot each. */
export const SLOTS = 2;

/** 32-bit words of the control memory. The worker sleeps on WAKE, which changes whenever there is news for it. */
export const WAKE = 0;
/** Batches that the main thread is done with, since the worker started. */
export const ACKNOWLEDGED = 1;
/** Not 0 when the worker shall end. */
export const STOP = 2;
export const CONTROL_BYTES = 12;

/** What the worker is started with. */
export type JournalAssignment = {
  /** Null for this machine's journal. */
  readonly directory: string | null;
  readonly matches: readonly string[];
  /** Go on exactly after this cursor. */
  readonly position: string | null;
  /** Without a position: start with the first entry at or after this time. */
  readonly since: Microseconds;
  readonly control: SharedArrayBuffer;
  readonly slots: readonly SharedArrayBuffer[];
};

/** To the worker: read other entries from now on, and none that is older than `since` and was passed over. */
export type JournalOrder = { readonly matches: readonly string[]; readonly since: Microseconds };

/** From the worker. */
export type JournalReport =
  | {
      readonly kind: 'batch';
      readonly slot: number;
      /** Packed records; 0 when all of the entries were unusable. */
      readonly count: number;
      readonly bytes: number;
      /** Cursor of the last entry that was read, a usable one or not. */
      readonly position: string;
      /** Whether more entries are waiting. */
      readonly isBehind: boolean;
      readonly flaws: Flaws;
    }
  | {
      readonly kind: 'health';
      readonly health: ComponentHealth;
      readonly detail: string;
      readonly warnings: readonly RaisedWarning[];
    }
  | { readonly kind: 'gap'; readonly detail: string }
  /** journald has not kept so many messages of a unit. */
  | { readonly kind: 'suppressed'; readonly unit: string; readonly count: number };

/** Entries of a batch with something wrong. */
export type Flaws = {
  /** Message longer than the limit: cut. */
  readonly cut: number;
  /** No message: left out. */
  readonly empty: number;
  /** It goes on in the middle of a line that journald has broken: left out. */
  readonly rest: number;
  /** The file is damaged there: left out. */
  readonly damaged: number;
};
