import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSystemEngine, originOf } from '../../src/core/container.ts';
import type { TrustedFields } from '../../src/core/record.ts';

const ID = '4a9e337af3d3b4a1ec2a8a5ce0c9fd5a7a0a4b6c1a7c5d3a1f0e9d8c7b6a5f40';

function fields(parts: Partial<TrustedFields>): TrustedFields {
  return { unit: '', executable: '', uid: -1, ...parts };
}

test('what dockerd, conmon and their kind write is an engine’s, wherever they are installed', () => {
  for (const executable of [
    '/usr/bin/dockerd',
    '/usr/sbin/dockerd',
    '/snap/docker/2963/bin/dockerd',
    '/usr/bin/conmon',
    '/usr/libexec/podman/conmon',
    '/usr/bin/containerd-shim-runc-v2',
    '/usr/bin/lxc-start',
  ]) {
    // A container of Quadlet has a unit of its own.
    assert.equal(originOf(fields({ executable, unit: 'vaultwarden.service', uid: 0 })), 'engine', executable);
  }
  for (const unit of [
    'docker.service',
    'snap.docker.dockerd.service',
    `libpod-conmon-${ID}.scope`,
    'lxc@web.service',
  ]) {
    assert.equal(originOf(fields({ unit })), 'engine', unit);
  }
});

test('what is called similarly is not', () => {
  for (const parts of [
    { executable: '/usr/sbin/sshd', unit: 'ssh.service' },
    { executable: '/usr/bin/dockerd-rootless-setuptool.sh' },
    { unit: 'docker.service.d' },
    { unit: 'my-docker.service' },
    { unit: 'session-1.scope' },
  ]) {
    assert.equal(originOf(fields(parts)), 'host', JSON.stringify(parts));
  }
});

test('a process in a container is no engine, whatever root in there has called it', () => {
  for (const unit of [`docker-${ID}.scope`, `libpod-${ID}.scope`, `cri-containerd-${ID}.scope`]) {
    assert.equal(originOf(fields({ unit, executable: '/usr/bin/conmon', uid: 0 })), 'inside', unit);
  }
});

test('an engine that is not root’s is believed by its unit alone', () => {
  assert.ok(isSystemEngine(fields({ executable: '/usr/bin/conmon', uid: 0 })));
  assert.ok(isSystemEngine(fields({ unit: 'docker.service' })));
  for (const uid of [-1, 33, 1_000]) {
    assert.ok(!isSystemEngine(fields({ executable: '/usr/bin/conmon', unit: 'user@1000.service', uid })));
  }
});
