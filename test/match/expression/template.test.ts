import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PatternError } from '../../../src/match/expression/expression.ts';
import { escapeTemplate } from '../../../src/match/expression/template.ts';
import { CompiledPattern } from '../../../src/match/pattern.ts';

function patternOf(text: string): CompiledPattern {
  return new CompiledPattern({ form: 'template', text });
}

function fieldsOf(template: string, text: string): Record<string, string> {
  return Object.fromEntries(
    patternOf(template)
      .fields(text)
      .map(({ name, value }) => [name, value]),
  );
}

describe('a template', () => {
  it('finds an address and a user', () => {
    const pattern = patternOf(
      'Failed <word:method> for [invalid user ]<user> from <address> port <port>[ ssh2]',
    );
    const line = 'Failed password for invalid user admin from 203.0.113.9 port 40022 ssh2';
    assert.deepEqual(pattern.read(line), { address: '203.0.113.9', user: 'admin', session: '' });
    assert.deepEqual(pattern.fields(line), [
      { name: 'method', value: 'password' },
      { name: 'user', value: 'admin' },
      { name: 'address', value: '203.0.113.9' },
      { name: 'port', value: '40022' },
    ]);
  });

  it('stands for the whole message', () => {
    const pattern = patternOf('refused <address>');
    assert.ok(pattern.read('refused 203.0.113.9'));
    assert.equal(pattern.read('x refused 203.0.113.9'), null);
    assert.equal(pattern.read('refused 203.0.113.9\n'), null);
    assert.equal(pattern.read('refused 203.0.113.9 '), null);
  });

  it('has optional parts and alternatives, also within each other', () => {
    const pattern = patternOf('{Login|Log[-]on} {failed|refused[ again]}[ (<word>)]');
    for (const text of ['Login failed', 'Logon refused again', 'Log-on refused (x)']) {
      assert.ok(pattern.read(text), text);
    }
    for (const text of ['Log failed', 'Login failed again', 'Login ', 'Login failed ()']) {
      assert.equal(pattern.read(text), null, text);
    }
  });

  it('takes every other character as itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (text, other) => {
        const pattern = patternOf(escapeTemplate(text));
        assert.ok(pattern.read(text));
        assert.equal(pattern.read(other) !== null, other === text);
      }),
      { seed: 3 },
    );
  });

  it('reads strict addresses only, and folds them', () => {
    const pattern = patternOf('from <address>');
    const spellings: readonly (readonly [string, string | null])[] = [
      ['203.0.113.9', '203.0.113.9'],
      ['2001:DB8::1', '2001:db8::1'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      ['fe80::1%eth0', 'fe80::1'],
      ['::', '::'],
      ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
      ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:c000:201'],
      ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
      ['010.0.0.1', null],
      ['1.2.3', null],
      ['256.1.1.1', null],
      ['1.2.3.4.5', null],
      ['0x7f.0.0.1', null],
      ['3405803785', null],
      ['1:2:3:4:5:6:7', null],
      [':1', null],
      [':::', null],
      ['1::2::3', null],
      ['gateway.example.net', null],
      ['', null],
    ];
    for (const [text, address] of spellings) {
      assert.equal(pattern.read(`from ${text}`)?.address ?? null, address, text);
    }
  });

  it('reads a peer with or without port and brackets', () => {
    const pattern = patternOf('peer <peer> gone');
    for (const text of ['203.0.113.9', '203.0.113.9:22', '[203.0.113.9]:22']) {
      assert.equal(pattern.read(`peer ${text} gone`)?.address, '203.0.113.9', text);
    }
    for (const text of ['2001:db8::9', '[2001:db8::9]', '[2001:db8::9]:22']) {
      assert.equal(pattern.read(`peer ${text} gone`)?.address, '2001:db8::9', text);
    }
    assert.equal(pattern.read('peer 203.0.113.9:http gone'), null);
    assert.equal(pattern.ambiguity, null);
  });

  it('reads text without a text, or several that begin alike', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(',', ' ', 'i', 'p', '=', 'x'), { maxLength: 12 }),
        (characters) => {
          const text = characters.join('');
          assert.equal(patternOf('<any!!, ip=>').hasShape(text), !text.includes(', ip='), text);
          assert.equal(patternOf('<any!!,i|, p>').hasShape(text), !/,i|, p/.test(text), text);
        },
      ),
      { seed: 5 },
    );
    assert.equal(patternOf('<any!!a\\>>').hasShape('ba>'), false);
    for (const text of ['<any!!aba>', '<any!!a>|<>', '<any!!ab|ba>', '<any!!ab|a>']) {
      assert.throws(() => patternOf(text), PatternError, text);
    }
  });

  it('has types for what else stands in log lines', () => {
    assert.deepEqual(fieldsOf('<time> <quoted> <int> <number> <hex> <path> <status>', 'x'), {});
    assert.deepEqual(
      fieldsOf(
        '<time> <quoted> <int> <number> <hex> <path> <status>',
        '2026-11-20T10:00:00.5+01:00 "a \\" b" 7 -1.5 fF /a?b 404',
      ),
      {
        time: '2026-11-20T10:00:00.5+01:00',
        quoted: 'a \\" b',
        int: '7',
        number: '-1.5',
        hex: 'fF',
        path: '/a?b',
        status: '404',
      },
    );
    for (const time of [
      '2026/11/20 10:00:00',
      'Nov 20 10:00:00',
      'Fri Nov 20 10:00:00.123 2026',
      '20.11.2026 10:00:00,1',
    ]) {
      assert.deepEqual(fieldsOf('<time>', time), { time });
    }
  });

  it('may name its fields, and finds a name in whichever alternative took part', () => {
    const pattern = patternOf('{user <user> at <address>|<peer> as "<any:user>"}');
    assert.deepEqual(pattern.read('user joe at 192.0.2.1'), {
      address: '192.0.2.1',
      user: 'joe',
      session: '',
    });
    assert.deepEqual(pattern.read('[2001:db8::1]:5 as "joe"'), {
      address: '2001:db8::1',
      user: 'joe',
      session: '',
    });
  });

  it('cuts a very long user name', () => {
    assert.equal(patternOf('user <user>').read(`user ${'x'.repeat(5_000)}`)?.user.length, 256);
  });

  it('reads words in any language, but neither digits nor what may close or open a part of the line', () => {
    const pattern = patternOf('<words> <address> (<any>)');
    for (const words of ["Échec de l'accès depuis", 'Вход не выполнен', '使用者', 'log-in of']) {
      assert.equal(pattern.read(`${words} 192.0.2.1 (x)`)?.address, '192.0.2.1', words);
    }
    for (const character of '0:;"()[]<>') {
      assert.equal(pattern.read(`from${character} 192.0.2.1 (x)`), null, character);
    }
  });

  it('reads text without the characters that it must not hold', () => {
    const pattern = patternOf(`"<any:header!"[]()^->" as '<user!'>' from <address>`);
    assert.equal(pattern.read(`"x, y" as 'joe' from 192.0.2.1`)?.user, 'joe');
    for (const character of '"[]()^-') {
      assert.equal(pattern.read(`"x${character}y" as 'joe' from 192.0.2.1`), null, character);
    }
    assert.equal(pattern.read(`"x" as 'j'e' from 192.0.2.1`), null);
  });

  it('says where it is wrong', () => {
    const mistakes: readonly (readonly [string, number, RegExp])[] = [
      ['from <adress>', 5, /no type of field; there are address, /],
      ['from <address', 5, /written <type>/],
      ['a < b', 2, /written <type>/],
      ['from [a', 5, /\[ is not closed/],
      ['from {a|b', 5, /\{ is not closed/],
      ['from ]', 5, /must be escaped: \\\]/],
      ['a|b', 1, /must be escaped: \\\|/],
      ['a\\n', 1, /backslash/],
      ['a\\', 1, /backslash/],
      ['<any:address>', 0, /written <address> or <peer>/],
      ['<word!">', 0, /only <any> and <user>/],
      ['<any!>', 0, /written <type>/],
      ['<address:server>', 0, /<host:server>/],
      ['['.repeat(20), 9, /nested/],
      ['x'.repeat(2_000), 0, /longer/],
    ];
    for (const [text, offset, message] of mistakes) {
      assert.throws(
        () => patternOf(text),
        (error) => error instanceof PatternError && error.offset === offset && message.test(error.message),
        text,
      );
    }
  });
});
