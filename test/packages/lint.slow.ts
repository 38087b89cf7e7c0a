/** What Debian's and RPM's own examiners say of the packages. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { requirements } from '../bed/requirements.ts';
import { clientDebFile, clientRpmFile, debFile, missingPackages, ROOT, rpmFile, run } from './built.ts';

const MAX_BYTES = 45_000_000;
const PAIRS = [
  [debFile('amd64'), rpmFile('x86_64')],
  [debFile('arm64'), rpmFile('aarch64')],
  [clientDebFile(), clientRpmFile()],
] as const;

for (const [deb, rpm] of PAIRS) {
  test(`lintian finds no error in ${basename(deb)}`, {
    skip: skipReason('lintian', deb),
  }, (t) => {
    const found = run(['lintian', '--allow-root', '--fail-on', 'none', deb]);
    t.diagnostic(found);
    assert.doesNotMatch(found, /^E: /m);
  });

  test(`rpmlint finds no error in ${basename(rpm)}`, {
    skip: skipReason('rpmlint', rpm),
  }, (t) => {
    const found = run(['rpmlint', '--config', join(ROOT, 'packaging/rpm/rpmlint.toml'), rpm]);
    t.diagnostic(found);
    assert.match(found, /\b0 errors\b/);
  });

  for (const file of [deb, rpm]) {
    test(`${file.slice(ROOT.length + 1)} is smaller than 45 MB`, {
      skip: missingPackages(file) ?? false,
    }, (t) => {
      const { size } = statSync(file);
      t.diagnostic(`${(size / 1e6).toFixed(1)} MB`);
      assert.ok(size < MAX_BYTES);
    });
  }
}

function skipReason(tool: 'lintian' | 'rpmlint', file: string): string | false {
  return missingPackages(file) ?? requirements(tool) ?? false;
}
