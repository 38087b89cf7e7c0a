/**
 * Journals of other hosts: systemd-journal-upload sends entries with all their trusted fields, systemd-journal-remote
 * writes them to files, and the daemon reads those beside its own host's.
 */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, openBed } from '../../bed/namespace.ts';
import type { BedProcess } from '../../bed/process.ts';
import { requirements } from '../../bed/requirements.ts';
import { findJournalTool, Journald } from '../../bed/services/journald.ts';
import { waitFor } from '../../bed/waiting.ts';
import {
  failedLogin,
  SOON_MILLISECONDS,
  sceneMissing,
  sshdEntry,
  startDaemon,
  waitForBan,
} from '../scene.ts';

const PORT = 19532;
const reason = sceneMissing || (requirements('journal-upload') ?? false);

/** As the guide has it: a name that journal readers take for a machine's. */
const REMOTE_MACHINE = 'f'.repeat(32);

test('entries that systemd-journal-upload sends lead to bans, and so do those of the host itself', {
  skip: reason,
}, async () => {
  await using bed = await openBed();
  const device = await Journald.start(bed);
  const uploads = join(bed.directory, 'uploads');
  // Stands for /var/log/journal, with the host's own journal in it.
  const journals = join(bed.directory, 'journals');
  mkdirSync(uploads);
  mkdirSync(journals);
  symlinkSync(uploads, join(journals, REMOTE_MACHINE));
  const own = join(journals, 'a'.repeat(32));
  mkdirSync(own);

  await device.write(sshdEntry('Server listening on 0.0.0.0 port 22.'));
  await startRemote(bed, uploads);
  const upload = await startUpload(bed, device.directory);
  const daemon = await startDaemon(bed, {
    configuration: `[journal]\ndirectory = "${journals}"\n[jail.sshd]\nmax_retry = 2\n`,
  });
  await device.write(sshdEntry(failedLogin('203.0.113.7')));
  await device.write(sshdEntry(failedLogin('203.0.113.7')));
  await waitForBan(daemon, '203.0.113.7');

  await importEntries(bed, own, [failedLogin('203.0.113.8'), failedLogin('203.0.113.8')]);
  await waitForBan(daemon, '203.0.113.8');
  assert.equal(upload.result, null);
  await daemon.stop();
});

async function startRemote(bed: Bed, directory: string): Promise<void> {
  const running = await bed.start([
    findJournalTool('remote') ?? '',
    `--listen-http=127.0.0.1:${PORT}`,
    `--output=${directory}`,
    '--split-mode=host',
  ]);
  await waitFor('systemd-journal-remote to listen', SOON_MILLISECONDS, async () => {
    if (running.result !== null) throw new Error(running.output);
    const words = ['ss', '--no-header', '--listening', '--tcp', '--numeric', `sport = :${PORT}`];
    return (await bed.run(words)).stdout.includes(`:${PORT}`) ? true : null;
  });
}

function startUpload(bed: Bed, journal: string): Promise<BedProcess> {
  const state = join(bed.directory, 'upload.state');
  return bed.start([
    findJournalTool('upload') ?? '',
    `--url=http://127.0.0.1:${PORT}`,
    `--directory=${journal}`,
    `--save-state=${state}`,
    '--follow',
  ]);
}

/** Writes a journal file of a host, with entries as its sshd has made them. */
async function importEntries(bed: Bed, directory: string, messages: readonly string[]): Promise<void> {
  const entries = messages.map((message, index) => {
    const microseconds = Date.now() * 1_000 + index;
    return [
      `__REALTIME_TIMESTAMP=${microseconds}`,
      `__MONOTONIC_TIMESTAMP=${microseconds}`,
      `_BOOT_ID=${'b'.repeat(32)}`,
      '_UID=0',
      'SYSLOG_IDENTIFIER=sshd',
      `MESSAGE=${message}`,
      '\n',
    ].join('\n');
  });
  const argv = [findJournalTool('remote') ?? '', `--output=${join(directory, 'system.journal')}`, '-'];
  await bed.run(argv, { input: entries.join('') });
}
