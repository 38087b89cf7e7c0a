/** What the shipped filters make of a container's line: those of applications read it, those of the host never. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadFilters } from '../../src/config/filters/filter-file.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { routeResult } from '../../src/match/router.ts';
import { recordOf } from '../match/records.ts';

const FILTERS = join(import.meta.dirname, '../../etc/filters');
const { filters } = loadFilters([{ path: FILTERS, strict: true }], false);

/** Docker's entry of a container without a tag, whose identifier is its id. */
function entryOf(name: string, image: string, parts: Partial<LogRecord> = {}): LogRecord {
  return recordOf({
    message: '',
    identifier: '8f3c41045e7c',
    trusted: { unit: 'docker.service', executable: '/usr/bin/dockerd', uid: 0 },
    container: { id: '8f3c41045e7c', name, image },
    ...parts,
  });
}

function readersOf(record: LogRecord): string[] {
  return filters.filter((filter) => routeResult(filter, record) === 'read').map(({ name }) => name);
}

describe('a container', () => {
  for (const [filter, name, image] of [
    ['vaultwarden', 'stack-server-1', 'vaultwarden/server:1.32'],
    ['vaultwarden', 'stack-vaultwarden-1', 'sha256:8b07cc96'],
    ['home-assistant', 'homeassistant', 'ghcr.io/home-assistant/home-assistant:stable'],
    ['nextcloud', 'nextcloud-app-1', 'nextcloud:31-apache'],
    ['grafana', 'monitoring_grafana_1', 'grafana/grafana'],
    ['caddy', 'web-caddy-1', 'caddy:2'],
    ['gitea', 'forge', 'codeberg.org/forgejo/forgejo:12'],
    ['jellyfin', 'jellyfin', 'lscr.io/linuxserver/jellyfin:latest'],
    ['http-401', 'web-1', 'nginx:1.29'],
    ['nginx-proxy-manager', 'proxy', 'jc21/nginx-proxy-manager:latest'],
    ['paperless-ngx', 'paperless-webserver-1', 'ghcr.io/paperless-ngx/paperless-ngx:2'],
    ['traefik', 'traefik', 'traefik:v3'],
  ] as const) {
    it(`${name} of ${image} is read by ${filter}`, () => {
      assert.ok(readersOf(entryOf(name, image)).includes(filter));
    });
  }

  it('that is called like something else is read by none', () => {
    assert.deepEqual(readersOf(entryOf('stack-redis-1', 'redis:8')), []);
  });

  it('is never read by a filter of the host’s own services, whatever its tag, name and image', () => {
    const host = ['sshd', 'dropbear', 'su', 'pam', 'login', 'recidive', 'kernel-drops', 'proxmox', 'cockpit'];
    for (const filter of filters.filter(({ name }) => host.includes(name))) {
      for (const identifier of filter.input.identifiers) {
        const record = entryOf(identifier, `${identifier}:latest`, { identifier });
        assert.notEqual(
          routeResult(filter, record),
          'read',
          `${filter.name} reads a container ${identifier}`,
        );
      }
    }
  });

  it('with the tag that a filter of a program of containers names is read by it', () => {
    for (const { input, name } of filters.filter(
      (filter) => (filter.input.journal.containers ?? []).length > 0,
    )) {
      const tag = input.identifiers.find((identifier) => !identifier.endsWith('*')) ?? '';
      if (tag !== '') assert.ok(readersOf(entryOf('a', 'b', { identifier: tag })).includes(name), name);
    }
  });
});
