/**
 * Proves that this kernel keeps a banned address out: in two network namespaces that are gone afterwards, joined by a
 * pair of devices, one host connects to the other before, during and after a ban in a table like the daemon's.
 */

import { raise } from '../../core/warning/catalogue.ts';
import { ATTACKER_ADDRESS, type BanProof, HOST_ADDRESS, PROOF_COMMAND } from './ban-proof-inside.ts';
import { type Check, type DoctorWorld, found, ok, skipped, type Verdict } from './check.ts';

const NAME = 'ban';
const PROOF_MILLISECONDS = 20_000;

/** $1 and $2 are the addresses; what follows is run in the host's namespace with the attacker's holder at its end. */
const STAGE = `
set -eu
host=$1 attacker=$2
shift 2
ip link set lo up
unshare --net sleep 60 &
holder=$!
trap 'kill "$holder" 2>/dev/null || :' EXIT
while [ "$(readlink "/proc/$holder/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link add inside type veth peer name outside netns "$holder"
ip address add "$host/24" dev inside
ip link set inside up
nsenter --net="/proc/$holder/ns/net" sh -c 'ip address add "$1/24" dev outside && ip link set outside up' sh "$attacker"
"$@" "$holder"
`;

export const banProof: Check = {
  name: NAME,
  run: async (world) => [await prove(world)],
};

async function prove({ isRoot, run }: DoctorWorld): Promise<Verdict> {
  if (!isRoot) return skipped(NAME, 'needs root: makes two network namespaces and bans in them');
  const stage = ['unshare', '--net', 'sh', '-c', STAGE, 'sh', HOST_ADDRESS, ATTACKER_ADDRESS];
  const program = [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...PROOF_COMMAND];
  const tool = await run(['ip', '-V']);
  if (tool === null) return skipped(NAME, 'needs the program ip: apt-get install iproute2');
  const ran = await run([...stage, ...program], PROOF_MILLISECONDS);
  if (ran === null) return skipped(NAME, 'needs the program unshare: apt-get install util-linux');
  if (ran.status !== 0) {
    const reason = ran.stderr.trim().split('\n').at(-1) ?? '';
    return skipped(NAME, `no namespace to try it in: ${reason || `status ${ran.status}`}`);
  }
  return judge(JSON.parse(ran.stdout) as BanProof);
}

/** What three attempts to connect say. */
export function judge({ before, during, after, failure }: BanProof): Verdict {
  if (failure !== '') return found(NAME, raise('ban-without-effect', { reason: failure }));
  if (!before) return skipped(NAME, 'no packet came through even without a ban, so that nothing is proved');
  if (during)
    return found(NAME, raise('ban-without-effect', { reason: 'a packet of a banned address came through' }));
  if (!after) {
    const reason = 'a packet of an address that was unbanned did not come through';
    return found(NAME, raise('ban-without-effect', { reason }));
  }
  return ok(NAME, 'a banned address was kept out, and let in again when it was unbanned');
}
