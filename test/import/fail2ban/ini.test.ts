import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIni } from '../../../src/import/fail2ban/ini.ts';

function read(text: string): Record<string, Record<string, string[]>> {
  const { sections } = parseIni('f', text);
  return Object.fromEntries(
    [...sections].map(([name, options]) => [
      name,
      Object.fromEntries([...options].map(([option, value]) => [option, value.map((line) => line.text)])),
    ]),
  );
}

test('sections hold options, by = or by :, their names in lower case', () => {
  assert.deepEqual(read('[A]\nOne = 1\ntwo: 2\nthree=a=b:c\n'), {
    A: { one: ['1'], two: ['2'], three: ['a=b:c'] },
  });
});

test('what is indented more than its option goes on with it, also when it looks like a section', () => {
  assert.deepEqual(read('[A]\nx = 1\n    [b] = 2\n\n    3\ny = 4\n\n[B]\n'), {
    A: { x: ['1', '[b] = 2', '', '3'], y: ['4'] },
    B: {},
  });
});

test('comments are whole lines, or follow a blank and a semicolon', () => {
  assert.deepEqual(read('# a\n[A]\n; b\nx = 1;2 ; 3\n # c\n y #d\n'), { A: { x: ['1;2', 'y #d'] } });
});

test('each line of a value knows where it stands', () => {
  const value = parseIni('f.conf', '\n[A]\nx =\n  one\n  two\n').sections.get('A')?.get('x');
  assert.deepEqual(
    value?.map(({ place }) => `${place.file}:${place.line}`),
    ['f.conf:3', 'f.conf:4', 'f.conf:5'],
  );
});

test('what is no option is named, and the rest is read', () => {
  const { sections, faults } = parseIni('f', 'x = 1\n[A]\nnothing\n= 2\ny = 3\ny = 4\n');
  assert.deepEqual(
    faults.map(({ place, message }) => [place.line, message]),
    [
      [1, 'stands in no section'],
      [3, 'is no option: it has no name or no ='],
      [4, 'is no option: it has no name or no ='],
      [6, 'the option y is given twice; the last one counts'],
    ],
  );
  assert.equal(sections.get('A')?.get('y')?.[0]?.text, '4');
});

test('a file of very many lines is read up to a limit, and that is said', () => {
  const { faults } = parseIni('f', '[A]\n'.repeat(30_000));
  assert.deepEqual(
    faults.map(({ message }) => message),
    ['only the first 20000 lines are read'],
  );
});
