import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { read, summary } from './reading.ts';

const TIME = '2026-11-20T14:13:17Z';

/** Each message and what it is read as; the time of 14:13:17 on that day is written `|@|`. */
function expectSummaries(cases: readonly (readonly [string, string])[]): void {
  for (const [message, expected] of cases)
    assert.equal(summary(message), expected.replace('|@|', `|${TIME}|`), message);
}

describe('a tag', () => {
  it('names the program, with or without its process, and is followed by one blank', () => {
    expectSummaries([
      ['<38>Nov 20 14:13:17 vm sshd[120]: text', 'rfc3164|vm|sshd|120|@|text'],
      ['<38>Nov 20 14:13:17 vm sshd: text', 'rfc3164|vm|sshd||@|text'],
      ['<38>Nov 20 14:13:17 vm sshd[120] text', 'rfc3164|vm|sshd|120|@|text'],
      ['<38>Nov 20 14:13:17 vm sshd:text', 'rfc3164|vm|sshd||@|text'],
      ['<38>Nov 20 14:13:17 vm sudo:     root : TTY=pts/0', 'rfc3164|vm|sudo||@|    root : TTY=pts/0'],
      ['<38>Nov 20 14:13:17 vm sshd[120]:', 'rfc3164|vm|sshd|120|@|'],
      ['<38>Nov 20 14:13:17 vm app[]: text', 'rfc3164|vm|app||@|text'],
      ['<38>Nov 20 14:13:17 vm app[main:7]: text', 'rfc3164|vm|app|main:7|@|text'],
    ]);
  });

  it('may stand behind a severity, alone or with its facility, and behind nothing else', () => {
    expectSummaries([
      ['<38>Nov 20 14:13:17 bigip info sshd[120]: text', 'rfc3164|bigip|sshd|120|@|text'],
      ['<38>Nov 20 14:13:17 switch NOTICE sshd[120]: text', 'rfc3164|switch|sshd|120|@|text'],
      ['<38>Nov 20 14:13:17 vm Info sshd[120]: text', 'no-tag|vm|||@|Info sshd[120]: text'],
      ['Nov 20 14:13:17 vm auth.info sshd[120]: text', 'no-pri|vm|sshd|120|@|text'],
      ['<38>Nov 20 14:13:17 vm authpriv.warning sshd: text', 'rfc3164|vm|sshd||@|text'],
      ['<38>Nov 20 14:13:17 vm info: text', 'rfc3164|vm|info||@|text'],
      ['<38>Nov 20 14:13:17 vm info text', 'no-tag|vm|||@|info text'],
      ['<38>Nov 20 14:13:17 vm auth. sshd[1]: text', 'no-tag|vm|||@|auth. sshd[1]: text'],
      ['<38>Nov 20 14:13:17 vm x.info sshd[1]: text', 'no-tag|vm|||@|x.info sshd[1]: text'],
      ['<38>Nov 20 14:13:17 vm login sshd[1]: text', 'no-tag|vm|||@|login sshd[1]: text'],
    ]);
  });

  it('stands behind an address of IPv6 that ends in two colons, and a word with one is a tag', () => {
    expectSummaries([
      [
        '<38>Nov 20 14:13:17 2001:db8:115e:c0b:: sshd[120]: text',
        'rfc3164|2001:db8:115e:c0b::|sshd|120|@|text',
      ],
      ['<38>Nov 20 14:13:17 cafe: text', 'no-hostname||cafe||@|text'],
    ]);
  });

  it('may be a path or carry the marks that programs use', () => {
    for (const tag of [
      'postfix/smtpd',
      '/usr/sbin/cron',
      'su(pam_unix)',
      '(systemd)',
      'fail2ban.actions',
      'sshd-session',
      'docker/3f2a9c',
      'getty@tty1',
      '389-ds',
    ]) {
      expectSummaries([[`<38>Nov 20 14:13:17 vm ${tag}[7]: text`, `rfc3164|vm|${tag}|7|@|text`]]);
    }
  });

  it('is not made of prose, values, addresses, links or classes', () => {
    for (const text of [
      'Login failed: user admin',
      'user=admin: denied',
      '"sshd": text',
      'sshd',
      'sshd text sshd[1]: text',
      '192.0.2.7:443 text',
      'https://example.net/ text',
      'Some::Class text',
      '[sshd]: text',
      'sshd[1 2]: text',
      'sshd[12',
      'sshd[12]text',
      ': text',
      '1234: text',
      'sshd\t[1]: text',
      `${'a'.repeat(129)}: text`,
      'ssh\u200bd[1]: text',
    ]) {
      expectSummaries([[`<38>Nov 20 14:13:17 vm ${text}`, `no-tag|vm|||@|${text}`]]);
    }
  });

  it('is looked for in one place only, so no text can put another one forward', () => {
    expectSummaries([
      ['<38>Nov 20 14:13:17 vm web: sshd[1]: Failed password', 'rfc3164|vm|web||@|sshd[1]: Failed password'],
      ['<38>Nov 20 14:13:17 web: %ASA-6-605004: denied', 'no-hostname||web||@|%ASA-6-605004: denied'],
      ['<38>Nov 20 14:13:17 vm web: CEF:0|a|b', 'rfc3164|vm|web||@|CEF:0|a|b'],
      [
        '<38>Nov 20 14:13:17 vm web: a\n<38>Nov 20 14:13:17 vm sshd[1]: b',
        'rfc3164|vm|web||@|a\n<38>Nov 20 14:13:17 vm sshd[1]: b',
      ],
      ['<38>web: Nov 20 14:13:17 vm sshd[1]: b', 'no-time||web||-|Nov 20 14:13:17 vm sshd[1]: b'],
    ]);
  });
});

