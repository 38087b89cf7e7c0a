import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { jailsFile } from '../../packaging/generate/jails.ts';
import { parseDocument, toPlain } from '../../src/config/document/document.ts';
import { MANUAL_JAIL } from '../../src/core/ledger/policy.ts';

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
  const { [MANUAL_JAIL]: manual, ...fed } = jail;
  assert.deepEqual(Object.keys(fed).sort(), filters.filter((name) => !WITHOUT_PRESET.includes(name)).sort());
  assert.ok(Object.values(fed).every(({ enabled }) => !enabled));
  assert.deepEqual(
    { ...manual },
    { enabled: true },
    'the jail of bans by hand has a default ban time, and is on',
  );
});
