import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DatagramBacklog, MAX_BACKLOG_BLOCKS } from '../../../src/sources/datagram/backlog.ts';

const SEED = 77;

type Seen = { text: string; sentLength: number; sender: string; at: number };

function release(backlog: DatagramBacklog<string>, count: number): Seen[] {
  const seen: Seen[] = [];
  backlog.release(count, ({ bytes, start, end, sentLength, sender, at }) => {
    seen.push({ text: bytes.toString('latin1', start, end), sentLength, sender, at });
  });
  return seen;
}

describe('a backlog of datagrams', () => {
  it('gives back what it was given, once and in order, however both are mixed', () => {
    const holding = fc.record({
      length: fc.oneof(fc.nat(200), fc.integer({ min: 60_000, max: 65_535 })),
      copies: fc.integer({ min: 1, max: 3_000 }),
    });
    const steps = fc.array(fc.oneof(holding, fc.record({ release: fc.nat(9_000) })), { maxLength: 12 });
    fc.assert(
      fc.property(steps, (plan) => {
        const backlog = new DatagramBacklog<string>();
        const waiting: Seen[] = [];
        let at = 0;
        for (const step of plan) {
          if ('release' in step) {
            assert.deepEqual(release(backlog, step.release), waiting.splice(0, step.release));
            continue;
          }
          const copies = step.length > 1_000 ? Math.min(step.copies, 40) : step.copies;
          for (let copy = 0; copy < copies; copy++) {
            const text = String.fromCharCode(97 + (at % 26)).repeat(step.length);
            const seen = { text, sentLength: step.length + (at % 2), sender: `s${at % 3}`, at: at++ };
            backlog.hold(
              Buffer.from(`<<${text}>>`),
              2,
              2 + text.length,
              seen.sentLength,
              seen.sender,
              seen.at,
            );
            waiting.push(seen);
          }
        }
        assert.equal(backlog.isEmpty, waiting.length === 0);
        assert.deepEqual(release(backlog, Number.POSITIVE_INFINITY), waiting);
        assert.ok(backlog.isEmpty);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('is full at its limit, and has room again as soon as a block is read', () => {
    const backlog = new DatagramBacklog<string>();
    const datagram = Buffer.alloc(65_535);
    const perBlock = Math.floor((1024 * 1024) / datagram.length);
    for (let block = 0; block < MAX_BACKLOG_BLOCKS; block++) {
      assert.ok(!backlog.isFull, `${block} blocks`);
      for (let index = 0; index < perBlock; index++) backlog.hold(datagram, 0, datagram.length, 1, 's', 0);
    }
    assert.ok(backlog.isFull);
    release(backlog, perBlock);
    assert.ok(!backlog.isFull);
  });
});
