/** What Debian's and RPM's own examiners say of the packages. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { requirements } from '../bed/requirements.ts';
import { debFile, missingPackages, ROOT, rpmFile, run } from './built.ts';

const MAX_BYTES = 45_000_000;
const ARCHITECTURES = [
  ['amd64', 'x86_64'],
  ['arm64', 'aarch64'],
] as const;

for (const [deb, rpm] of ARCHITECTURES) {
  test(`lintian finds no error in the .deb for ${deb}`, {
    skip: skipReason('lintian', debFile(deb)),
  }, (t) => {
    const found = run(['lintian', '--allow-root', '--fail-on', 'none', debFile(deb)]);
    t.diagnostic(found);
    assert.doesNotMatch(found, /^E: /m);
  });

  test(`rpmlint finds no error in the .rpm for ${rpm}`, {
    skip: skipReason('rpmlint', rpmFile(rpm)),
  }, (t) => {
    const found = run(['rpmlint', '--config', join(ROOT, 'packaging/rpm/rpmlint.toml'), rpmFile(rpm)]);
    t.diagnostic(found);
    assert.match(found, /\b0 errors\b/);
  });

  for (const file of [debFile(deb), rpmFile(rpm)]) {
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
