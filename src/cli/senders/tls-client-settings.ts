/** What to enter in a device or a syslog daemon, so that it sends to us over TLS. Pure text, filled in. */

export type ClientSettings = {
  /** The client's name, which its certificate has. */
  readonly name: string;
  /** Where it sends to; a name or an address that the server's certificate has. */
  readonly server: string;
  readonly port: number;
  /** Our files. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly pkcs12: string;
};

/** One kind of sender. */
export type ClientGuide = {
  readonly title: string;
  readonly describe: (settings: ClientSettings) => readonly string[];
};

/** Where the files are put on a client that is a Linux host. */
const DIRECTORY = '/etc/ssl/bailiff';

/** Of devices that can show no certificate of their own. */
const WITHOUT_CERTIFICATE =
  'It shows no certificate: set client_certificate = "optional" in [syslog.tls_server]; its address decides then.';

export const CLIENT_GUIDES = {
  rsyslog: {
    title: 'rsyslog (package rsyslog-openssl, or rsyslog-gnutls with gtls for ossl)',
    describe: rsyslog,
  },
  'syslog-ng': { title: 'syslog-ng', describe: syslogNg },
  routeros: { title: 'MikroTik RouterOS', describe: routeros },
  dsm: { title: 'Synology DSM', describe: dsm },
  truenas: { title: 'TrueNAS', describe: truenas },
  opnsense: { title: 'OPNsense', describe: opnsense },
} as const satisfies Readonly<Record<string, ClientGuide>>;

export type ClientKind = keyof typeof CLIENT_GUIDES;

function rsyslog(settings: ClientSettings): readonly string[] {
  return [
    ...copyToHost(settings),
    'Write /etc/rsyslog.d/90-bailiff.conf, then: systemctl restart rsyslog',
    '',
    '  global(',
    `    defaultNetstreamDriverCAFile="${DIRECTORY}/ca.crt"`,
    `    defaultNetstreamDriverCertFile="${DIRECTORY}/${settings.name}.crt"`,
    `    defaultNetstreamDriverKeyFile="${DIRECTORY}/${settings.name}.key"`,
    '  )',
    `  *.* action(type="omfwd" target="${settings.server}" port="${settings.port}" protocol="tcp"`,
    '    StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/name"',
    `    StreamDriverPermittedPeers="${settings.server}"`,
    '    template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted"',
    '    queue.type="LinkedList" queue.filename="bailiff" queue.maxDiskSpace="500m"',
    '    queue.saveOnShutdown="on" action.resumeRetryCount="-1")',
  ];
}

function syslogNg(settings: ClientSettings): readonly string[] {
  return [
    ...copyToHost(settings),
    'Write /etc/syslog-ng/conf.d/bailiff.conf, then: systemctl reload syslog-ng',
    '',
    '  destination d_bailiff {',
    `    syslog("${settings.server}" port(${settings.port}) transport("tls")`,
    `      tls(ca-file("${DIRECTORY}/ca.crt") peer-verify(required-trusted)`,
    `        cert-file("${DIRECTORY}/${settings.name}.crt") key-file("${DIRECTORY}/${settings.name}.key"))`,
    '    );',
    '  };',
    '  log { source(s_src); destination(d_bailiff); };',
  ];
}

function routeros({ server, port, authority }: ClientSettings): readonly string[] {
  return [
    `Upload ${authority} to the router (Files), then in its terminal:`,
    '',
    '  /certificate/import file-name=ca.crt name=bailiff-ca passphrase=""',
    `  /system/logging/action/add name=bailiff target=remote remote=${server} remote-port=${port} \\`,
    '    remote-protocol=tls',
    '  /system/logging/add topics=error action=bailiff',
    '  /system/logging/add topics=account action=bailiff',
    '',
    'A RouterOS that offers no remote-protocol=tls can send over TCP (remote-protocol=tcp) or UDP only.',
    WITHOUT_CERTIFICATE,
  ];
}

function dsm({ server, port, authority }: ClientSettings): readonly string[] {
  return [
    'Log Center > Log Sending:',
    '  Send logs to a syslog server   on',
    `  Server                         ${server}`,
    `  Port                           ${port}`,
    '  Transfer protocol              TCP',
    '  Log format                     IETF (RFC 5424)',
    '  Enable secure connection (SSL) on',
    `  Import certificate             ${authority}`,
    WITHOUT_CERTIFICATE,
  ];
}

function truenas({ name, server, port, authority, certificate, key }: ClientSettings): readonly string[] {
  return [
    'Credentials > Certificates:',
    `  Certificate Authorities > Import CA      the text of ${authority}`,
    `  Certificates > Import Certificate        the texts of ${certificate} and ${key}`,
    'System > Advanced Settings > Syslog:',
    `  Syslog Server                            ${server}:${port}`,
    '  Syslog Transport                         TLS',
    '  Syslog TLS Certificate Authority         the one imported',
    `  Syslog TLS Certificate                   ${name}`,
  ];
}

function opnsense({ name, server, port, authority, certificate, key }: ClientSettings): readonly string[] {
  return [
    `System > Trust > Authorities > +           import the text of ${authority}`,
    `System > Trust > Certificates > +          import the texts of ${certificate} and ${key}`,
    'System > Settings > Logging > Remote > +:',
    '  Transport                                TLS(4)',
    `  Hostname                                 ${server}`,
    `  Port                                     ${port}`,
    `  Certificate                              ${name}`,
    '  RFC5424                                  on',
  ];
}

function copyToHost({ name, authority, certificate, key }: ClientSettings): readonly string[] {
  return [
    `Copy these to ${name}, the key readable by its syslog daemon only:`,
    '',
    `  ${authority}  to  ${DIRECTORY}/ca.crt`,
    `  ${certificate}  to  ${DIRECTORY}/${name}.crt`,
    `  ${key}  to  ${DIRECTORY}/${name}.key`,
    '',
  ];
}
