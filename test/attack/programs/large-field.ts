/**
 * Writes entries with one very large field to the journal, as any local user can: scene.ts starts it with the name of
 * the field, its megabytes and how many entries. Says `begun`, and `done` behind the last.
 */
import { setTimeout as pause } from 'node:timers/promises';
import * as koffi from 'koffi';

/** struct iovec, uio.h; sd_journal_sendv(3). */
const ioVector = koffi.struct('iovec', { base: 'uint8_t *', length: 'size_t' });
const send = koffi.load('libsystemd.so.0').func('sd_journal_sendv', 'int', [koffi.pointer(ioVector), 'int']);

const PAUSE_MILLISECONDS = 1_000;

const [field = '', megabytes = '', count = ''] = process.argv.slice(2);
const fields = [
  Buffer.from(field === 'MESSAGE' ? 'PRIORITY=6' : 'MESSAGE=short'),
  Buffer.from('SYSLOG_IDENTIFIER=sshd'),
  Buffer.concat([Buffer.from(`${field}=`), Buffer.alloc(Number(megabytes) * 1024 * 1024, 'a')]),
];
process.stdout.write('begun\n');
for (let written = 0; written < Number(count); written++) {
  const result = send(
    fields.map((bytes) => ({ base: bytes, length: bytes.length })),
    fields.length,
  ) as number;
  if (result < 0) process.stdout.write(`error ${result}\n`);
  await pause(PAUSE_MILLISECONDS);
}
process.stdout.write('done\n');
