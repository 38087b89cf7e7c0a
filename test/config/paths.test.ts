import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPaths } from '../../src/config/paths.ts';

const cases: readonly [string, number, Record<string, string>, string, string][] = [
  ["root has the system's places", 0, { HOME: '/root' }, '/var/lib/bailiff', '/run/bailiff/bailiff.sock'],
  [
    'a user has places of their own',
    1000,
    { HOME: '/home/ann', XDG_RUNTIME_DIR: '/run/user/1000' },
    '/home/ann/.local/state/bailiff',
    '/run/user/1000/bailiff.sock',
  ],
  [
    'XDG_STATE_HOME goes first',
    1000,
    { HOME: '/home/ann', XDG_STATE_HOME: '/s' },
    '/s/bailiff',
    '/s/bailiff/bailiff.sock',
  ],
  [
    'a path that is not absolute is ignored',
    1000,
    { HOME: '/home/ann', XDG_STATE_HOME: 'state', XDG_RUNTIME_DIR: '' },
    '/home/ann/.local/state/bailiff',
    '/home/ann/.local/state/bailiff/bailiff.sock',
  ],
  [
    'without a home nothing is put where others can write',
    1000,
    {},
    '/run/user/1000/bailiff',
    '/run/user/1000/bailiff/bailiff.sock',
  ],
  [
    'what systemd made for the unit goes first, whoever it runs as',
    997,
    { STATE_DIRECTORY: '/var/lib/bailiff:/var/lib/more', RUNTIME_DIRECTORY: '/run/bailiff', HOME: '/' },
    '/var/lib/bailiff',
    '/run/bailiff/bailiff.sock',
  ],
];

for (const [name, uid, env, stateDirectory, socketPath] of cases) {
  test(name, () => assert.deepEqual(defaultPaths(uid, env), { stateDirectory, socketPath }));
}
