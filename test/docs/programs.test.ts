/** What a guide tells another program is correct in the eyes of that program, and the scripts in guides run. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Requirement, requirements } from '../bed/requirements.ts';
import { findSyslogNg } from '../bed/services/forwarders.ts';
import { blocksOf, readGuides } from './guides.ts';

const guides = readGuides(fileURLToPath(new URL('../../', import.meta.url)));

/** A program, how it is asked about a file, and what a guide leaves out since every configuration has it. */
type Checker = {
  readonly language: string;
  readonly needs: Requirement;
  complete(block: string, directory: string): string;
  command(file: string): { argv: readonly string[]; environment?: Record<string, string> };
};

const CHECKERS: readonly Checker[] = [
  {
    language: 'rsyslog',
    needs: 'rsyslog',
    complete: (block, directory) => `global(workDirectory="${directory}")\n${block}`,
    command: (file) => ({ argv: ['rsyslogd', '-N1', '-f', file] }),
  },
  {
    language: 'syslog-ng',
    needs: 'syslog-ng',
    complete: (block) => `@version: current\nsource s_src { internal(); };\n${block}`,
    command: (file) => {
      const { argv, environment } = findSyslogNg() ?? { argv: [], environment: {} };
      return { argv: [...argv, '--syntax-only', '--no-caps', '-f', file], environment };
    },
  },
  {
    language: 'nginx',
    needs: 'nginx',
    complete: (block, directory) => `pid ${directory}/nginx.pid;\nevents {}\nhttp {\n${block}}\n`,
    command: (file) => ({ argv: ['nginx', '-t', '-e', 'stderr', '-c', file] }),
  },
  {
    language: 'apache',
    needs: 'apache',
    complete: (block, directory) => `ServerRoot ${directory}
ServerName www.example.com
Listen 127.0.0.1:8080
DefaultRuntimeDir ${directory}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
${block}`,
    command: (file) => ({ argv: ['apache2', '-t', '-f', file] }),
  },
  {
    language: 'haproxy',
    needs: 'haproxy',
    complete: (block) =>
      `${block}\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\nfrontend public\n  bind 127.0.0.1:8080\n  http-request return status 200\n`,
    command: (file) => ({ argv: ['haproxy', '-c', '-f', file] }),
  },
];

/** syslog-ng 4.8 looks for a file of its own at an absolute path, where it is not when the package is only unpacked. */
const MISSING_FILE = /^smart-multi-line: .*smart-multi-line\.fsm.*\n/gm;

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bailiff-guides-'));
});
after(() => rmSync(directory, { recursive: true }));

describe('the configuration that a guide has for another program', () => {
  for (const { language, needs, complete, command } of CHECKERS) {
    test(`is correct: ${language}`, { skip: requirements(needs) ?? false }, () => {
      const blocks = guides.flatMap((guide) => blocksOf(guide, language).map((block) => ({ guide, block })));
      assert.ok(blocks.length > 0);
      for (const { guide, block } of blocks) {
        const file = join(directory, `${language}.conf`);
        writeFileSync(file, complete(block.text, directory));
        const { argv, environment = {} } = command(file);
        const { status, output } = check(argv, environment);
        assert.equal(status, 0, `${guide.path}:${block.line}: ${output}`);
        const remarks = output.replace(MISSING_FILE, '');
        assert.doesNotMatch(remarks, /\b(?:error|warning|invalid)\b/i, `${guide.path}:${block.line}`);
      }
    });
  }
});

describe('a script in a guide', () => {
  const scripts = guides.flatMap((guide) => blocksOf(guide, 'sh').map((block) => ({ guide, block })));

  test('is one in the eyes of sh', () => {
    assert.ok(scripts.length > 0);
    for (const { guide, block } of scripts) {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: block.text, encoding: 'utf8' });
      assert.equal(status, 0, `${guide.path}:${block.line}: ${stderr}`);
    }
  });

  test('sends each event of a FRITZ!Box once', {
    skip: requirements('curl', 'logger') ?? false,
  }, async () => {
    const script = scripts.find(({ guide }) => guide.path.endsWith('fritzbox.md'));
    assert.ok(script !== undefined);
    const older = '20.11.26 14:13:16 Internetverbindung wurde erfolgreich hergestellt.';
    const newer =
      '20.11.26 14:13:17 Anmeldung des Benutzers <x> & "y" an der FRITZ!Box-Benutzeroberfläche von IP-Adresse 203.0.113.9 gescheitert (falsches Kennwort).';
    const newest =
      '20.11.26 14:13:18 Anmeldung des Benutzers z an der FRITZ!Box-Benutzeroberfläche von IP-Adresse 203.0.113.9 gescheitert (falsches Kennwort).';
    let events = [newer, older];
    await using box = await fakeBox(() => events);
    await using sink = await datagrams();
    const environment = { FRITZBOX: `127.0.0.1:${box.port}`, BAILIFF: `127.0.0.1:${sink.port}` };
    await runScript(script.block.text, environment);
    assert.deepEqual((await sink.take(2)).map(textOf), [older, newer]);
    events = [newest, newer, older];
    await runScript(script.block.text, environment);
    await runScript(script.block.text, environment);
    assert.deepEqual((await sink.take(1)).map(textOf), [newest]);
    events = ['20.11.26 14:13:19 Ende', newest];
    await runScript(script.block.text, environment);
    assert.deepEqual((await sink.take(1)).map(textOf), [events[0]]);
  });
});

function check(argv: readonly string[], environment: Record<string, string>) {
  const [program = '', ...rest] = argv;
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  const result = spawnSync(program, rest, {
    encoding: 'utf8',
    env: { ...process.env, PATH: path, ...environment },
  });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}

/** A FRITZ!Box as far as the script sees it: DeviceInfo's GetDeviceLog of TR-064, without a password. */
async function fakeBox(events: () => readonly string[]) {
  const server = createServer((request, answer) => {
    const isAsked = request.headers.soapaction === 'urn:dslforum-org:service:DeviceInfo:1#GetDeviceLog';
    const escaped = events().map((line) =>
      line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    );
    request.resume();
    answer.writeHead(isAsked && request.url === '/upnp/control/deviceinfo' ? 200 : 500);
    answer.end(`<?xml version="1.0"?>
<s:Envelope><s:Body><u:GetDeviceLogResponse>
<NewDeviceLog>${escaped.join('\n')}</NewDeviceLog>
</u:GetDeviceLogResponse></s:Body></s:Envelope>
`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** What comes to a UDP port, in its order. */
async function datagrams() {
  const socket = createSocket('udp4');
  const received: string[] = [];
  socket.on('message', (bytes) => received.push(bytes.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    /** Resolves to so many, and to all that have come. */
    async take(count: number): Promise<string[]> {
      while (received.length < count) await once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
      return received.splice(0);
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

async function runScript(text: string, environment: Record<string, string>): Promise<void> {
  const state = join(directory, 'fritzbox');
  mkdirSync(state, { recursive: true });
  const netrc = join(directory, 'netrc');
  writeFileSync(netrc, 'machine fritz.box login bailiff password secret\n');
  const child = spawn('sh', ['-s'], {
    env: { ...process.env, ...environment, NETRC: netrc, STATE_DIRECTORY: state },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(text);
  const [status] = await once(child, 'exit');
  assert.equal(status, 0);
}

/** The text behind the tag, which must be the one that the filter reads. */
function textOf(message: string): string {
  const found = /^<13>\w{3} [ \d]\d [\d:]{8} \S+ fritzbox: (.*)$/s.exec(message);
  assert.ok(found !== null, message);
  return found[1] ?? '';
}
