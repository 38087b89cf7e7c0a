/**
 * What devices and programs send, byte for byte, from the wire to the failure: the parser names the dialect, routes by
 * the identifier, and the filters that come with bailiff find the address. A line that is lost for its form is a device
 * that is not protected.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadFilters } from '../../src/config/filters/filter-file.ts';
import { admitsMode, type Match, type RuleMode } from '../../src/core/failure.ts';
import { createMatcher, type Matcher } from '../../src/match/matcher.ts';
import type { Dialect } from '../../src/syslog/header.ts';
import { type Reading, read } from '../syslog/reading.ts';

type Device = {
  readonly device: string;
  /** All bytes that come before the message. */
  readonly header: string;
  readonly message: string;
  /** Bytes that end it. */
  readonly terminator?: string;
  readonly dialect: Dialect;
  readonly identifier: string;
  /** Which filter counts it. */
  readonly filter: string;
  /** Of the jail; `normal` unless the line counts only in a wider one. */
  readonly mode?: RuleMode;
};

const OFFENDER = '203.0.113.9';

const ACCESS_LINE = `${OFFENDER} - alice [20/Nov/2026:14:13:17 +0000] "GET /private HTTP/1.1" 401 188 "-" "curl/8.14.1"`;
const OPENSSH_LINE = `Failed password for root from ${OFFENDER} port 40022 ssh2`;
const SYNOLOGY_LINE = `User [admin] from [${OFFENDER}] failed to sign in to [DSM] via [password] due to authorization failure.`;
const QNAP_LINE =
  `conn log: Users: admin, Source IP: ${OFFENDER}, Computer name: ---, Connection type: HTTPS, ` +
  'Accessed resources: Administration, Action: Login Fail';
const FRITZBOX_LINE = `Anmeldung des Benutzers admin an der FRITZ!Box-Benutzeroberfläche von IP-Adresse ${OFFENDER} gescheitert (falsches Kennwort).`;
const PROXMOX_LINE = `authentication failure; rhost=::ffff:${OFFENDER} user=root@pam msg=Authentication failure`;
const MIKROTIK_LINE = `login failure for user admin from ${OFFENDER} via winbox`;
const IOS_LINE = `Login failed [user: admin] [Source: ${OFFENDER}] [localport: 22] [Reason: Login Authentication Failed] at 14:13:17 UTC Fri Nov 20 2026`;
const ASA_LINE = `Login denied from ${OFFENDER}/40022 to outside:192.0.2.1/ssh for user "admin"`;
const FILTERLOG_LINE = `5,,,1000000103,igb0,match,block,in,4,0x0,,51,1234,0,DF,6,tcp,60,${OFFENDER},192.0.2.1,40022,23,0,S,123456,,1024,,mss`;
const KERNEL_FIELDS =
  `MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=${OFFENDER} DST=192.0.2.1 LEN=60 TOS=0x00 PREC=0x00 ` +
  'TTL=51 ID=1234 DF PROTO=TCP SPT=40022 DPT=23 WINDOW=1024 RES=0x00 SYN URGP=0 ';
const TRUENAS_LINE =
  `@cee:{"TNAUDIT": {"aid": "0a1b2c3d", "vers": {"major": 0, "minor": 1}, "addr": "${OFFENDER}", "user": "root", ` +
  '"sess": "4e5f", "time": "2026-11-20 14:13:17.123456", "svc": "MIDDLEWARE", "svc_data": "{\\"vers\\": {}}", ' +
  '"event": "AUTHENTICATION", "event_data": "{\\"error\\": \\"Bad username or password\\"}", "success": false}}';

