/** From the keys of [syslog] to its part of the Plan. */
import type { Path } from './document/document.ts';
import type { Report } from './document/report.ts';
import type { Plan, TlsServerPlan } from './plan.ts';
import type { Settings } from './schema/settings.ts';

type SyslogSettings = Settings['syslog'];
type IsFaulty = (path: Path) => boolean;

/** `isFaulty` tells what was left out of `syslog` because it was wrong; nothing follows from that. */
export function planSyslog(syslog: SyslogSettings, isFaulty: IsFaulty, report: Report): Plan['syslog'] {
  return {
    udp: syslog.udp,
    tcp: syslog.tcp,
    tls: syslog.tls,
    unix: uniquePaths(syslog.unix, report),
    unixUsers: [...new Set(syslog.unix_users)],
    tlsServer: planTlsServer(syslog, isFaulty, report),
    maxMessageBytes: syslog.max_message_bytes,
    maxConnections: syslog.max_connections,
    maxConnectionsPerSender: syslog.max_connections_per_sender,
  };
}

function uniquePaths(paths: readonly string[], report: Report): readonly string[] {
  for (const [index, path] of paths.entries()) {
    if (paths.indexOf(path) < index) report.problem(['syslog', 'unix', index], 'this path is there already');
  }
  return paths;
}

function planTlsServer(
  { tls, tls_server: server }: SyslogSettings,
  isFaulty: IsFaulty,
  report: Report,
): TlsServerPlan | null {
  if (server === undefined) {
    if (tls.length > 0 && !isFaulty(['syslog', 'tls_server'])) {
      report.problem(
        ['syslog', 'tls'],
        '`tls` needs [syslog.tls_server] with a certificate and its key: `bailiff tls init` makes both',
      );
    }
    return null;
  }
  const { certificate, key, client_ca, client_certificate, revoked } = server;
  if (revoked !== undefined && client_ca === undefined && !isFaulty(['syslog', 'tls_server', 'client_ca'])) {
    report.problem(
      ['syslog', 'tls_server', 'revoked'],
      '`revoked` needs `client_ca`, whose revocation list it is',
    );
  }
  return {
    certificate,
    key,
    clientCa: client_ca ?? null,
    requiresClientCertificate: client_ca !== undefined && client_certificate === 'required',
    revoked: client_ca === undefined ? null : (revoked ?? null),
  };
}
