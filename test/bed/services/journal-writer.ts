/**
 * Writes journal entries through libsystemd, as services do; journald.ts starts it inside a bed. Reads one request a
 * line, a JSON array of `FIELD=value` texts, and answers each with the time at which it was handed over, on the
 * monotonic clock that all processes share (nanoseconds), or with `error` and the negative errno.
 */
import { createInterface } from 'node:readline';
import * as koffi from 'koffi';

/** struct iovec, uio.h; sd_journal_sendv(3). */
const ioVector = koffi.struct('iovec', { base: 'uint8_t *', length: 'size_t' });
const send = koffi.load('libsystemd.so.0').func('sd_journal_sendv', 'int', [koffi.pointer(ioVector), 'int']);

for await (const line of createInterface({ input: process.stdin })) {
  const fields = (JSON.parse(line) as string[]).map((field) => {
    const bytes = Buffer.from(field, 'utf8');
    return { base: bytes, length: bytes.length };
  });
  const handedOver = process.hrtime.bigint();
  const result = send(fields, fields.length) as number;
  process.stdout.write(result < 0 ? `error ${result}\n` : `${handedOver}\n`);
}
