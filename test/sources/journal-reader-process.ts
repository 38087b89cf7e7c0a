/**
 * Reads the journal of a directory, on from a position, and makes each batch durable as one line on standard output: its
 * position and its numbers together. To be killed at any time.
 */
import { writeSync } from 'node:fs';
import { createJournalSource } from '../../src/sources/journal.ts';
import { sshdNumber } from './journal-files.ts';
import { sourceDefaults } from './journal-run.ts';

const [directory = '', position = ''] = process.argv.slice(2);
await createJournalSource({
  ...sourceDefaults,
  directory,
  position: position === '' ? null : position,
  sink: (batch) => {
    const numbers = batch.records.map(({ message }) => sshdNumber(message));
    writeSync(1, `${JSON.stringify({ position: batch.position, numbers })}\n`);
  },
}).start();
