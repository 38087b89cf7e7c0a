/**
 * fail2ban's own filters, as its releases ship them: for most there is one of ours, which takes the place of one that
 * nobody has changed. They are known by their content, without comments and with what they include.
 */
import { hash } from 'node:crypto';
import type { RuleMode } from '../../core/failure.ts';
import type { Settings } from './settings.ts';
import { STOCK_FINGERPRINTS } from './stock-fingerprints.ts';

/** Filters of ours that have another name. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['courier-auth', 'courier'],
  ['drupal-auth', 'drupal'],
  ['ejabberd-auth', 'ejabberd'],
  ['froxlor-auth', 'froxlor'],
  ['gssftpd', 'ftpd'],
  ['haproxy-http-auth', 'haproxy'],
  ['apache-modsecurity', 'modsecurity'],
  ['mongodb-auth', 'mongodb'],
  ['mssql-auth', 'mssql'],
  ['mysqld-auth', 'mysqld'],
  ['named-refused', 'named'],
  ['pam-generic', 'pam'],
  ['phpmyadmin-syslog', 'phpmyadmin'],
  ['roundcube-auth', 'roundcube'],
  ['routeros-auth', 'mikrotik'],
  ['sieve', 'cyrus-imap'],
  ['softethervpn', 'softether'],
  ['sogo-auth', 'sogo'],
  ['traefik-auth', 'traefik'],
  ['uwimap-auth', 'uwimap'],
  ['webmin-auth', 'webmin'],
  ['xinetd-fail', 'xinetd'],
  ['znc-adminlog', 'znc'],
]);

/** The filter of ours for the service that fail2ban's filter of this name is for, where we have one. */
export function counterpartOf(stem: string): string {
  return RENAMED.get(stem) ?? stem;
}

/** Whether some release of fail2ban has the filter as it is here. */
export function isStock(stem: string, settings: Settings): boolean {
  return STOCK_FINGERPRINTS.get(stem)?.includes(fingerprintOf(settings)) ?? false;
}

/** The same for files that say the same; the options of a filter in the order of their names. */
export function fingerprintOf(settings: Settings): string {
  const sections = ['DEFAULT', ...settings.names].sort().map((section) => [
    section,
    [...settings.optionsOf(section)].sort().map((option) => {
      const lines = settings.raw(section, option)?.map(({ text }) => text.trim()) ?? [];
      return [option, lines.filter((line) => line !== '')];
    }),
  ]);
  return hash('sha256', JSON.stringify(sections)).slice(0, 16);
}

/** A mode of fail2ban's filter as one of ours. `isExact` when ours does not look for more than that. */
export function modeFrom(mode: string): { readonly mode: RuleMode; readonly isExact: boolean } | null {
  switch (mode) {
    case '':
    case 'normal':
    case 'more':
      return { mode: 'normal', isExact: true };
    case 'auth':
    case 'errors':
    case 'rbl':
      return { mode: 'normal', isExact: false };
    case 'extra':
      return { mode: 'extra', isExact: true };
    case 'ddos':
      return { mode: 'aggressive', isExact: false };
    case 'aggressive':
      return { mode: 'aggressive', isExact: true };
    default:
      return null;
  }
}
