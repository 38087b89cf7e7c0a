/** What the syslog parsers cost for each byte, whatever the bytes are. A failure prints its seed and its message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Framer } from '../../src/syslog/framing.ts';
import { SyslogParser } from '../../src/syslog/parse.ts';
import { AT } from '../syslog/reading.ts';
import { message, PIECES, RUNS, SEED } from './messages.ts';

test('framing and parsing take less than a microsecond for each byte, whatever the bytes are', () => {
  const size = 256 * 1024;
  const parser = new SyslogParser();
  const origin = { at: AT, source: 'tcp' as const, sender: '192.0.2.1' };
  for (const piece of [
    ...PIECES,
    '<38>\n',
    '9 ',
    '<1>[',
    '<1>1 - - - - - [a="',
    '<1>1 - - - - - [a]',
    '<1>a,',
  ]) {
    const bytes = Buffer.alloc(size, piece);
    const started = process.cpuUsage();
    const framer = new Framer(size);
    let frames = 0;
    const take = (frame: Buffer, start: number, end: number, isCut: boolean) => {
      frames++;
      parser.parse(frame, start, end, origin, isCut);
    };
    framer.push(bytes, take);
    framer.end(true, take);
    parser.parse(Buffer.concat([Buffer.from('<38>1 - vm web 7 - '), bytes]), 0, size, origin);
    const { user, system } = process.cpuUsage(started);
    assert.ok(user + system < 2 * size, `${JSON.stringify(piece)}: ${frames} frames in ${user + system} µs`);
  }
});

test('no mixture of pieces takes more than a microsecond for each byte', () => {
  const size = 16 * 1024;
  const parser = new SyslogParser();
  const origin = { at: AT, source: 'udp' as const, sender: '192.0.2.1' };
  const buffer = Buffer.alloc(size);
  const property = fc.property(message, (unit) => {
    if (unit.length === 0) return;
    buffer.fill(unit);
    const elapsed = Math.min(...[1, 2, 3].map(() => timeOf(() => parser.parse(buffer, 0, size, origin))));
    assert.ok(elapsed < size, `${elapsed} µs for ${size} bytes`);
  });
  fc.assert(property, { seed: SEED, numRuns: RUNS / 20 });
});

/** Microseconds of this thread's processor time. */
function timeOf(action: () => void): number {
  const started = process.threadCpuUsage();
  action();
  const { user, system } = process.threadCpuUsage(started);
  return user + system;
}
