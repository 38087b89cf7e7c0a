/** The parts of the daemon that people are told of, and how each can be. */

/** A part of the daemon that can be up, or working with a limitation, or not working. */
export type ComponentName =
  | 'journal'
  | 'syslog'
  | 'firewall'
  | 'state'
  | 'metrics'
  | 'control'
  | 'configuration';
export type ComponentHealth = 'up' | 'degraded' | 'down' | 'off';
