/**
 * The journal's worker: owns the journal's handle from its first moment to its last, since an sd_journal belongs to one
 * thread, and sleeps between looks at the journal. It never returns to its event loop before it ends.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/errors.ts';
import { MACHINE_CLOCKS } from '../../native/machine-clocks.ts';
import { PinnedBytes } from '../../native/memory.ts';
import { BatchPacker } from './batch.ts';
import {
  ACKNOWLEDGED,
  type JournalAssignment,
  type JournalOrder,
  type JournalReport,
  STOP,
  WAKE,
} from './channel.ts';
import { JournalFollower } from './follower.ts';

assert(parentPort !== null, 'the journal worker runs as a worker');
const port = parentPort;
const assignment = workerData as JournalAssignment;
const control = new Int32Array(assignment.control);
const packers = assignment.slots.map((slot) => new BatchPacker(slot, new PinnedBytes(slot)));

let posted = 0;
let lastWake = -1;
const follower = new JournalFollower(assignment, MACHINE_CLOCKS, (report: JournalReport) => {
  if (report.kind === 'batch') posted++;
  port.postMessage(report);
});

while (Atomics.load(control, STOP) === 0) {
  // Read first: whatever changes from here on ends the sleep below at once.
  const wake = Atomics.load(control, WAKE);
  if (wake !== lastWake) takeOrders();
  lastWake = wake;
  const slot = posted % packers.length;
  const isFree = posted - Atomics.load(control, ACKNOWLEDGED) < packers.length;
  const sleep = follower.step(slot, isFree ? (packers[slot] ?? null) : null);
  if (sleep > 0) Atomics.wait(control, WAKE, wake, sleep);
}
follower.close();
port.close();

/** The latest order stands. */
function takeOrders(): void {
  for (let taken = receiveMessageOnPort(port); taken !== undefined; taken = receiveMessageOnPort(port)) {
    follower.setOrder(taken.message as JournalOrder);
  }
}
