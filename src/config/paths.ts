/** Where things lie when nobody says otherwise. Light on purpose: every command of the CLI starts with it. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';

export type DefaultPaths = { readonly stateDirectory: string; readonly socketPath: string };

export const DEFAULT_CONFIG_PATH = '/etc/bailiff/bailiff.toml';

/**
 * Where a checkout has what a package installs in /etc/bailiff and /usr/share/bailiff; null in a package, where the
 * code is bundled and this file is not where it was written.
 */
const CHECKOUT_DIRECTORY = import.meta.filename.endsWith('/src/config/paths.ts')
  ? resolve(import.meta.dirname, '../../etc')
  : null;

const SHIPPED_DIRECTORY = CHECKOUT_DIRECTORY ?? '/usr/share/bailiff';

/** The system's configuration; where there is none, as in a checkout that nobody has installed, the checkout's own. */
export function defaultConfigPath(): string {
  if (CHECKOUT_DIRECTORY === null || existsSync(DEFAULT_CONFIG_PATH)) return DEFAULT_CONFIG_PATH;
  return join(CHECKOUT_DIRECTORY, 'bailiff.toml');
}

/** Filters that come with the program. */
export const SHIPPED_FILTER_DIRECTORY = join(SHIPPED_DIRECTORY, 'filters');

/** Jails that come with the program, for the user to enable. */
export const SHIPPED_PRESETS = join(SHIPPED_DIRECTORY, 'jails.toml');

const SYSTEM_STATE_DIRECTORY = '/var/lib/bailiff';
const SYSTEM_RUNTIME_DIRECTORY = '/run/bailiff';

/** The control socket of the system's daemon, which other users may be allowed to use. */
export const SYSTEM_SOCKET_PATH = join(SYSTEM_RUNTIME_DIRECTORY, 'bailiff.sock');

/**
 * The state directory and the control socket of a daemon that runs as `uid`. What systemd has made for the unit comes
 * first (STATE_DIRECTORY and RUNTIME_DIRECTORY, systemd.exec(5)); then the system's places for root, and for anybody
 * else those of the XDG Base Directory Specification, which says that a path that is not absolute is to be ignored.
 */
export function defaultPaths(uid: number, env: Readonly<Record<string, string | undefined>>): DefaultPaths {
  const unitState = absoluteOrNull(env.STATE_DIRECTORY?.split(':')[0]);
  const unitRuntime = absoluteOrNull(env.RUNTIME_DIRECTORY?.split(':')[0]);
  if (uid === 0 || unitState !== null) {
    return {
      stateDirectory: unitState ?? SYSTEM_STATE_DIRECTORY,
      socketPath: join(unitRuntime ?? SYSTEM_RUNTIME_DIRECTORY, 'bailiff.sock'),
    };
  }
  const runtime = absoluteOrNull(env.XDG_RUNTIME_DIR);
  const stateDirectory = join(userStateHome(uid, env), 'bailiff');
  return { stateDirectory, socketPath: join(runtime ?? stateDirectory, 'bailiff.sock') };
}

/** Without a home there is the directory that logind makes for a user; never one that anybody else can write to. */
function userStateHome(uid: number, env: Readonly<Record<string, string | undefined>>): string {
  const stateHome = absoluteOrNull(env.XDG_STATE_HOME);
  if (stateHome !== null) return stateHome;
  const home = absoluteOrNull(env.HOME);
  return home === null ? `/run/user/${uid}` : join(home, '.local/state');
}

function absoluteOrNull(path: string | undefined): string | null {
  return path !== undefined && isAbsolute(path) ? path : null;
}