describe('a missing part', () => {
  it('may be the host name (busybox, OpenWrt, FreeBSD, pfSense)', () => {
    expectSummaries([
      ['<38>Nov 20 14:13:17 sshd[1075]: Failed password', 'no-hostname||sshd|1075|@|Failed password'],
      ['<38>Nov 20 14:13:17 dropbear: Bad password', 'no-hostname||dropbear||@|Bad password'],
      [
        '<134>Nov 20 14:13:17 filterlog[53792]: 5,,,1000000103,igb0',
        'no-hostname||filterlog|53792|@|5,,,1000000103,igb0',
      ],
    ]);
  });

  it('may be the time', () => {
    expectSummaries([
      ['<38>sshd[120]: text', 'no-time||sshd|120|-|text'],
      ['<38> sshd[120]: text', 'no-time||sshd|120|-|text'],
      ['<38>- vm sshd[120]: text', 'no-time|vm|sshd|120|-|text'],
      ['<38>- sshd[120]: text', 'no-time||sshd|120|-|text'],
    ]);
  });

  it('may be the tag', () => {
    expectSummaries([
      [
        '<4>Nov 20 14:13:17 UDM-Pro [LAN_LOCAL-D]IN=eth8 SRC=192.0.2.7',
        'no-tag|UDM-Pro|||@|[LAN_LOCAL-D]IN=eth8 SRC=192.0.2.7',
      ],
      ['<4>Nov 20 14:13:17 vm', 'no-tag|vm|||@|'],
      ['<4>Nov 20 14:13:17', 'no-tag||||@|'],
      ['<4>Nov 20 14:13:17 [x] text', 'no-tag||||@|[x] text'],
    ]);
  });

  it('may be the PRI, when time and tag are there', () => {
    expectSummaries([
      ['Nov 20 14:13:17 vm sshd[120]: text', 'no-pri|vm|sshd|120|@|text'],
      ['2026-11-20T14:13:17+00:00 vm sshd[120]: text', 'no-pri|vm|sshd|120|@|text'],
      ['Nov 20 14:13:17 sshd[120]: text', 'no-pri||sshd|120|@|text'],
    ]);
  });

  it('may be everything: a bare line is all text and names no program', () => {
    for (const text of [
      'sshd[120]: Failed password',
      'sshd: Failed password',
      'system,error,critical login failure for user root from 192.0.2.7 via ssh',
      '1 - vm sshd 7 - - Failed password',
      '- vm sshd[120]: Failed password',
      '123: %SEC_LOGIN-4-LOGIN_FAILED: Login failed',
      '2026-11-20 14:13:17 fail2ban [120]: text',
      '<W>2026-11-20 14:13:17 text',
      '<1234>Nov 20 14:13:17 vm sshd[120]: text',
      '<>Nov 20 14:13:17 vm sshd[120]: text',
      '<38 Nov 20 14:13:17 vm sshd[120]: text',
      '\tsshd: text',
    ]) {
      assert.equal(summary(text).replace(TIME, '-'), `raw||||-|${text}`);
    }
  });
});

