import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { warningsPage } from '../../packaging/generate/warnings.ts';
import { codesOfWarnings, kindOfWarning } from '../../src/core/warning/catalogue.ts';

const FILE = new URL('../../docs/warnings.md', import.meta.url);

test('docs/warnings.md is the catalogue, with a section for each code (UPDATE_GOLDEN=1 writes it)', () => {
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(FILE, warningsPage());
  const page = readFileSync(FILE, 'utf8');
  assert.equal(page, warningsPage());
  const sections = [...page.matchAll(/^## (.*)$/gm)].map(([, code]) => code);
  assert.deepEqual(new Set(sections), new Set(codesOfWarnings()));
});

test('every kind has a title, an explanation, and what it depends on is a kind', () => {
  for (const code of codesOfWarnings()) {
    const { title, explanation, dependsOn = [] } = kindOfWarning(code);
    assert.match(title, /^[^.]+[^.]$/, code);
    assert.match(explanation, /\.$/, code);
    for (const other of dependsOn)
      assert.ok(
        codesOfWarnings().some((known) => known === other),
        `${code}: ${other}`,
      );
  }
});
