/**
 * Reads the journal of a directory, on from a position, and makes each batch durable as one line on standard output:
 * its position and its numbers together, and what memory it takes. To be killed at any time.
 */
import { readFileSync, writeSync } from 'node:fs';
import { createJournalSource } from '../../../src/sources/journal/journal.ts';
import { sshdNumber } from './journal-files.ts';
import { sourceDefaults } from './journal-run.ts';

const [directory = '', position = ''] = process.argv.slice(2);
await createJournalSource({
  ...sourceDefaults,
  directory,
  position: position === '' ? null : position,
  sink: (batch) => {
    const numbers = batch.records.map(({ message }) => sshdNumber(message));
    writeSync(
      1,
      `${JSON.stringify({ position: batch.position, numbers, megabytes: residentMegabytes() })}\n`,
    );
  },
}).start();

/** Without mapped files, which the journal's are. */
function residentMegabytes(): number {
  const status = readFileSync('/proc/self/status', 'latin1');
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
