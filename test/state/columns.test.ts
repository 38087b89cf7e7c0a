import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Cause } from '../../src/core/ledger/decision.ts';
import { FOREVER } from '../../src/core/time.ts';
import { buffersOf, changesToColumns, columnsToImage, imageToColumns } from '../../src/state/columns.ts';
import { addressOf, NOTHING } from './samples.ts';

const SEED = 20_261_120;

const key = { jail: fc.constantFrom('sshd', 'nginx', '__proto__'), offender: fc.nat(999).map(addressOf) };
const instant = fc.integer({ min: 0, max: FOREVER });
const PLAIN = { noNullPrototype: true };
const image = fc.record(
  {
    windows: fc.array(fc.record({ ...key, seenAt: fc.array(instant, { maxLength: 8 }) }, PLAIN)),
    bans: fc.array(
      fc.record(
        {
          ...key,
          since: instant,
          until: instant,
          cause: fc.constantFrom<Cause>('offence', 'operator', 'restore'),
          failures: fc.nat(),
        },
        PLAIN,
      ),
    ),
    totals: fc.array(fc.record({ jail: key.jail, failures: fc.nat(), bans: fc.nat() }, PLAIN)),
  },
  PLAIN,
);

describe(`columns (seed ${SEED})`, () => {
  it('give back the image that was laid out, also after its way between threads', () => {
    fc.assert(
      fc.property(image, (original) => {
        const columns = imageToColumns(original);
        const received = structuredClone(columns, { transfer: buffersOf(columns) });
        assert.deepEqual(columnsToImage(received), original);
      }),
      { seed: SEED },
    );
  });

  it('carry the keys of what is gone and the names of rewritten jails', () => {
    const gone = { jail: 'sshd', offender: '192.0.2.1' };
    const columns = changesToColumns({
      ...NOTHING,
      rewritten: ['nginx'],
      windowsGone: [gone],
      bansGone: [gone],
    });
    assert.deepEqual(columns.rewritten, ['nginx']);
    assert.deepEqual(columns.windowsGone, { jails: ['sshd'], offenders: ['192.0.2.1'] });
    assert.deepEqual(columns.bansGone, columns.windowsGone);
  });
});
