/** The limits that everything has which an attacker could fill. */

/** Named limits. Each has a constant where it is enforced, and this event when it is hit. */
export type LimitName =
  | 'offenders' // windows of a jail: the one whose last failure is oldest is dropped
  | 'bans' // bans of a jail: the one that would end first is dropped
  | 'connections' // stream connections: one that has said nothing is closed, else the new one refused
  | 'connections-per-sender' // one of its own that has said nothing is closed, else the new one refused
  | 'sender-rate' // messages of a sender beyond its rate: they are dropped
  | 'handshakes' // TLS handshakes under way: the oldest is broken off; or too many a second: the new one is refused
  | 'idle-time' // a stream connection without a message for long: it is closed
  | 'message-length' // the message is cut
  | 'sessions' // remembered sessions of a filter: the oldest is dropped
  | 'kept-sessions' // sessions kept over a restart: those heard of longest ago are not
  | 'refusals' // kinds of records that no filter reads, told of by name: further ones are counted only
  | 'deliveries' // records that a sender may deliver again: the one heard of longest ago is not known again
  | 'backlog' // datagrams waiting to be read: more are left to the kernel, which drops the newest
  | 'firewall-queue' // elements waiting for the kernel
  | 'senders' // senders and refused peers that are remembered: the one heard of longest ago is forgotten
  | 'http-connections' // of an HTTP server: one that waits, of the peer with most, makes room; else the new one is refused
  | 'http-connections-per-peer' // one of its own that waits makes room; else the new one is refused
  | 'pipelined-requests' // requests that come before the answer to the one before them was read: they wait
  | 'unread-answers' // an answer that its client does not read: the connection is closed
  | 'event-listeners'; // streams of events to clients: the new one is refused
