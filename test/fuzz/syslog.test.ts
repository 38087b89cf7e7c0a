/** Structured fuzz of the syslog parsers. A failure prints its seed and its message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SyslogParser } from '../../src/syslog/parse.ts';
import { AT, tryRead } from '../syslog/reading.ts';
import { message, RUNS, SEED } from './messages.ts';

test('no message makes the parser throw, and each gives a record with its text', () => {
  const property = fc.property(message, fc.boolean(), (bytes, isCut) => {
    const reading = tryRead(bytes, { isCut });
    if (reading === null) {
      if (!isCut)
        assert.match(bytes.toString('latin1'), /^(?:#012|#000|[ \t\r\n\0])*$/, 'only nothing is dropped');
      return;
    }
    assert.match(reading.identifier, /^[!-~]{0,128}$/);
    assert.match(reading.hostname, /^[!-~]{0,255}$/);
    assert.match(reading.pid, /^[!-~]{0,128}$/);
    assert.ok(reading.timestamp === -1 || reading.timestamp >= 0);
    assert.ok(
      reading.facility >= -1 && reading.facility <= 23 && reading.severity >= -1 && reading.severity <= 7,
    );
    const text = isCut ? reading.message.slice(0, -1) : reading.message;
    assert.ok(bytes.toString().includes(text), 'the text is a part of the message, unchanged');
  });
  fc.assert(property, { seed: SEED, numRuns: RUNS });
});

test('what stands around a message in the buffer changes nothing', () => {
  const parser = new SyslogParser();
  const origin = { at: AT, source: 'udp' as const, sender: '192.0.2.1' };
  const property = fc.property(message, message, message, (before, bytes, after) => {
    const alone = parser.parse(bytes, 0, bytes.length, origin);
    const dialect = parser.dialect;
    const within = parser.parse(
      Buffer.concat([before, bytes, after]),
      before.length,
      before.length + bytes.length,
      origin,
    );
    assert.deepEqual(within, alone);
    if (alone !== null) assert.equal(parser.dialect, dialect);
  });
  const behindAZone = [Buffer.alloc(0), Buffer.from('<38>Feb 29 00:00:00 UTC'), Buffer.from(': ')] as const;
  fc.assert(property, { seed: SEED, numRuns: RUNS, examples: [[...behindAZone]] });
});

test('a program is only ever named by a header: not without PRI or time, nor behind the first tag', () => {
  const text = message.map((bytes) => bytes.toString('latin1'));
  const property = fc.property(text, (tail) => {
    const bare = tryRead(Buffer.from(`x ${tail}`, 'latin1'));
    assert.equal(bare?.identifier, '');
    const tagged = tryRead(Buffer.from(`<38>Nov 20 14:13:17 vm web: ${tail}`, 'latin1'));
    assert.equal(tagged?.identifier, 'web');
    const structured = tryRead(Buffer.from(`<38>1 - vm web 7 - - ${tail}`, 'latin1'));
    assert.equal(structured?.identifier, 'web');
  });
  fc.assert(property, { seed: SEED, numRuns: RUNS });
});
