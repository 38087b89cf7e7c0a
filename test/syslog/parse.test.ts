import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CUT_MARK, type LogRecord } from '../../src/core/record.ts';
import { Framer } from '../../src/syslog/framing.ts';
import { SyslogParser } from '../../src/syslog/parse.ts';
import { AT, read, summary, tryRead } from './reading.ts';

/** Byte-exact captures of what real clients send, where this checkout lies beside them. */
const CAPTURES = new URL('../../../shared/testbed/samples/wire/', import.meta.url);

describe('the PRI', () => {
  it('gives facility and severity', () => {
    for (const [text, facility, severity] of [
      ['<0>a: b', 0, 0],
      ['<38>a: b', 4, 6],
      ['<191>a: b', 23, 7],
      ['<007>a: b', 0, 7],
      ['a: b', -1, -1],
    ] as const) {
      const reading = read(text);
      assert.deepEqual([reading.facility, reading.severity], [facility, severity], text);
    }
  });

  it('above 191 stands for no facility, and the rest is read as ever', () => {
    const reading = read('<999>Nov 20 14:13:17 vm sshd[120]: text');
    assert.deepEqual([reading.facility, reading.severity, reading.identifier], [-1, -1, 'sshd']);
  });

  it('may have a BOM in front', () => {
    assert.equal(summary('\ufeff<38>sshd: text'), 'no-time||sshd||-|text');
  });
});

describe('a count in front', () => {
  const message = '<38>Nov 20 14:13:19 vm sshd[232]: text';

  it('as of octet counting is left out, when it is the length of all that follows', () => {
    for (const [count, end] of [
      [message.length, ''],
      [message.length, '\n'],
      [message.length + 1, '\n'],
    ] as const)
      assert.equal(summary(`${count} ${message}${end}`), 'rfc3164|vm|sshd|232|2026-11-20T14:13:19Z|text');
  });

  it('is text when it is another number, or no PRI follows', () => {
    for (const text of [
      `${message.length + 1} ${message}`,
      `${message.length - 1} ${message}`,
      `0 ${message}`,
      '4 text',
    ])
      assert.equal(summary(text), `raw||||-|${text}`);
  });
});

describe('the text', () => {
  it('ends before the white space and NULs at the end of the message, as journald ends it', () => {
    for (const end of [
      '',
      '\n',
      '\r\n',
      '\0',
      '\n\0',
      '\n\n\0',
      ' ',
      ' \t ',
      '#012',
      '#000',
      ' #012#012\n\0 ',
    ]) {
      assert.equal(read(`<38>sshd: text${end}`).message, 'text', JSON.stringify(end));
    }
    assert.equal(read('<38>sshd: text #012 more').message, 'text #012 more');
    assert.equal(read('<38>sshd: text#002').message, 'text#002');
  });

  it('is taken for UTF-8, and what is not is replaced', () => {
    assert.equal(read('<38>sshd: café ☃').message, 'café ☃');
    assert.equal(read(Buffer.from('<38>sshd: caf\xe9!', 'latin1')).message, 'caf\ufffd!');
  });

  it('keeps line feeds within it', () => {
    assert.equal(read('<38>sshd: a\n<38>sshd: b').message, 'a\n<38>sshd: b');
  });

  it('may be absent, but a message of nothing but a terminator is none', () => {
    assert.equal(summary('<38>'), 'raw||||-|');
    for (const text of ['', '\n', '\r\n', '\0', '  \n']) assert.equal(tryRead(text), null);
  });
});

describe('a cut message', () => {
  it('ends in a mark, so that no rule takes the cut for the end of the line', () => {
    assert.equal(
      read('<38>sshd: Failed password for x from 203.0.113.9 ', { isCut: true }).message,
      `Failed password for x from 203.0.113.9 ${CUT_MARK}`,
    );
  });

  it('never ends in a part of an address', () => {
    for (const tail of [
      '203.0.113.7',
      '203.0',
      '2001:db8::7',
      '::ffff:203.0.113.7',
      `203.0.113.7${'f'.repeat(200)}`,
    ]) {
      assert.equal(
        read(`<38>sshd: user x from ${tail}`, { isCut: true }).message,
        `user x from ${CUT_MARK}`,
        tail,
      );
    }
    assert.equal(read('203.0.113.7', { isCut: true }).message, CUT_MARK);
  });
});

/** What a client's bytes are made into: a datagram as it is, a stream through framing. */
function parseCapture(name: string): (LogRecord | null)[] {
  const bytes = readFileSync(new URL(name, CAPTURES));
  const parser = new SyslogParser();
  const origin = { at: AT, source: 'tcp' as const, sender: '127.0.0.1' };
  if (name.includes('-udp') || name.startsWith('busybox'))
    return [parser.parse(bytes, 0, bytes.length, origin)];
  const records: (LogRecord | null)[] = [];
  const take = (frame: Buffer, start: number, end: number, isCut: boolean) => {
    records.push(parser.parse(frame, start, end, origin, isCut));
  };
  const framer = new Framer(8192);
  framer.push(bytes, take);
  framer.end(true, take);
  return records;
}

describe('what real clients have sent', () => {
  const texts = [
    'Failed password for invalid user admin from 203.0.113.7 port 40022 ssh2',
    'Failed password for café from 2001:db8::7 port 1 ssh2',
  ];

  it('is read as what was logged', (t) => {
    if (!existsSync(CAPTURES)) {
      t.skip('the captures of real clients are not here');
      return;
    }
    const names = readdirSync(CAPTURES).filter((name) => name.endsWith('.bin'));
    assert.ok(names.length >= 20);
    for (const name of names) {
      const records = parseCapture(name);
      assert.equal(records.length, /-tcp|-tls/.test(name) && !name.startsWith('logger') ? 2 : 1, name);
      for (const record of records) {
        assert.ok(record !== null && texts.includes(record.message), `${name}: ${record?.message}`);
        assert.equal(record.identifier, 'sshd', name);
        assert.match(record.pid, name === 'busybox-syslogd-0.bin' ? /^$/ : /^\d+$/, name);
        assert.equal(record.hostname, name.startsWith('busybox') ? '' : 'vm', name);
        assert.deepEqual([record.facility, record.severity], [4, 6], name);
        assert.equal(
          new Date(Math.max(0, record.timestamp) / 1_000).getUTCDate(),
          name.includes('-sd-') ? 1 : 20,
          name,
        );
      }
    }
  });
});
