import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { jailsFile } from '../../packaging/generate/jails.ts';
import { parseDocument, toPlain } from '../../src/config/document/document.ts';

const ETC = fileURLToPath(new URL('../../etc', import.meta.url));
const FILE = join(ETC, 'jails.toml');
const FILTERS = join(ETC, 'filters');

/** `sshd` is on as shipped; `su` knows no address. */
const WITHOUT_PRESET = ['sshd', 'su'];

test('etc/jails.toml is what the filters say of their jails (UPDATE_GOLDEN=1 writes it)', () => {
  const made = jailsFile(FILTERS);
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(FILE, made);
  assert.equal(readFileSync(FILE, 'utf8'), made);
});

test('every filter that comes along has a jail in it, all of them off', () => {
  const { root } = parseDocument({ file: FILE, text: readFileSync(FILE, 'utf8') });
  assert.ok(root !== null);
  const { jail } = toPlain(root) as { jail: Record<string, { enabled: boolean }> };
  const filters = globSync('*.toml', { cwd: FILTERS }).map((file) => basename(file, '.toml'));
  assert.deepEqual(Object.keys(jail).sort(), filters.filter((name) => !WITHOUT_PRESET.includes(name)).sort());
  assert.ok(Object.values(jail).every(({ enabled }) => !enabled));
});
