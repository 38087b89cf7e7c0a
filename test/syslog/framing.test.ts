import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Framer } from '../../src/syslog/framing.ts';
import { framesOf, textsOf } from './frames.ts';

const SEED = 6587;

describe('newline framing', () => {
  it('ends a message with LF, with CR LF and with NUL', () => {
    assert.deepEqual(textsOf(['<1>a\n<1>b\n']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\r\n<1>b\r\n']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\0<1>b\0']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\n\0<1>b\n\0']), ['<1>a', '<1>b']);
  });

  it('skips empty messages', () => {
    assert.deepEqual(textsOf(['\n\r\n\0\n<1>a\n\n\n<1>b\n']), ['<1>a', '<1>b']);
  });

  it('keeps a CR that does not stand before the LF', () => {
    assert.deepEqual(textsOf(['<1>a\rb\r\r\n']), ['<1>a\rb\r']);
  });

  it('keeps a NUL within a message of a sender that ends messages with LF', () => {
    assert.deepEqual(textsOf(['<1>a\n<1>b\0<1>smuggled\n']), ['<1>a', '<1>b\0<1>smuggled']);
  });

  it('takes a last line without terminator when the sender has closed the connection', () => {
    assert.deepEqual(textsOf(['<1>a\n<1>b']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\r']), ['<1>a']);
    assert.deepEqual(textsOf(['<1>a\n<1>b'], { isClosedBySender: false }), ['<1>a', '<1>b [cut]']);
  });

  it('reads a line that begins with a number as a line', () => {
    assert.deepEqual(textsOf(['20 Nov 2026 <1>x\n5 <b\n']).slice(0, 1), ['20 Nov 2026 <1>x']);
    assert.deepEqual(textsOf(['2026-11-20 x\n']), ['2026-11-20 x']);
    assert.deepEqual(textsOf(['0 <1>x\n']), ['0 <1>x']);
    assert.deepEqual(textsOf(['42\n', '43', '\n44 ']), ['42', '43', '44 ']);
    assert.deepEqual(textsOf(['12345678901 <1>x\n']), ['12345678901 <1>x']);
  });
});

describe('octet counting', () => {
  it('takes as many bytes as the count says', () => {
    assert.deepEqual(textsOf(['4 <1>a5 <1>bc']), ['<1>a', '<1>bc']);
  });

  it('skips line feeds that the count leaves out, and passes on those that it counts', () => {
    assert.deepEqual(textsOf(['4 <1>a\n5 <1>b\n4 <1>c']), ['<1>a', '<1>b\n', '<1>c']);
  });

  it('counts bytes, not characters', () => {
    assert.deepEqual(
      framesOf([Buffer.from('6 <1>é!')]).map(({ text }) => Buffer.from(text, 'latin1').toString()),
      ['<1>é!'],
    );
  });

  it('never lets the text of a message begin another one', () => {
    const message = '<38>a: user\n<38>sshd: Failed\r\n7 <38>x\0y';
    assert.deepEqual(textsOf([`${message.length} ${message}4 <1>b`]), [message, '<1>b']);
  });

  it('trusts a count without PRI behind it only after a counted message', () => {
    assert.deepEqual(textsOf(['4 <1>a3 abc4 <1>b']), ['<1>a', 'abc', '<1>b']);
    assert.deepEqual(textsOf(['3 abc4 <1>b\n']), ['3 abc4 <1>b']);
  });

  it('is recognised anew with each message', () => {
    assert.deepEqual(textsOf(['<1>a\n4 <1>b<1>c\n4 <1>d']), ['<1>a', '<1>b', '<1>c', '<1>d']);
  });

  it('hands over what has come of the last message as cut', () => {
    assert.deepEqual(textsOf(['4 <1>a9 <1>b']), ['<1>a', '<1>b [cut]']);
  });
});

describe('a message over the limit', () => {
  const long = `<1>${'x'.repeat(100)}`;
  const cut = `${long.slice(0, 64)} [cut]`;

  it('is cut and the stream goes on', () => {
    assert.deepEqual(textsOf([`${long}\n<1>b\n`]), [cut, '<1>b']);
    assert.deepEqual(textsOf([`103 ${long}4 <1>b`]), [cut, '<1>b']);
  });

  it('is handed over without waiting for its end', () => {
    const frames: string[] = [];
    const framer = new Framer(64);
    framer.push(Buffer.from(long), (bytes, start, end) => frames.push(bytes.toString('latin1', start, end)));
    assert.deepEqual(frames, [long.slice(0, 64)]);
  });

  it('is not cut at exactly the limit, whatever ends it', () => {
    const exact = `<1>${'x'.repeat(61)}`;
    for (const wire of [`${exact}\n`, `${exact}\r\n`, `${exact}\0`, `64 ${exact}`, exact]) {
      assert.deepEqual(textsOf([wire]), [exact]);
      assert.deepEqual(textsOf([...wire]), [exact]);
    }
  });

  it('costs no more memory than the limit, however long the line is', () => {
    const frames: boolean[] = [];
    const framer = new Framer(1024);
    const chunk = Buffer.alloc(65_536, 'x');
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 500; count++) framer.push(chunk, (_b, _s, _e, isCut) => frames.push(isCut));
    framer.push(Buffer.from('\n<1>a\n'), (_b, _s, _e, isCut) => frames.push(isCut));
    assert.deepEqual(frames, [true, false]);
    assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
  });

  it('may be announced by any count', () => {
    assert.deepEqual(textsOf([`999999999 ${long}`]), [cut]);
  });
});

/** Pieces that streams are made of, right and wrong ones. */
const piece = fc.oneof(
  fc.constantFrom(
    '\n',
    '\r\n',
    '\0',
    '\r',
    ' ',
    '<',
    '<38>',
    '5 ',
    '12 <1>abc',
    '4 <1>a',
    '70 <1>',
    '<1>a\n',
    '1',
  ),
  fc.string({ minLength: 0, maxLength: 80, unit: fc.constantFrom(...'ab<>019 \r\n\0') }),
  fc
    .string({ maxLength: 70, unit: fc.constantFrom(...'ab<> 1\n') })
    .map((text) => `${text.length + 3} <1>${text}`),
);

describe('a stream', () => {
  it('gives the same frames wherever it is split', () => {
    const stream = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.from(pieces.join(''), 'latin1'));
    const property = fc.property(
      stream,
      fc.array(fc.nat(300), { maxLength: 20 }),
      fc.boolean(),
      (bytes, cuts, closed) => {
        const options = { maxMessageBytes: 32, isClosedBySender: closed };
        const whole = framesOf([bytes], options);
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        assert.deepEqual(framesOf(chunks, options), whole);
        const single = Array.from(bytes, (byte) => Buffer.from([byte]));
        assert.deepEqual(framesOf(single, options), whole);
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 2_000 });
  });

  it('gives back the messages that were counted into it, whatever they hold', () => {
    const message = fc.uint8Array({ maxLength: 40 }).map((body) => Buffer.concat([Buffer.from('<1>'), body]));
    const property = fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      const wire = messages.flatMap((body) => [Buffer.from(`${body.length} `), body]);
      assert.deepEqual(
        framesOf([Buffer.concat(wire)]),
        messages.map((body) => ({ text: body.toString('latin1'), isCut: false })),
      );
    });
    fc.assert(property, { seed: SEED, numRuns: 1_000 });
  });

  it('never gives a frame over the limit, and none that is empty', () => {
    const property = fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      for (const { text } of framesOf(pieces, { maxMessageBytes: 32 })) {
        assert.ok(text.length > 0 && text.length <= 32);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 2_000 });
  });
});
