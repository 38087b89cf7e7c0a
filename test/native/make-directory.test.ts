import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectory } from '../../src/native/make-directory.ts';

test('what is missing above it is made for everybody to pass through, itself with its mode', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'bailiff-directory-'));
  t.after(() => rmSync(root, { recursive: true }));
  const before = process.umask(0);
  t.after(() => process.umask(before));
  makeDirectory(join(root, 'a/b'), 0o700);
  assert.deepEqual(
    ['a', 'a/b'].map((name) => statSync(join(root, name)).mode & 0o777),
    [0o755, 0o700],
  );
  makeDirectory(join(root, 'a/b'), 0o755);
  assert.equal(statSync(join(root, 'a/b')).mode & 0o777, 0o700, 'one that is there stays as it is');
});

test('where the kernel makes no directories that is an error, and no wait without end', () => {
  assert.throws(() => makeDirectory('/proc/nowhere/deep', 0o755), { code: 'ENOENT' });
});