const DEVICES: readonly Device[] = [
  // Servers
  {
    device: 'rsyslog, its own format',
    header: '<38>2026-11-20T14:13:17.123456+01:00 web1 sshd[812]: ',
    message: OPENSSH_LINE,
    dialect: 'iso-time',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'rsyslog, RSYSLOG_SyslogProtocol23Format',
    header: '<38>1 2026-11-20T14:13:17.123456+01:00 web1 sshd 812 - -  ',
    message: OPENSSH_LINE,
    terminator: '\n',
    dialect: 'rfc5424',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'rsyslog, a message whose line feed was escaped on receipt',
    header: '<38>Nov 20 14:13:17 web1 sshd[812]: ',
    message: OPENSSH_LINE,
    terminator: '#012',
    dialect: 'rfc3164',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'syslog-ng, network()',
    header: '<38>Nov 20 14:13:17 web1 sshd-session[812]: ',
    message: OPENSSH_LINE,
    terminator: '\n',
    dialect: 'rfc3164',
    identifier: 'sshd-session',
    filter: 'sshd',
  },
  {
    device: 'syslog-ng, syslog()',
    header: '<38>1 2026-11-20T14:13:17+01:00 web1 sshd 812 - [meta sequenceId="7"] ',
    message: OPENSSH_LINE,
    dialect: 'rfc5424',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'util-linux logger without time and host name',
    header: '<38>1 - - sshd 812 - - ',
    message: OPENSSH_LINE,
    dialect: 'rfc5424',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'busybox syslogd -R',
    header: '<38>Nov 20 14:13:17 sshd[812]: ',
    message: OPENSSH_LINE,
    terminator: '\n',
    dialect: 'no-hostname',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'a server whose PRI stands for no facility',
    header: '<999>Nov 20 14:13:17 web1 sshd[812]: ',
    message: OPENSSH_LINE,
    dialect: 'rfc3164',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'a relay that drops the PRI',
    header: 'Nov 20 14:13:17 web1 sshd[812]: ',
    message: OPENSSH_LINE,
    dialect: 'no-pri',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'a library that marks its text as UTF-8',
    header: '<38>\uFEFFsshd[812]: ',
    message: OPENSSH_LINE,
    terminator: '\0',
    dialect: 'no-time',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'nginx, access_log',
    header: '<190>Nov 20 14:13:17 web1 nginx: ',
    message: ACCESS_LINE,
    dialect: 'rfc3164',
    identifier: 'nginx',
    filter: 'http-401',
  },
  {
    device: 'nginx, error_log',
    header: '<187>Nov 20 14:13:17 web1 nginx: ',
    message: `2026/11/20 14:13:17 [error] 400#400: *7 user "alice": password mismatch, client: ${OFFENDER}, server: _, request: "GET /private HTTP/1.1", host: "www.example.com"`,
    dialect: 'rfc3164',
    identifier: 'nginx',
    filter: 'nginx-http-auth',
  },
  {
    device: 'Apache httpd, ErrorLog syslog',
    header: '<187>Nov 20 14:13:17 web1 apache2[812]: ',
    message: `[auth_basic:error] [pid 812:tid 813] [client ${OFFENDER}:40022] AH01617: user alice: authentication failure for "/private": Password Mismatch`,
    dialect: 'rfc3164',
    identifier: 'apache2',
    filter: 'apache-auth',
  },
  {
    device: 'HAProxy',
    header: '<134>Nov 20 14:13:17 haproxy[812]: ',
    message: `${OFFENDER}:40022 [20/Nov/2026:14:13:17.050] public~ site/<NOSRV> 0/-1/-1/-1/0 401 199 - - PR-- 1/1/0/0/0 0/0 "GET /private HTTP/1.1"`,
    dialect: 'no-hostname',
    identifier: 'haproxy',
    filter: 'haproxy',
  },
  {
    device: "Docker's syslog driver, its own format",
    header: '<30>Nov 20 14:13:17 nginx[812]: ',
    message: ACCESS_LINE,
    terminator: '\n',
    dialect: 'no-hostname',
    identifier: 'nginx',
    filter: 'http-401',
  },
  {
    device: "Docker's syslog driver, rfc5424micro",
    header: '<30>1 2026-11-20T14:13:17.123456Z docker1 nginx 812 nginx - ',
    message: ACCESS_LINE,
    terminator: '\n',
    dialect: 'rfc5424',
    identifier: 'nginx',
    filter: 'http-401',
  },
  {
    device: 'Proxmox VE through rsyslog',
    header: '<28>2026-11-20T14:13:17.123456+01:00 pve1 pvedaemon[812]: ',
    message: PROXMOX_LINE,
    dialect: 'iso-time',
    identifier: 'pvedaemon',
    filter: 'proxmox',
  },
  // NAS boxes
  {
    device: 'Synology DSM, BSD format',
    header: '<12>Nov 20 14:13:17 nas1 Connection: ',
    message: SYNOLOGY_LINE,
    terminator: '\n',
    dialect: 'rfc3164',
    identifier: 'Connection',
    filter: 'synology',
  },
  {
    device: 'Synology DSM, IETF format',
    header: '<12>1 2026-11-20T14:13:17+01:00 nas1 Connection - - - \uFEFF',
    message: SYNOLOGY_LINE,
    dialect: 'rfc5424',
    identifier: 'Connection',
    filter: 'synology',
  },
  {
    device: 'Synology DSM 7, IETF format with structured data',
    header:
      '<12>1 2026-11-20T14:13:17+01:00 nas1 Connection - - ' +
      '[synolog@6574 event_id="0x0001" synotype="Connection" username="admin" event="User [x\\] from \\"y\\""] ',
    message: SYNOLOGY_LINE,
    dialect: 'rfc5424',
    identifier: 'Connection',
    filter: 'synology',
  },
  {
    device: 'QNAP QTS 4',
    header: '<12>Nov 20 14:13:17 NAS1 qlogd[12345]: ',
    message: QNAP_LINE,
    dialect: 'rfc3164',
    identifier: 'qlogd',
    filter: 'qnap',
  },
  {
    device: 'QNAP QTS 5, QuLog Center, RFC 5424',
    header: '<12>1 2026-11-20T14:13:17+01:00 NAS1 qulogd 12345 - - ',
    message: QNAP_LINE,
    dialect: 'rfc5424',
    identifier: 'qulogd',
    filter: 'qnap',
  },
  {
    device: 'TrueNAS, audit record',
    header: '<13>1 2026-11-20T14:13:17+00:00 truenas TNAUDIT_MIDDLEWARE 4711 - [meta sequenceId="7"] ',
    message: TRUENAS_LINE,
    dialect: 'rfc5424',
    identifier: 'TNAUDIT_MIDDLEWARE',
    filter: 'truenas',
  },
  // Routers and firewalls
  {
    device: 'RouterOS, default format',
    header: '<30>system,error,critical ',
    message: MIKROTIK_LINE,
    dialect: 'routeros',
    identifier: 'system,error,critical',
    filter: 'mikrotik',
  },
  {
    device: 'RouterOS, default format without PRI',
    header: '',
    message: `system,error,critical ${MIKROTIK_LINE}`,
    dialect: 'raw',
    identifier: '',
    filter: 'mikrotik',
  },
  {
    device: 'RouterOS, BSD format',
    header: '<34>Nov 20 14:13:17 MikroTik system,error,critical ',
    message: MIKROTIK_LINE,
    dialect: 'routeros',
    identifier: 'system,error,critical',
    filter: 'mikrotik',
  },
  {
    device: 'RouterOS 7.18, syslog format with ISO time',
    header: '<34>2026-11-20T14:13:17.123+0100 MikroTik system,error,critical: ',
    message: MIKROTIK_LINE,
    dialect: 'routeros',
    identifier: 'system,error,critical',
    filter: 'mikrotik',
  },
  {
    device: 'RouterOS, firewall rule with log prefix',
    header: '<30>firewall,info ',
    message: `drop-wan input: in:ether1 out:(unknown 0), connection-state:new src-mac 4c:5e:0c:11:22:33, proto TCP (SYN), ${OFFENDER}:40022->192.0.2.1:23, len 60`,
    dialect: 'routeros',
    identifier: 'firewall,info',
    filter: 'mikrotik-firewall',
  },
  {
    device: 'OpenWrt, dropbear',
    header: '<36>Nov 20 14:13:17 OpenWrt dropbear[2345]: ',
    message: `Bad password attempt for 'root' from ${OFFENDER}:40022`,
    dialect: 'rfc3164',
    identifier: 'dropbear',
    filter: 'dropbear',
  },
  {
    device: 'OpenWrt of old, without host name',
    header: '<36>Nov 20 14:13:17 dropbear[2345]: ',
    message: `Bad password attempt for 'root' from ${OFFENDER}:40022`,
    dialect: 'no-hostname',
    identifier: 'dropbear',
    filter: 'dropbear',
  },
  {
    device: 'OpenWrt over TCP, web interface',
    header: '<30>Nov 20 14:13:17 OpenWrt uhttpd[1701]: ',
    message: `[info] luci: failed login on / for root from ${OFFENDER}`,
    terminator: '\n',
    dialect: 'rfc3164',
    identifier: 'uhttpd',
    filter: 'openwrt',
  },
  {
    device: 'OpenWrt, firewall',
    header: '<4>Nov 20 14:13:17 OpenWrt kernel: ',
    message: `[12345.678901] reject wan in: IN=eth1 OUT= ${KERNEL_FIELDS}`,
    dialect: 'rfc3164',
    identifier: 'kernel',
    filter: 'kernel-drops',
  },
  {
    device: 'pfSense, BSD format, web interface',
    header: '<35>Nov 20 14:13:17 php-fpm[345]: ',
    message: `/index.php: webConfigurator authentication error for user 'admin' from: ${OFFENDER}`,
    dialect: 'no-hostname',
    identifier: 'php-fpm',
    filter: 'pfsense',
  },
  {
    device: 'pfSense, RFC 5424, web interface',
    header: '<35>1 2026-11-20T14:13:17.123456+01:00 pfSense.home.arpa php-fpm 345 - - ',
    message: `/index.php: webConfigurator authentication error for user 'admin' from: ${OFFENDER}`,
    dialect: 'rfc5424',
    identifier: 'php-fpm',
    filter: 'pfsense',
  },
  {
    device: 'pfSense, BSD format, sshd',
    header: '<38>Nov 20 14:13:17 sshd[345]: ',
    message: OPENSSH_LINE,
    dialect: 'no-hostname',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'pfSense, packet filter',
    header: '<134>Nov 20 14:13:17 filterlog[53792]: ',
    message: FILTERLOG_LINE,
    dialect: 'no-hostname',
    identifier: 'filterlog',
    filter: 'pf',
  },
  {
    device: 'OPNsense, RFC 5424, web interface',
    header: '<37>1 2026-11-20T14:13:17+01:00 OPNsense.localdomain audit 345 - [meta sequenceId="7"] ',
    message: `/index.php: Web GUI authentication error for 'root' from ${OFFENDER}`,
    dialect: 'rfc5424',
    identifier: 'audit',
    filter: 'pfsense',
  },
  {
    device: 'OPNsense, RFC 5424, packet filter',
    header: '<134>1 2026-11-20T14:13:17+01:00 OPNsense.localdomain filterlog 345 - [meta sequenceId="8"] ',
    message: FILTERLOG_LINE,
    dialect: 'rfc5424',
    identifier: 'filterlog',
    filter: 'pf',
  },
  {
    device: 'UniFi console, SSH',
    header: '<38>Nov 20 14:13:17 UDM-Pro UDM-Pro sshd[812]: ',
    message: OPENSSH_LINE,
    dialect: 'unifi',
    identifier: 'sshd',
    filter: 'sshd',
  },
  {
    device: 'UniFi access point, SSH',
    header: '<36>Nov 20 14:13:17 AP-Office 788a2045c0de,UAP-AC-Pro-6.6.77+15402: dropbear[2345]: ',
    message: `Bad password attempt for 'ubnt' from ${OFFENDER}:40022`,
    dialect: 'unifi',
    identifier: 'dropbear',
    filter: 'dropbear',
  },
  {
    device: 'UniFi access point of old, SSH',
    header: '<36>Nov 20 14:13:17 ("U7PG2,788a2045c0de,v3.7.58") dropbear[2345]: ',
    message: `Bad password attempt for 'ubnt' from ${OFFENDER}:40022`,
    dialect: 'unifi',
    identifier: 'dropbear',
    filter: 'dropbear',
  },
  {
    device: 'UniFi gateway, firewall rule',
    header: '<4>Nov 20 14:13:17 UDM-Pro ',
    message: `[WAN_LOCAL-D-2147483647] DESCR="no rule description" IN=eth8 OUT= ${KERNEL_FIELDS}`,
    dialect: 'no-tag',
    identifier: '',
    filter: 'kernel-drops',
  },
  {
    device: 'UniFi gateway of old, firewall rule',
    header: '<4>Nov 20 14:13:17 USG kernel: ',
    message: `[WAN_LOCAL-default-D]IN=eth0 OUT= ${KERNEL_FIELDS}`,
    dialect: 'rfc3164',
    identifier: 'kernel',
    filter: 'kernel-drops',
  },
  {
    device: 'UniFi Network, intrusion prevention as CEF',
    header: '<14>Nov 20 14:13:17 UDM-Pro ',
    message: `CEF:0|Ubiquiti|UniFi Network|9.0.114|201|Threat Detected and Blocked|4|proto=TCP src=${OFFENDER} spt=40022 dst=192.0.2.5 dpt=22`,
    dialect: 'cef',
    identifier: 'CEF',
    filter: 'unifi',
    mode: 'extra',
  },
  {
    device: 'FRITZ!Box event, host name and no tag',
    header: '<14>Nov 20 14:13:17 fritz.box ',
    message: FRITZBOX_LINE,
    dialect: 'no-tag',
    identifier: '',
    filter: 'fritzbox',
  },
  {
    device: 'FRITZ!Box events through the script of the guide',
    header: '<13>Nov 20 14:13:17 gateway fritzbox: ',
    message: `20.11.26 14:13:17 ${FRITZBOX_LINE}`,
    dialect: 'rfc3164',
    identifier: 'fritzbox',
    filter: 'fritzbox',
  },
  {
    device: 'ASUS router',
    header: '<12>Nov 20 14:13:17 RT-AX88U-1234 httpd: ',
    message: `login 'admin' failed from ${OFFENDER}:40022`,
    dialect: 'rfc3164',
    identifier: 'httpd',
    filter: 'asus',
  },
  {
    device: 'Cisco IOS, sequence number and a time with milliseconds',
    header: '<188>45: 000123: *Nov 20 14:13:17.123 UTC: %SEC_LOGIN-4-LOGIN_FAILED: ',
    message: IOS_LINE,
    dialect: 'cisco',
    identifier: '%SEC_LOGIN-4-LOGIN_FAILED',
    filter: 'cisco-ios',
  },
  {
    device: 'Cisco IOS, origin-id and uptime',
    header: '<188>45: rt1: 3w2d: %SEC_LOGIN-4-LOGIN_FAILED: ',
    message: IOS_LINE,
    dialect: 'cisco',
    identifier: '%SEC_LOGIN-4-LOGIN_FAILED',
    filter: 'cisco-ios',
  },
  {
    device: 'Cisco IOS XR',
    header:
      '<188>45: xr1 RP/0/RSP0/CPU0:Nov 20 14:13:17.123 UTC: exec[65777]: %SECURITY-LOGIN-4-AUTHEN_FAILED : ',
    message: `Failed authentication attempt by user 'root' from '${OFFENDER}' on 'vty0'`,
    dialect: 'cisco',
    identifier: '%SECURITY-LOGIN-4-AUTHEN_FAILED',
    filter: 'cisco-ios',
  },
  {
    device: 'Cisco NX-OS',
    header: '<187>: 2026 Nov 20 14:13:17 UTC: %AUTHPRIV-3-SYSTEM_MSG: ',
    message: `pam_aaa:Authentication failed for user admin from ${OFFENDER} - sshd[19012]`,
    dialect: 'cisco',
    identifier: '%AUTHPRIV-3-SYSTEM_MSG',
    filter: 'cisco-ios',
  },
  {
    device: 'Cisco ASA',
    header: '<166>Nov 20 2026 14:13:17: %ASA-6-605004: ',
    message: ASA_LINE,
    dialect: 'cisco',
    identifier: '%ASA-6-605004',
    filter: 'cisco-asa',
  },
  {
    device: 'Cisco FTD, ISO time and device id',
    header: '<166>2026-11-20T14:13:17Z fw1 : %FTD-6-605004: ',
    message: ASA_LINE,
    dialect: 'cisco',
    identifier: '%FTD-6-605004',
    filter: 'cisco-asa',
  },
  {
    device: 'Junos',
    header: '<37>Nov 20 14:13:17 srx1 sshd[812]: ',
    message: `SSHD_LOGIN_FAILED: Login failed for user 'bob' from host '${OFFENDER}'`,
    dialect: 'rfc3164',
    identifier: 'sshd',
    filter: 'junos',
  },
  {
    device: 'Junos, structured data',
    header:
      '<37>1 2026-11-20T14:13:17.123+01:00 srx1 sshd - SSHD_LOGIN_FAILED ' +
      `[junos@2636.1.1.1.2.26 username="bob" source-address="198.51.100.7"] `,
    message: `Login failed for user 'bob' from host '${OFFENDER}'`,
    dialect: 'rfc5424',
    identifier: 'sshd',
    filter: 'junos',
  },
  {
    device: 'Aruba and ProCurve switches',
    header: '<44> Nov 20 14:13:17 192.0.2.250 00419 auth: ',
    message: ` Invalid user name/password on SSH session User 'bob' is trying to login from ${OFFENDER}`,
    dialect: 'rfc3164',
    identifier: 'auth',
    filter: 'aruba',
  },
  {
    device: 'FortiGate',
    header: '<185>',
    message: `date=2026-11-20 time=14:13:17 devname="FGT" devid="FGT60F0000000000" logid="0100032002" type="event" subtype="system" level="alert" vd="root" logdesc="Admin login failed" sn="0" user="bob" ui="ssh(${OFFENDER})" method="ssh" srcip=${OFFENDER} dstip=192.0.2.1 action="login" status="failed" reason="name_invalid" msg="Administrator bob login failed from ssh(${OFFENDER}) because of invalid user name"`,
    dialect: 'raw',
    identifier: '',
    filter: 'fortinet',
  },
  {
    device: 'SonicWall',
    header: '<129>  ',
    message: `id=firewall sn=0017C5000000 time="2026-11-20 14:13:17 UTC" fw=192.0.2.1 pri=1 c=32 m=30 msg="Administrator login denied due to bad credentials" sess="Web" n=7 usr="admin" src=${OFFENDER}:0:X1 dst=192.0.2.1:443:X1 proto=tcp/https`,
    dialect: 'raw',
    identifier: '',
    filter: 'sonicwall',
  },
  {
    device: 'NetScreen',
    header: '<132>ssg5: ',
    message: `NetScreen device_id=ssg5  [Root]system-warning-00518: Admin user "bob" login attempt for Web(https) management (port 443) from ${OFFENDER}:40022 failed. (2026-11-20 14:13:17)`,
    dialect: 'no-time',
    identifier: 'ssg5',
    filter: 'netscreen',
  },
];

describe('a failure, as the device sends it', () => {
  let matcher: Matcher;
  before(() => {
    const path = new URL('../../etc/filters', import.meta.url).pathname;
    const wanted = new Set(DEVICES.map(({ filter }) => filter));
    const { filters, refused } = loadFilters([{ path, strict: true }], false, wanted);
    assert.deepEqual(refused, []);
    matcher = createMatcher(filters);
  });

  for (const device of DEVICES) {
    it(`counts: ${device.device}`, () => {
      const record = read(`${device.header}${device.message}${device.terminator ?? ''}`);
      assert.equal(record.message, device.message.trimEnd());
      assert.equal(record.dialect, device.dialect);
      assert.equal(record.identifier, device.identifier);
      const failures = failuresOf(matcher, record, device.mode ?? 'normal');
      assert.deepEqual(
        failures.map(({ filter, address }) => `${filter} ${address}`),
        [`${device.filter} ${OFFENDER}`],
      );
    });
  }
});

function failuresOf(matcher: Matcher, record: Reading, mode: RuleMode): Match[] {
  const found: Match[] = [];
  matcher.match(record, found);
  return found.filter((match) => match.kind === 'failure' && admitsMode(mode, match.mode));
}