describe('a host name', () => {
  it('may be an address or what a relay makes of names', () => {
    for (const hostname of [
      '192.0.2.7',
      '2001:db8::7',
      'abcd:ef01::1',
      '00:11:22:33:44:55',
      's_net@vm/relay',
      'nas_1.lan',
    ]) {
      expectSummaries([
        [`<38>Nov 20 14:13:17 ${hostname} sshd[1]: text`, `rfc3164|${hostname}|sshd|1|@|text`],
      ]);
    }
  });

  it('is not longer than a name can be', () => {
    const long = 'a'.repeat(256);
    expectSummaries([[`<38>Nov 20 14:13:17 ${long} sshd[1]: text`, `no-tag||||@|${long} sshd[1]: text`]]);
  });
});

describe('a dialect', () => {
  it('may have an ISO time, as rsyslog forwards', () => {
    expectSummaries([
      ['<38>2026-11-20T14:13:17+00:00 vm sshd[606]: text', 'iso-time|vm|sshd|606|@|text'],
      ['<38>2026-11-20 14:13:17 vm sshd[606]: text', 'iso-time|vm|sshd|606|@|text'],
      ['<38>2026-11-20T15:13:17+01:00 sshd[606]: text', 'no-hostname||sshd|606|@|text'],
    ]);
  });

  it('may have the year behind the time', () => {
    expectSummaries([['<38>Nov 20 14:13:17 2026 vm sshd[606]: text', 'rfc3164|vm|sshd|606|@|text']]);
  });

  it("may be Cisco's, with sequence numbers and a mnemonic", () => {
    const text = 'Login failed [user: root] [Source: 192.0.2.7] [localport: 22]';
    const mnemonic = '%SEC_LOGIN-4-LOGIN_FAILED';
    expectSummaries([
      [`<188>45: *Nov 20 14:13:17: ${mnemonic}: ${text}`, `cisco||${mnemonic}||@|${text}`],
      [`<188>45: 000123: Nov 20 14:13:17 UTC: ${mnemonic}: ${text}`, `cisco||${mnemonic}||@|${text}`],
      [
        `<188>45: rt1: 000123: .Nov 20 14:13:17 CET: ${mnemonic}: ${text}`,
        `cisco|rt1|${mnemonic}||@|${text}`,
      ],
      [`<188>45: rt1: Nov 20 14:13:17: ${mnemonic}: ${text}`, `cisco|rt1|${mnemonic}||@|${text}`],
      [`<188>45: 00:01:46: ${mnemonic}: ${text}`, `cisco||${mnemonic}||-|${text}`],
      [`<188>45: 3w2d: ${mnemonic}: ${text}`, `cisco||${mnemonic}||-|${text}`],
      [`<188>45: rt1: 000123: 3w2d: ${mnemonic}: ${text}`, `cisco|rt1|${mnemonic}||-|${text}`],
      [`<188>${mnemonic}: ${text}`, `cisco||${mnemonic}||-|${text}`],
      [
        `<189>: 2026 Nov 20 14:13:17 UTC: %AUTHPRIV-3-SYSTEM_MSG: ${text}`,
        `cisco||%AUTHPRIV-3-SYSTEM_MSG||@|${text}`,
      ],
      [`<166>Nov 20 2026 14:13:17: %ASA-6-605004: Login denied`, 'cisco||%ASA-6-605004||@|Login denied'],
      [
        `<166>Nov 20 2026 14:13:17 fw1 : %ASA-6-605004: Login denied`,
        'cisco|fw1|%ASA-6-605004||@|Login denied',
      ],
      [`<166>Nov 20 14:13:17 fw1 %ASA-6-605004: Login denied`, 'cisco|fw1|%ASA-6-605004||@|Login denied'],
      [
        `<166>2026-11-20T14:13:17Z fw1 : %ASA-6-605004: Login denied`,
        'cisco|fw1|%ASA-6-605004||@|Login denied',
      ],
    ]);
  });

  it("may be Cisco's XR, with a place in the chassis and a process", () => {
    const text = "Failed authentication attempt by user 'root' from '192.0.2.7' on 'vty0'";
    const header = 'RP/0/RSP0/CPU0:Nov 20 14:13:17 UTC: exec[65777]: %SECURITY-LOGIN-4-AUTHEN_FAILED :';
    const untimed = 'RP/0/RSP0/CPU0:exec[65777]: %SECURITY-LOGIN-4-AUTHEN_FAILED :';
    expectSummaries([
      [`<188>45: ${header} ${text}`, `cisco||%SECURITY-LOGIN-4-AUTHEN_FAILED||@|${text}`],
      [`<188>45: xr1 ${header} ${text}`, `cisco|xr1|%SECURITY-LOGIN-4-AUTHEN_FAILED||@|${text}`],
      [
        '<188>45: RP/0/RSP0/CPU0:Nov 20 14:13:17 : exec[7]: %SECURITY-SSHD-4-INFO_FAILURE : text',
        'cisco||%SECURITY-SSHD-4-INFO_FAILURE||@|text',
      ],
      [`<188>45: ${untimed} ${text}`, `raw||||-|45: ${untimed} ${text}`],
      [`<188>45: ${header.slice(0, -10)}`, `raw||||-|45: ${header.slice(0, -10)}`],
    ]);
  });

  it("is not Cisco's without the mnemonic", () => {
    expectSummaries([
      ['<188>45: sshd: text', 'raw||||-|45: sshd: text'],
      ['<188>45: Nov 20 14:13:17: text', 'raw||||-|45: Nov 20 14:13:17: text'],
      ['<188>%SYS-CONFIG: text', 'no-time||%SYS-CONFIG||-|text'],
      ['<188>100% sure', 'raw||||-|100% sure'],
    ]);
  });

  it("may be RouterOS's, with topics", () => {
    const text = 'login failure for user root from 192.0.2.7 via ssh';
    expectSummaries([
      [`<30>system,error,critical ${text}`, `routeros||system,error,critical||-|${text}`],
      [`<30>system,error,critical: ${text}`, `routeros||system,error,critical||-|${text}`],
      [
        `<30>Nov 20 14:13:17 MikroTik system,error,critical ${text}`,
        `routeros|MikroTik|system,error,critical||@|${text}`,
      ],
      [
        `<30>Nov 20 14:13:17 MikroTik system,error,critical: ${text}`,
        `routeros|MikroTik|system,error,critical||@|${text}`,
      ],
      ['<30>firewall,info input: in:ether1', 'routeros||firewall,info||-|input: in:ether1'],
      ['<30>red,green,blue text', 'raw||||-|red,green,blue text'],
      ['<30>error text', 'raw||||-|error text'],
      ['<30>,error text', 'raw||||-|,error text'],
      ['<30>system,error, text', 'raw||||-|system,error, text'],
    ]);
  });

  it("may be UniFi's, with device and firmware around the host name", () => {
    expectSummaries([
      [
        '<30>Nov 20 14:13:17 U7PG2,788a2045c0de,v4.0.66.10832: hostapd: text',
        'unifi|U7PG2,788a2045c0de,v4.0.66.10832|hostapd||@|text',
      ],
      [
        '<30>Nov 20 14:13:17 ("U7PG2,788a2045c0de,v3.7.58") dropbear[7]: text',
        'unifi|("U7PG2,788a2045c0de,v3.7.58")|dropbear|7|@|text',
      ],
      [
        '<30>Nov 20 14:13:17 AP-Office 788a2045c0de,UAP-AC-Pro-5.60.9+12980: hostapd[7]: text',
        'unifi|AP-Office|hostapd|7|@|text',
      ],
      [
        '<30>Nov 20 14:13:17 AP-Office 788a2045c0de,UAP-AC-Pro-5.60.9+12980: text alone',
        'unifi|AP-Office|||@|text alone',
      ],
      ['<30>Nov 20 14:13:17 UDM-Pro UDM-Pro dropbear[7]: text', 'unifi|UDM-Pro|dropbear|7|@|text'],
      ['<30>Nov 20 14:13:17 UDM-Pro UDM-Pro text', 'no-tag|UDM-Pro|||@|UDM-Pro text'],
      ['<30>Nov 20 14:13:17 UDM-Pro UDM dropbear[7]: text', 'no-tag|UDM-Pro|||@|UDM dropbear[7]: text'],
    ]);
  });

  it("may be ProCurve's, with the number of the event before the tag", () => {
    expectSummaries([
      ['<29> Nov 20 14:13:17 192.0.2.1 00419 auth:  text', 'rfc3164|192.0.2.1|auth||@| text'],
      ['<29>Nov 20 14:13:17 sw1 419 auth: text', 'no-tag|sw1|||@|419 auth: text'],
      ['<29>Nov 20 14:13:17 sw1 00419 text', 'no-tag|sw1|||@|00419 text'],
    ]);
  });

  it('may begin its text with a byte order mark, or all that is behind the PRI', () => {
    expectSummaries([
      ['<14>\uFEFFsshd[1]: text', 'no-time||sshd|1|-|text'],
      ['<14>Nov 20 14:13:17 vm sshd[1]: \uFEFFtext', 'rfc3164|vm|sshd|1|@|text'],
      ['\uFEFF<14>Nov 20 14:13:17 vm sshd[1]: text', 'rfc3164|vm|sshd|1|@|text'],
    ]);
  });

  it('may have a PRI that stands for nothing, which is said and costs nothing else', () => {
    for (const priority of ['192', '999', '013', '00']) {
      const known = priority.startsWith('0');
      const record = read(`<${priority}>Nov 20 14:13:17 vm sshd[1]: text`);
      assert.deepEqual([record.identifier, record.message, record.facility >= 0], ['sshd', 'text', known]);
    }
  });

  it('keeps what rsyslog has escaped, but for the end of the line', () => {
    expectSummaries([
      ['<30>Nov 20 14:13:17 vm app: a#011b#012c#012', 'rfc3164|vm|app||@|a#011b#012c'],
      ['<30>Nov 20 14:13:17 vm app: a#0', 'rfc3164|vm|app||@|a#0'],
    ]);
  });

  it('may be CEF or LEEF, which stay whole', () => {
    const cef = 'CEF:0|Ubiquiti|UniFi Network|9.0|401|Login|5|src=192.0.2.7';
    expectSummaries([
      [`<14>Nov 20 14:13:17 udm ${cef}`, `cef|udm|CEF||@|${cef}`],
      [`<14>${cef}`, `cef||CEF||-|${cef}`],
      ['<14>Nov 20 14:13:17 qr LEEF:2.0|V|P|1|login|', 'leef|qr|LEEF||@|LEEF:2.0|V|P|1|login|'],
      ['<14>Nov 20 14:13:17 qr CEF: text', 'rfc3164|qr|CEF||@|text'],
    ]);
  });

  it('may be CEF or LEEF without anything before it, which a bare line says with its first word', () => {
    assert.equal(
      summary('CEF:0|A|B|1|2|login|7|src=192.0.2.1'),
      'cef||CEF||-|CEF:0|A|B|1|2|login|7|src=192.0.2.1',
    );
    assert.equal(summary('LEEF:1.0|A|B|1|2|src=192.0.2.1'), 'leef||LEEF||-|LEEF:1.0|A|B|1|2|src=192.0.2.1');
    assert.equal(summary('a CEF:0|A|B|1|2|login|7|'), 'raw||||-|a CEF:0|A|B|1|2|login|7|');
  });

  it("may have a colon for a program without a name, as OpenWrt's logd writes it", () => {
    assert.equal(
      summary('<14>Nov 10 22:38:21 OpenWrt : luci: failed'),
      'rfc3164|OpenWrt|luci||2026-11-10T22:38:21Z|failed',
    );
    assert.equal(
      summary('<14>Nov 10 22:38:21 OpenWrt : just text'),
      'no-tag|OpenWrt|||2026-11-10T22:38:21Z|: just text',
    );
  });

  it('of a NAS or a home router is plain RFC 3164 with words of its own', () => {
    expectSummaries([
      [
        '<14>Nov 20 14:13:17 nas1 Connection: User [admin] from [192.0.2.7] failed to log in via [DSM]',
        'rfc3164|nas1|Connection||@|User [admin] from [192.0.2.7] failed to log in via [DSM]',
      ],
      [
        '<12>Nov 20 14:13:17 NAS1 qlogd[12345]: conn log: Users: admin, Source IP: 192.0.2.7, Action: Login Fail',
        'rfc3164|NAS1|qlogd|12345|@|conn log: Users: admin, Source IP: 192.0.2.7, Action: Login Fail',
      ],
      [
        '<14>Nov 20 14:13:17 fritz.box Anmeldung des Benutzers admin gescheitert von IP-Adresse 192.0.2.7',
        'no-tag|fritz.box|||@|Anmeldung des Benutzers admin gescheitert von IP-Adresse 192.0.2.7',
      ],
    ]);
  });
});
