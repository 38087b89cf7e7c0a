import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR } from '../../src/core/time.ts';
import { Journal, shiftRecords } from '../../src/daemon/journal.ts';
import type { RecordBatch } from '../../src/sources/source.ts';
import { planOf, Recorder, recordAt, START } from './parts.ts';

const BATCH: RecordBatch = {
  source: 'journal',
  records: [recordAt(START, { message: 'one' }), recordAt(START + 5, { message: 'two' })],
  bytes: 6,
  position: 'a cursor',
};

test('entries of the journal are moved to our time when the clock of the machine was set back', () => {
  const shifted = shiftRecords(BATCH, HOUR);
  assert.deepEqual(
    shifted.records.map(({ at, message }) => [at, message]),
    [
      [START + HOUR, 'one'],
      [START + HOUR + 5, 'two'],
    ],
  );
  assert.deepEqual({ ...shifted, records: [] }, { ...BATCH, records: [] });
  assert.equal(shiftRecords(BATCH, 0), BATCH, 'else they are left as they are');
});

for (const [plan, detail] of [
  [planOf(), 'not read: [journal] enabled is false'],
  [planOf({ journal: { enabled: true, directory: null }, jails: [] }), 'not read: no jail is active'],
] as const) {
  test(`a journal that feeds no jail is ${detail}`, async (t) => {
    const recorder = new Recorder();
    const clock = {
      now: () => START,
      lead: () => 0,
      takeStep: () => 0,
      wall: { now: () => START },
      elapsed: () => 0,
    };
    const part = new Journal({ clock, sink: () => {}, emit: recorder.emit, position: () => null });
    t.after(part.stop);
    await part.apply(plan);
    const journal = recorder.of('component').find(({ component }) => component === 'journal');
    assert.deepEqual([journal?.health, journal?.detail], ['off', detail]);
  });
}
