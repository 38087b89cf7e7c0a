import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlacedValue, parseIni } from '../../../src/import/fail2ban/ini.ts';
import {
  Resolver,
  readSettings,
  type Settings,
  SettingsError,
} from '../../../src/import/fail2ban/settings.ts';

function settingsOf(files: Readonly<Record<string, string>>, main: readonly string[]): Settings {
  return readSettings(main, (path) => {
    const text = files[path];
    return text === undefined ? null : parseIni(path, text);
  });
}

function resolver(text: string, overrides: Readonly<Record<string, string>> = {}): Resolver {
  const place = { file: 'jail.conf', line: 9 };
  const given = Object.entries(overrides).map(([key, value]) => [key, [{ text: value, place }]] as const);
  return new Resolver(settingsOf({ f: text }, ['f']), new Map(given));
}

function textOf(value: PlacedValue | undefined): string | undefined {
  return value?.map(({ text }) => text).join('\n');
}

test('later files win, includes stand around the file that names them, .local files after their .conf', () => {
  const files = {
    'a.conf': '[INCLUDES]\nbefore = b.conf\nafter = c.conf\n[S]\nx = a\ny = a\n',
    'b.conf': '[S]\nx = b\nz = b\nw = b\n',
    'b.local': '[S]\nw = b-local\n',
    'c.conf': '[S]\ny = c\n',
    'a.local': '[S]\nv = a-local\n',
  };
  const settings = settingsOf(files, ['a.conf', 'a.local']);
  const found = ['v', 'w', 'x', 'y', 'z'].map((name) => textOf(settings.raw('S', name)));
  assert.deepEqual(found, ['a-local', 'b-local', 'a', 'c', 'b']);
});

test('files that include each other, or what lies outside, are read once and not at all', () => {
  const files = {
    'd/a': '[INCLUDES]\nbefore = b\n ../x\n /x\n[S]\nx = a\n',
    'd/b': '[INCLUDES]\nbefore = a\n[S]\ny = b\n',
    x: '[S]\nx = outside\n',
    '/x': '[S]\nx = outside\n',
  };
  const settings = settingsOf(files, ['d/a']);
  assert.deepEqual([textOf(settings.raw('S', 'x')), textOf(settings.raw('S', 'y'))], ['a', 'b']);
});

test('%(name)s is replaced from the section, the defaults, other sections, and what was there before', () => {
  const before = '[DEFAULT]\nd = D\n[S]\nk = old\n[O]\no = %(d)s!\n';
  const after = '[S]\nk = new %(known/k)s\nv = %(d)s %(k)s %(O/o)s %(__name__)s 100%%\n';
  const settings = settingsOf({ a: before, b: after }, ['a', 'b']);
  assert.equal(textOf(new Resolver(settings, new Map()).value('S', 'v')), 'D new old D! S 100%');
});

test('<name> is replaced from the inside out, [Init] before [Definition], and unknown tags stay', () => {
  const text = '[Definition]\nr = <re-<mode>> <HOST>\nre-a = A\nre-b = B\nmode = a\n[Init]\nre-b = BB\n';
  assert.equal(textOf(resolver(text).tagged('Definition', 'r')), 'A <HOST>');
  assert.equal(textOf(resolver(text, { mode: 'b' }).tagged('Definition', 'r')), 'BB <HOST>');
});

test('a line keeps the place where it was written, whatever put it where it is', () => {
  const text = '[Definition]\nmore = one\n  two\nr = %(more)s\n  x %(more)s y\n';
  const places = resolver(text)
    .tagged('Definition', 'r')
    ?.map((line) => [line.text, line.place.line]);
  assert.deepEqual(places, [
    ['one', 2],
    ['two', 3],
    ['x one', 5],
    ['two y', 3],
  ]);
});

test('conditional sections do not take the place of what holds everywhere', () => {
  const settings = settingsOf({ f: '[Init]\nx = 4\n[Init?family=inet6]\nx = 6\n' }, ['f']);
  assert.equal(textOf(settings.raw('Init', 'x')), '4');
});

test('values that refer to themselves or to nothing, and values that grow, are refused with their place', () => {
  const bomb = `[Definition]\na0 = ${'x'.repeat(200)}\n${[...Array(40).keys()]
    .map((n) => `a${n + 1} = %(a${n})s%(a${n})s\n`)
    .join('')}`;
  for (const [text, option] of [
    ['[Definition]\nx = %(y)s\ny = %(x)s\n', 'x'],
    ['[Definition]\nx = %(none)s\n', 'x'],
    ['[Definition]\nx = <y>\ny = <x><x>\n', 'x'],
    [bomb, 'a40'],
  ] as const) {
    assert.throws(
      () => resolver(text).tagged('Definition', option),
      (error) => error instanceof SettingsError && error.place.line > 0,
    );
  }
});
