/** Lines of log files reach the kernel as docs/devices/files.md says, through a real rsyslogd. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Bed } from '../../bed/namespace.ts';
import { requirements } from '../../bed/requirements.ts';
import { startRsyslog } from '../../bed/services/forwarders.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { blocksOf } from '../../docs/guides.ts';
import { keysOf, openScene, sceneMissing, startDaemon } from '../scene.ts';

const PATH = 'docs/devices/files.md';
const guide = {
  path: PATH,
  text: readFileSync(fileURLToPath(new URL(`../../../${PATH}`, import.meta.url)), 'utf8'),
};
const FILE = '/srv/nextcloud/data/nextcloud.log';
const SOCKET = '/run/bailiff/log.sock';

/** Characters of a message that rsyslogd reads out of a file (maxMessageSize). */
const LONGEST = 8_096;

/** The first block of the guide in this language, with a file and a socket of the bed. */
function settingsOf(language: string, bed: Bed): string {
  const [block] = blocksOf(guide, language);
  assert.ok(block !== undefined);
  return block.text.replaceAll(FILE, fileOf(bed)).replaceAll(SOCKET, join(bed.directory, 'files.sock'));
}

function fileOf(bed: Bed): string {
  return join(bed.directory, 'data', 'nextcloud.log');
}

/** As Nextcloud writes it: one JSON object. */
function loginOf(address: string, parts: Readonly<Record<string, string>> = {}): string {
  return `${JSON.stringify({
    reqId: 'A',
    level: 2,
    time: '2026-11-20T10:00:00+00:00',
    remoteAddr: address,
    user: '--',
    app: 'core',
    method: 'POST',
    url: '/login',
    message: `Login failed: alice (Remote IP: ${address})`,
    ...parts,
  })}\n`;
}

describe('the lines of a file', { skip: sceneMissing || (requirements('rsyslog') ?? false) }, () => {
  test('lead to a ban through rsyslogd, which makes no message of the rest of a line', async () => {
    const scene = await openScene();
    try {
      const { bed } = scene;
      await scene.daemon.stop();
      const configuration = `${settingsOf('toml', bed)}\n[defaults]\nmax_retry = 1\n`;
      const daemon = await startDaemon(bed, { configuration });
      const file = fileOf(bed);
      mkdirSync(dirname(file));
      writeFileSync(file, '');
      const forwarder = await startRsyslog(bed, settingsOf('rsyslog', bed));
      // Again and again, since what is there before it first looks at the file is not read.
      await waitFor('the ban', PATIENCE_MILLISECONDS, async () => {
        appendFileSync(file, `${'x'.repeat(LONGEST)}${loginOf('198.51.100.66')}`);
        appendFileSync(file, loginOf('203.0.113.9'));
        return (await keysOf(bed, 'ban4')).length > 0 ? 'there' : null;
      });
      assert.deepEqual(await keysOf(bed, 'ban4'), ['203.0.113.9']);
      await forwarder.stop();
      await daemon.stop();
    } finally {
      await scene.bed.close();
    }
  });
});
