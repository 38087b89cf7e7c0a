/**
 * Real web servers inside a bed, each with a page that asks for a password and told to log to us over syslog, and the
 * clients that try it. nginx and HAProxy send syslog themselves, Apache httpd pipes its logs into logger.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../namespace.ts';
import type { BedProcess } from '../process.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../waiting.ts';

export type WebServer = { readonly process: BedProcess; readonly port: number };

export type WebServerOptions = {
  /** Addresses that it listens on. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** Where it logs to, in the words of its configuration: `server=127.0.0.1:5514` for nginx, and so on. */
  readonly log: string;
};

export type WebRequest = {
  /** An address of the attacker's end. */
  readonly from: string;
  /** The server's address, of the same family. */
  readonly to: string;
  readonly port: number;
  readonly path: string;
  /** `user:password`; none by default. */
  readonly credentials?: string;
};

/** The one account that has access to /private. */
export const WEB_USER = 'alice';
export const WEB_PASSWORD = 'correct-horse';

const START_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;
const ANSWER_MILLISECONDS = 2_000;

/** nginx; `log` is what stands behind `syslog:` in access_log and error_log. */
export async function startNginx(bed: Bed, { hosts, port, log }: WebServerOptions): Promise<WebServer> {
  const directory = makeDirectory(bed, `nginx-${port}`);
  writeFileSync(join(directory, 'users'), passwordFile());
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(directory, name)};`,
  );
  // The bed's root may be the only user there is.
  const configuration = `daemon off;
master_process off;
user root;
pid ${join(directory, 'nginx.pid')};
error_log syslog:${log} error;
events {}
http {
  ${temporary.join('\n  ')}
  access_log syslog:${log} combined;
  server {
    ${hosts.map((host) => `listen ${bracketed(host)}:${port};`).join('\n    ')}
    location / { return 200 "hello"; }
    location /private {
      auth_basic "private";
      auth_basic_user_file ${join(directory, 'users')};
    }
  }
}
`;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration);
  return started(bed, ['nginx', '-e', 'stderr', '-c', file], port);
}

/** Apache httpd; `log` is the command that it pipes both logs into, to which a tag is added. Needs `bed.privileged`. */
export async function startApache(bed: Bed, { hosts, port, log }: WebServerOptions): Promise<WebServer> {
  // Its children are another user, who may not look into the bed's directory.
  const directory = `/run/apache-${port}`;
  const modules = ['mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic'];
  const configuration = `ServerRoot ${directory}
ServerName www.example.com
PidFile ${directory}/httpd.pid
DefaultRuntimeDir ${directory}
Mutex file:${directory}
User www-data
Group www-data
${hosts.map((host) => `Listen ${bracketed(host)}:${port}`).join('\n')}
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
ErrorLog "|${log} --tag apache2"
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog "|${log} --tag apache-access" combined
DocumentRoot ${directory}/pages
<Location /private>
  AuthType Basic
  AuthName private
  AuthUserFile ${directory}/users
  Require valid-user
</Location>
`;
  await bed.run(['mkdir', '-p', `${directory}/pages`]);
  await bed.run(['tee', `${directory}/users`], { input: passwordFile() });
  await bed.run(['tee', `${directory}/httpd.conf`], { input: configuration });
  return started(bed, ['apache2', '-DFOREGROUND', '-f', `${directory}/httpd.conf`], port);
}

/** HAProxy; `log` is what stands behind `log`, such as `127.0.0.1:5514 local0`. */
export async function startHaproxy(bed: Bed, { hosts, port, log }: WebServerOptions): Promise<WebServer> {
  const directory = makeDirectory(bed, `haproxy-${port}`);
  const configuration = `global
  log ${log}
defaults
  log global
  mode http
  option httplog
  timeout connect 5s
  timeout client 5s
  timeout server 5s
userlist staff
  user ${WEB_USER} insecure-password ${WEB_PASSWORD}
frontend public
${hosts.map((host) => `  bind ${host}:${port}`).join('\n')}
  http-request auth realm private if { path_beg /private } !{ http_auth(staff) }
  http-request return status 200
`;
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration);
  return started(bed, ['haproxy', '-db', '-f', file], port);
}

/** Resolves to the status of the answer, or to `unreachable` when there is none. */
export async function request(bed: Bed, options: WebRequest): Promise<number | 'unreachable'> {
  const { from, to, port, path, credentials = '' } = options;
  const argv = [
    process.execPath,
    '-e',
    REQUEST,
    from,
    to,
    `${port}`,
    path,
    credentials,
    `${ANSWER_MILLISECONDS}`,
  ];
  const { stdout } = await bed.run(argv, { at: 'attacker' });
  return stdout === 'unreachable' ? stdout : Number(stdout);
}

const REQUEST = `
const [localAddress, host, port, path, auth, timeout] = process.argv.slice(1);
const say = (text) => { process.stdout.write(text); process.exit(); };
const sent = require('node:http').request({ localAddress, host, port, path, timeout: Number(timeout), ...(auth && { auth }) });
sent.once('response', (answer) => say(String(answer.statusCode)));
sent.once('timeout', () => say('unreachable'));
sent.once('error', () => say('unreachable'));
sent.end();`;

/** In the form that both nginx and Apache httpd read: SHA-1 in base64. */
function passwordFile(): string {
  return `${WEB_USER}:{SHA}${createHash('sha1').update(WEB_PASSWORD).digest('base64')}\n`;
}

function makeDirectory(bed: Bed, name: string): string {
  const directory = join(bed.directory, name);
  mkdirSync(directory);
  return directory;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

async function started(bed: Bed, argv: readonly string[], port: number): Promise<WebServer> {
  const running = await bed.start(argv);
  await waitFor(`${argv[0]} to listen`, START_TIMEOUT_MILLISECONDS, async () => {
    if (running.result !== null) return 'ended';
    const words = ['ss', '--no-header', '--listening', '--tcp', '--numeric', `sport = :${port}`];
    return (await bed.run(words)).stdout.includes(`:${port}`) ? 'listening' : null;
  });
  if (running.result !== null) throw new Error(`${argv[0]} ended: ${running.output}`);
  return { process: running, port };
}
