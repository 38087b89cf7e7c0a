/**
 * Containers: which records an engine has handed on, and what it says of the container whose line that is. journald
 * stamps who wrote an entry, so that it was an engine is certain. Everything else, the name, the tag and the image, is
 * the word of whoever started the container.
 */
import type { TrustedFields } from './record.ts';

/**
 * `engine`: an engine wrote what a container has said. `inside`: a process in a container wrote it to a socket of the
 * host itself. `host`: neither.
 */
export type Origin = 'engine' | 'inside' | 'host';

/**
 * The engines' programs, wherever they are installed: what runs containers of Docker, Podman, containerd and LXC, and
 * what writes their lines (dockerd(8) with the journald driver, conmon(8)).
 */
const ENGINES: ReadonlySet<string> = new Set([
  'dockerd',
  'containerd',
  'containerd-shim-runc-v2',
  'conmon',
  'conmonrs',
  'podman',
  'crio',
  'lxc-start',
]);

/** Units of engines; entries of short-lived processes come without an executable. */
const ENGINE_UNIT =
  /^(?:docker|containerd|podman|crio|snap\.docker\.dockerd|lxc@[^/]*)\.service$|^(?:libpod|crio)-conmon-[^/]*\.scope$/;

/** Where engines put the processes of a container when systemd manages their control groups. */
const CONTAINER_UNIT = /^(?:docker|libpod|crio|cri-containerd)-[0-9a-f]{12,64}\.scope$/;

/** Fields that journald can be asked for by value, which select what engines write (sd_journal_add_match(3)). */
export const ENGINE_MATCHES: readonly string[] = [
  ...['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((folder) => `_EXE=${folder}/dockerd`),
  ...[
    '/usr/bin',
    '/usr/local/bin',
    '/usr/libexec/podman',
    '/usr/local/libexec/podman',
    '/usr/lib/podman',
  ].map((folder) => `_EXE=${folder}/conmon`),
  '_SYSTEMD_UNIT=docker.service',
  '_SYSTEMD_UNIT=snap.docker.dockerd.service',
];

/** Where a record comes from that carries trusted fields. */
export function originOf({ unit, executable }: TrustedFields): Origin {
  // Root in a container can give a program any path.
  if (CONTAINER_UNIT.test(unit)) return 'inside';
  return isEngine(executable) || ENGINE_UNIT.test(unit) ? 'engine' : 'host';
}

/**
 * Whether an engine's record is to be believed as the engine's: it runs in an engine's unit or as root. Whoever logs in
 * may run conmon, or podman as himself.
 */
export function isSystemEngine({ unit, executable, uid }: TrustedFields): boolean {
  return ENGINE_UNIT.test(unit) || (uid === 0 && isEngine(executable));
}

function isEngine(executable: string): boolean {
  return ENGINES.has(executable.slice(executable.lastIndexOf('/') + 1));
}
