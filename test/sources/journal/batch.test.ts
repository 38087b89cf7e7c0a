import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogRecord } from '../../../src/core/record.ts';
import { PinnedBytes } from '../../../src/native/memory.ts';
import {
  allocateSlot,
  BatchPacker,
  BatchUnpacker,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  MAX_MESSAGE_BYTES,
} from '../../../src/sources/journal/batch.ts';

function record(parts: Partial<LogRecord> = {}): LogRecord {
  return {
    at: 1_790_000_000_000_001,
    source: 'journal',
    sender: '',
    hostname: '',
    identifier: 'sshd',
    pid: '42',
    facility: 4,
    severity: 6,
    message: 'hello',
    timestamp: -1,
    structuredData: '',
    connection: 0,
    trusted: { unit: 'ssh.service', executable: '/usr/sbin/sshd', uid: 0 },
    ...parts,
  };
}

function pack(packer: BatchPacker, wanted: LogRecord): void {
  packer.beginRecord();
  const texts = {
    identifier: wanted.identifier,
    pid: wanted.pid,
    unit: wanted.trusted?.unit ?? '',
    executable: wanted.trusted?.executable ?? '',
    message: wanted.message,
  };
  for (const [name, text] of Object.entries(texts)) {
    packer.endText(name as keyof typeof texts, packer.memory.bytes.write(text, packer.offset));
  }
  const isCut = Buffer.byteLength(wanted.message) >= MAX_MESSAGE_BYTES;
  packer.endRecord(wanted.at, wanted.trusted?.uid ?? -1, wanted.facility, wanted.severity, isCut);
}

function makeSlot() {
  const slot = allocateSlot();
  return { packer: new BatchPacker(slot, new PinnedBytes(slot)), unpacker: new BatchUnpacker(slot) };
}

test('what was packed is unpacked, slot by slot', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  const records = fc.array(
    fc.record({
      at: fc.maxSafeNat(),
      identifier: text,
      pid: text,
      message: text,
      facility: fc.integer({ min: -1, max: 23 }),
      severity: fc.integer({ min: -1, max: 7 }),
      trusted: fc.record(
        { unit: text, executable: text, uid: fc.oneof(fc.constant(-1), fc.nat(0xffff_ffff)) },
        { noNullPrototype: true },
      ),
    }),
    { maxLength: 20 },
  );
  const { packer, unpacker } = makeSlot();
  fc.assert(
    fc.property(records, (parts) => {
      const wanted = parts.map(record);
      packer.reset();
      for (const each of wanted) pack(packer, each);
      assert.deepEqual(unpacker.unpack(packer.count), wanted);
    }),
    { numRuns: 200 },
  );
});

test('a record that was begun and not ended leaves nothing behind', () => {
  const { packer, unpacker } = makeSlot();
  pack(packer, record({ message: 'kept' }));
  packer.beginRecord();
  packer.endText('identifier', packer.memory.bytes.write('left out', packer.offset));
  const bytes = packer.bytes;
  pack(packer, record({ identifier: '', message: 'kept too' }));
  const unpacked = unpacker.unpack(packer.count);
  assert.deepEqual(
    unpacked.map(({ identifier, message }) => [identifier, message]),
    [
      ['sshd', 'kept'],
      ['', 'kept too'],
    ],
  );
  assert.ok(packer.bytes > bytes);
});

test('a batch is full after so many records, or before the largest one might not fit', () => {
  const { packer } = makeSlot();
  for (let index = 0; index < MAX_BATCH_RECORDS; index++) {
    assert.equal(packer.isFull, false);
    pack(packer, record());
  }
  assert.equal(packer.isFull, true);
  packer.reset();
  const message = 'x'.repeat(MAX_MESSAGE_BYTES);
  while (!packer.isFull) pack(packer, record({ message }));
  assert.ok(packer.bytes <= MAX_BATCH_BYTES);
  assert.ok(packer.bytes > MAX_BATCH_BYTES - 3 * MAX_MESSAGE_BYTES);
});
