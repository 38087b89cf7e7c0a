/**
 * Structured fuzz of the syslog parsers: messages made of the pieces that headers are made of, in any order, mutilated
 * and mixed with noise. `BAILIFF_FUZZ_RUNS` and `BAILIFF_FUZZ_SEED` search further; a failure prints its seed and its
 * message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Framer } from '../../src/syslog/framing.ts';
import { SyslogParser } from '../../src/syslog/parse.ts';
import { AT, tryRead } from '../syslog/reading.ts';

const RUNS = Number(process.env.BAILIFF_FUZZ_RUNS ?? 20_000);
const SEED = Number(process.env.BAILIFF_FUZZ_SEED ?? 5424);

const PIECES = [
  '<38>',
  '<191>',
  '<999>',
  '<',
  '>',
  '1 ',
  '- ',
  '-',
  ' ',
  '  ',
  ':',
  ': ',
  '\n',
  '\r\n',
  '\0',
  '\t',
  '\ufeff',
  '#012',
  '2026-11-20T14:13:37.749843+00:00',
  '2026-11-20T14:13:37Z',
  'Nov 20 14:13:17',
  'Nov  5 2026 04:13:17',
  '*Nov 20 14:13:17.1',
  'Feb 29 00:00:00',
  ' UTC',
  ' CET: ',
  ' 2026',
  'vm ',
  '192.0.2.7 ',
  '2001:db8::7 ',
  'sshd',
  'sshd[1]: ',
  'postfix/smtpd[',
  ']',
  ']: ',
  '[',
  '[a k="',
  '"]',
  '\\',
  '"',
  '=',
  '45: ',
  '%SEC_LOGIN-4-LOGIN_FAILED: ',
  '%',
  'system,error,critical ',
  ',',
  '788a2045c0de,UAP-5.60: ',
  '("U7PG2,788a2045c0de,v4")',
  'CEF:0|',
  'LEEF:1.0|',
  'Failed password for root from 203.0.113.9',
  'é',
  '\ud83d\ude00',
  'a'.repeat(130),
  '1234567890',
];

const message = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...PIECES).map((text) => Buffer.from(text)) },
      {
        weight: 1,
        arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      },
    ),
    { maxLength: 14 },
  )
  .map((pieces) => Buffer.concat(pieces));

test('no message makes the parser throw, and each gives a record with its text', () => {
  const property = fc.property(message, fc.boolean(), (bytes, isCut) => {
    const reading = tryRead(bytes, { isCut });
    if (reading === null) {
      if (!isCut)
        assert.match(bytes.toString('latin1'), /^(?:#012|#000)?\r?\n?\0?$/, 'only nothing is dropped');
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
  fc.assert(property, { seed: SEED, numRuns: RUNS });
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
