import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Tree } from '../../packaging/tree.ts';

const SECONDS = 1_700_000_000;

test('a tree is written with its modes, links and one time for everything, and nothing else is left', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-tree-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'left over'), '');
  const tree = new Tree();
  tree.file('usr/share/text', 'text');
  tree.executable('usr/bin/program', '#!/bin/sh\n');
  tree.link('usr/bin/link', 'program');
  tree.directory('etc/empty');
  await tree.write(directory, SECONDS);

  assert.equal(readFileSync(join(directory, 'usr/share/text'), 'utf8'), 'text');
  assert.equal(readlinkSync(join(directory, 'usr/bin/link')), 'program');
  assert.ok(!existsSync(join(directory, 'left over')));
  const modes = {
    'usr/share/text': 0o644,
    'usr/bin/program': 0o755,
    'etc/empty': 0o755,
    usr: 0o755,
    '': 0o755,
  };
  for (const [path, mode] of Object.entries(modes)) {
    const status = lstatSync(join(directory, path));
    assert.equal(status.mode & 0o777, mode, path);
    assert.equal(status.mtimeMs, SECONDS * 1000, path);
  }
  assert.equal(lstatSync(join(directory, 'usr/bin/link')).mtimeMs, SECONDS * 1000);
});

test('two files cannot have one path', () => {
  const tree = new Tree();
  tree.file('a', '1');
  assert.throws(() => tree.file('a', '2'), /twice/);
});

test('what is added to a clone is not in the tree', () => {
  const tree = new Tree();
  tree.clone().file('a', '1');
  assert.deepEqual(tree.entries(), []);
});
