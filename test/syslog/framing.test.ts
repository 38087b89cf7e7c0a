import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Framer } from '../../src/syslog/framing.ts';
import { framesOf, textsOf } from './frames.ts';

const SEED = 6587;

describe('messages that end with LF, CR LF or NUL', () => {
  it('end where the first segment of their connection ends', () => {
    assert.deepEqual(textsOf(['<1>a\n<1>b\n']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\r\n<1>b\r\n']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\0<1>b\0']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\n\0<1>b\n\0']), ['<1>a\n', '<1>b\n']);
  });

  it('hold each the byte that ends the messages of others', () => {
    assert.deepEqual(textsOf(['<1>a\n', '<1>b\0<1>smuggled\n']), ['<1>a', '<1>b\0<1>smuggled']);
    assert.deepEqual(textsOf(['<1>a\0<1>smuggled\n']), ['<1>a\0<1>smuggled']);
    assert.deepEqual(textsOf(['<1>boom\nTraceback\0', '<1>b\0']), ['<1>boom\nTraceback', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\0', '<1>b\n<1>smuggled\0']), ['<1>a', '<1>b\n<1>smuggled']);
  });

  it('are handed over once it is known what ends them', () => {
    const framer = new Framer(64);
    const texts: string[] = [];
    const take = (bytes: Buffer, start: number, end: number) =>
      texts.push(bytes.toString('latin1', start, end));
    framer.push(Buffer.from('<1>a\n<1>b'), take);
    assert.deepEqual([texts, framer.separator, framer.isWaiting], [[], 'unknown', true]);
    framer.push(Buffer.from('\n<1>c'), take);
    assert.deepEqual([texts, framer.separator], [[], 'unknown']);
    framer.push(Buffer.from('\n'), take);
    assert.deepEqual(
      [texts, framer.separator, framer.isWaiting],
      [['<1>a', '<1>b', '<1>c'], 'line-feed', false],
    );
  });

  it('are handed over after a pause behind one that TCP may have cut', () => {
    const framer = new Framer(1024);
    const texts: string[] = [];
    const take = (bytes: Buffer, start: number, end: number) =>
      texts.push(bytes.toString('latin1', start, end));
    const long = `<1>${'x'.repeat(600)}`;
    framer.push(Buffer.from(`${long}\n`), take);
    assert.deepEqual(texts, []);
    framer.settle(take);
    assert.deepEqual(texts, [long]);
  });

  it('are handed over when more has come than is kept', () => {
    const line = `<1>${'x'.repeat(60)}\n`;
    const chunk = line.repeat(1000).slice(0, -10);
    const frames = framesOf([chunk, chunk], { maxMessageBytes: 128 });
    assert.equal(frames.length, 2000 - 1);
  });

  it('are found again when the first segment was misleading', () => {
    const misled = ['<1>a\n', '<1>b\0', '<1>c\0', '<1>d\0', '<1>e\n<1>f\0'];
    assert.deepEqual(textsOf(misled), ['<1>a', '<1>e\n<1>f']);
    assert.deepEqual(textsOf(['<1>a\0', '<1>b\n', '<1>c\n', '<1>d\n', '<1>e\0<1>f\n']), [
      '<1>a',
      '<1>e\0<1>f',
    ]);
  });

  it('are skipped when there is nothing in them', () => {
    assert.deepEqual(textsOf(['\n\r\n\0\n<1>a\n\n\n<1>b\n']), ['<1>a', '<1>b']);
  });

  it('keep a CR that does not stand before the LF', () => {
    assert.deepEqual(textsOf(['<1>a\rb\r\r\n']), ['<1>a\rb\r']);
  });

  it('may lack their end when the sender has closed the connection', () => {
    assert.deepEqual(textsOf(['<1>a\n', '<1>b']), ['<1>a', '<1>b']);
    assert.deepEqual(textsOf(['<1>a\0', '<1>b\nc\0<1>d']), ['<1>a', '<1>b\nc', '<1>d']);
    assert.deepEqual(textsOf(['<1>a\r']), ['<1>a']);
    assert.deepEqual(textsOf(['<1>a\n', '<1>b'], { isClosedBySender: false }), ['<1>a', '<1>b [cut]']);
    assert.deepEqual(textsOf(['a\nb']), ['a', 'b']);
    assert.deepEqual(textsOf(['<1>a\n<1>smuggled']), ['<1>a\n<1>smuggled']);
  });

  it('may begin with a number', () => {
    assert.deepEqual(textsOf(['20 Nov 2026 <1>x\n5 <b\n']).slice(0, 1), ['20 Nov 2026 <1>x']);
    assert.deepEqual(textsOf(['2026-11-20 x\n']), ['2026-11-20 x']);
    assert.deepEqual(textsOf(['0 <1>x\n']), ['0 <1>x']);
    assert.deepEqual(textsOf(['42\n', '43', '\n44 ']), ['42', '43', '44 ']);
    assert.deepEqual(textsOf(['12345678901 <1>x\n']), ['12345678901 <1>x']);
    assert.deepEqual(textsOf(['20 zebras\n', '20 z', 'ebras\n']), ['20 zebras', '20 zebras']);
  });
});

describe('messages that nothing ends', () => {
  it('are one in each segment that begins with a PRI', () => {
    assert.deepEqual(textsOf(['<1>a', '<1>b', '<1>c']), ['<1>a', '<1>b', '<1>c']);
    assert.deepEqual(textsOf(['<1>a\n at x', '<1>b', '<1>c\n at y']), ['<1>a\n at x', '<1>b', '<1>c\n at y']);
  });

  it('are not begun by text within them', () => {
    assert.deepEqual(textsOf(['<1>a', '<1>b<1>smuggled', '<1>c\n<1>smuggled\n']), [
      '<1>a',
      '<1>b<1>smuggled',
      '<1>c\n<1>smuggled\n',
    ]);
  });

  it('are not begun where TCP may have cut one', () => {
    const long = `<1>${'x'.repeat(600)}`;
    assert.deepEqual(textsOf(['<1>a', '<1>b', long, '<1>smuggled', '<1>c'], { maxMessageBytes: 1024 }), [
      '<1>a',
      '<1>b',
      `${long} [cut]`,
      '<1>c',
    ]);
  });

  it('are handed over after a pause', () => {
    const framer = new Framer(64);
    const texts: string[] = [];
    const take = (bytes: Buffer, start: number, end: number) =>
      texts.push(bytes.toString('latin1', start, end));
    framer.push(Buffer.from('<1>a'), take);
    framer.settle(take);
    assert.deepEqual([texts, framer.separator], [['<1>a'], 'none']);
    framer.push(Buffer.from('<1>b'), take);
    assert.equal(framer.isWaiting, true);
    framer.settle(take);
    assert.deepEqual([texts, framer.isWaiting], [['<1>a', '<1>b'], false]);
  });

  it('are found out as well behind one that happened to end with LF', () => {
    assert.deepEqual(textsOf(['<1>a\n', '<1>b', '<1>c', '<1>d', '<1>e', '<1>f']).slice(-2), ['<1>e', '<1>f']);
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
    assert.deepEqual(textsOf(['<1>a\n', '4 <1>b<1>c\n4 <1>d']), ['<1>a', '<1>b', '<1>c', '<1>d']);
  });

  it('is also believed before a message that rsyslog has compressed, and plain ones may stand between', () => {
    const compressed = 'z\x78\xda<\n';
    const wire = [`${compressed.length} ${compressed}`, '<1>b\n', `${compressed.length} ${compressed}<1>c\n`];
    assert.deepEqual(textsOf(wire), [compressed, '<1>b', compressed, '<1>c']);
    assert.deepEqual(textsOf([...(wire[0] ?? '')]), [compressed]);
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
    const take = (bytes: Buffer, start: number, end: number) =>
      frames.push(bytes.toString('latin1', start, end));
    framer.push(Buffer.from('<1>a\n'), take);
    framer.push(Buffer.from(long), take);
    assert.deepEqual(frames, ['<1>a', long.slice(0, 64)]);
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
    framer.push(Buffer.from('<1>z\n'), () => {});
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

/** How a sender ends its messages; `escaped` is what it does to their texts. */
type SenderKind = { readonly frame: (message: string) => string; readonly escaped: (text: string) => string };

const KINDS: Readonly<Record<string, SenderKind>> = {
  LF: { frame: (message) => `${message}\n`, escaped: (text) => text.replace(/\n/g, ' ') },
  'CR LF': { frame: (message) => `${message}\r\n`, escaped: (text) => text.replace(/\n/g, ' ') },
  NUL: { frame: (message) => `${message}\0`, escaped: (text) => text.replace(/\0/g, ' ') },
  count: { frame: (message) => `${message.length} ${message}`, escaped: (text) => text },
  none: { frame: (message) => message, escaped: (text) => text },
};

/** What clients write who know how syslog is framed, short and longer than a segment. */
const hostileText = fc
  .array(
    fc.constantFrom(
      '\n<38>sshd: x',
      '\0<38>sshd: x',
      '<38>sshd: x',
      '\r\n',
      '\n',
      '\0',
      ' y',
      '21 <38>sshd: x',
      'z'.repeat(533),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

const SEGMENT = 536;

/** What TCP makes of a sender's writes: some that lie together are joined, and what is longer than a segment is cut. */
function segmentsOf(writes: readonly string[], joins: readonly boolean[]): string[] {
  const runs: string[] = [];
  for (const [index, write] of writes.entries()) {
    if (index > 0 && joins[index % joins.length]) runs.push((runs.pop() ?? '') + write);
    else runs.push(write);
  }
  return runs.flatMap((run) => run.match(/.{1,536}/gs) ?? []);
}

describe('a stream', () => {
  for (const [name, { frame, escaped }] of Object.entries(KINDS)) {
    it(`whose messages end with ${name} has none that a client has begun, wherever its segments end`, () => {
      const property = fc.property(
        fc.array(hostileText, { minLength: 1, maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        (texts, joins) => {
          const end = name === 'none' ? '.' : '';
          const messages = texts.map((text, index) => `<13>app${index}: ${escaped(text)}${end}`);
          const segments = segmentsOf(messages.map(frame), joins);
          const frames = framesOf(segments, { maxMessageBytes: 8192 });
          for (const { text } of frames) assert.match(text, /^<13>app\d: /);
          if (name === 'none') return;
          const trimmed = (text: string) => text.replace(/[\s\0]+$/, '');
          assert.deepEqual(
            frames.map(({ text }) => trimmed(text)),
            messages.map(trimmed),
          );
        },
      );
      fc.assert(property, { seed: SEED, numRuns: 1_500 });
    });
  }

  it('whose messages end with nothing loses none that came in a segment of its own', () => {
    const text = hostileText.filter(({ length }) => length < SEGMENT - 10);
    const property = fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (texts) => {
      const messages = texts.map((line, index) => `<13>app${index}: ${line}.`);
      assert.deepEqual(
        framesOf(messages, { maxMessageBytes: 8192 }).map((frame) => frame.text),
        messages,
      );
    });
    fc.assert(property, { seed: SEED, numRuns: 1_500 });
  });

  it('gives the same frames wherever it is split, once it is known what ends them', () => {
    const stream = fc
      .array(piece, { maxLength: 12 })
      .map((pieces) => Buffer.from(pieces.join('').replaceAll('\0', ' '), 'latin1'));
    const property = fc.property(
      stream,
      fc.array(fc.nat(300), { maxLength: 2 }),
      fc.boolean(),
      (bytes, cuts, closed) => {
        const options = { maxMessageBytes: 32, isClosedBySender: closed };
        const first = Buffer.from('<1>a\n');
        const whole = framesOf([first, bytes], options);
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        assert.deepEqual(framesOf([first, ...chunks], options), whole);
        const single = Array.from(bytes, (byte) => Buffer.from([byte]));
        assert.deepEqual(framesOf([first, ...single], options), whole);
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
