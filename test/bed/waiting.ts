/** Waiting for something to become true: small steps, a deadline, and a message that says what never came. */
import { setTimeout as pause } from 'node:timers/promises';

const INTERVAL_MILLISECONDS = 10;

/** What has not come by then never will, however busy the machine is: only a test that fails waits so long. */
export const PATIENCE_MILLISECONDS = 180_000;

/**
 * Calls `probe` every few milliseconds until it gives something else than null, and resolves to that. Rejects after
 * `timeoutMilliseconds` with `what`, and with the last error if `probe` threw: a throwing probe counts as "not yet".
 */
export async function waitFor<Result>(
  what: string,
  timeoutMilliseconds: number,
  probe: () => Result | null | Promise<Result | null>,
): Promise<Result> {
  const deadline = performance.now() + timeoutMilliseconds;
  let lastError: unknown;
  for (;;) {
    try {
      const result = await probe();
      if (result !== null) return result;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMilliseconds} ms in vain for ${what}`, { cause: lastError });
    }
    await pause(INTERVAL_MILLISECONDS);
  }
}
