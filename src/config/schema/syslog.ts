/** The keys of [syslog]: where syslog comes in, from whom, and how much of it. */
import * as z from 'zod/mini';
import { burstMessages, messagesPerSecond, senderConfidence } from './sender.ts';
import {
  absolutePath,
  count,
  key,
  listenAddresses,
  networks,
  oneOf,
  socketPaths,
  table,
  userNames,
} from './values.ts';

/** Loopback, the private networks of RFC 1918 and RFC 4193, and link-local addresses. */
export const PRIVATE_NETWORKS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
];

const tlsServer = table({
  certificate: key(absolutePath, {
    description:
      'File with the certificate of this host, and the chain that it needs, in PEM. Read again by a reload, and ' +
      'within half a minute of a change.',
    examples: ['/etc/bailiff/tls/server.crt'],
  }),
  key: key(absolutePath, {
    description: 'File with the key of `certificate`, in PEM, without a passphrase.',
    examples: ['/etc/bailiff/tls/server.key'],
  }),
  client_ca: key(z.optional(absolutePath), {
    description:
      'File with the certificates, in PEM, of the authorities whose certificates clients may show. Whoever has one ' +
      'may send from any address. Default: clients are not asked for certificates, and `senders` decides alone.',
    examples: ['/etc/bailiff/tls/ca.crt'],
  }),
  client_certificate: key(z.prefault(oneOf('required', 'optional'), 'required'), {
    description:
      'With `client_ca`: "required" turns away clients without a certificate; "optional" takes them when `senders` ' +
      'has their address.',
    examples: ['required'],
  }),
  revoked: key(z.optional(absolutePath), {
    description: 'File with the revocation list of `client_ca`, in PEM. Default: nothing is revoked.',
    examples: ['/etc/bailiff/tls/ca.crl'],
  }),
});

export const syslog = table({
  udp: key(z.prefault(listenAddresses, []), {
    description: 'Addresses and ports to receive syslog on over UDP.',
    examples: [['127.0.0.1:5514', '[::1]:5514']],
  }),
  tcp: key(z.prefault(listenAddresses, []), {
    description: 'Addresses and ports to receive syslog on over TCP.',
    examples: [['127.0.0.1:5514', '[::1]:5514']],
  }),
  tls: key(z.prefault(listenAddresses, []), {
    description:
      'Addresses and ports to receive syslog on over TLS (RFC 5425); they need [syslog.tls_server].',
    examples: [['0.0.0.0:6514', '[::]:6514']],
  }),
  unix: key(z.prefault(socketPaths, []), {
    description:
      'Unix datagram sockets to receive syslog on from programs of this host; each is made there, and every local ' +
      'program may write to it.',
    examples: [['/run/bailiff/log.sock']],
  }),
  unix_users: key(z.prefault(userNames, []), {
    description:
      'Users of this host, by name or number, whose messages at `unix` are believed whatever program they name: ' +
      'those that servers run as which write there. Of others a message counts only where a filter trusts the ' +
      'program that sent it.',
    examples: [['www-data', 'haproxy']],
  }),
  tls_server: key(z.optional(tlsServer), {
    description: 'What the listeners of `tls` show of this host, and whom they believe. Needed by `tls`.',
  }),
  senders: key(z.prefault(networks, PRIVATE_NETWORKS), {
    description:
      'Addresses and networks whose messages are read; everybody else is counted and dropped. Who may send can ' +
      'have anybody banned: over UDP the address of a sender can be forged.',
    examples: [['127.0.0.0/8', '::1', '192.168.1.0/24']],
  }),
  udp_confidence: key(z.prefault(senderConfidence, 'full'), {
    description:
      'How far a message over UDP is believed, whose sender address can be forged: "full", or "low": its failures ' +
      'count, but a ban needs a last one of full confidence. A [[sender]] may say otherwise.',
    examples: ['low'],
  }),
  max_messages_per_second: key(z.optional(messagesPerSecond), {
    description:
      'Messages of one sender in a second; those beyond are dropped unread and counted. Default: no limit.',
    examples: [5_000],
    unit: 'messages per second',
  }),
  burst_messages: key(z.optional(burstMessages), {
    description: "Messages of one sender that may come at once. Default: 10 seconds' worth.",
    examples: [50_000],
    unit: 'messages',
  }),
  max_message_bytes: key(z.prefault(count(480, 1_048_576), 16_384), {
    description: 'A longer message is cut to this length and counted. RFC 5424 asks for 480 at least.',
    examples: [65_536],
    unit: 'bytes',
  }),
  max_connections: key(z.prefault(count(1, 100_000), 1_000), {
    description:
      'TCP and TLS connections open at once on a listener; for a further one another that has said nothing is ' +
      'closed, or it is refused, and counted.',
    examples: [1_000],
    unit: 'connections',
  }),
  max_connections_per_sender: key(z.prefault(count(1, 100_000), 64), {
    description:
      'TCP and TLS connections open at once from one address, and of those that have said nothing from one IPv6 ' +
      '/64; for a further one its own that has said nothing is closed, or it is refused, and counted.',
    examples: [64],
    unit: 'connections',
  }),
});
