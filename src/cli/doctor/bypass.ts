/** Looks for what sees packets before the chain that bans: flow tables, XDP programs, chains at ingress. */
import { OperationalError } from '../../core/errors.ts';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import { openNftContext } from '../../native/nftables.ts';
import { type Check, type DoctorWorld, foundOrOk, skipped, type Verdict } from './check.ts';

const NAME = 'bypass';
const WELL =
  'nothing that carries packets past the chain that bans: no flow table, XDP program or chain at ingress';

export const bypass: Check = { name: NAME, run: look };

async function look({ isRoot, run }: DoctorWorld): Promise<readonly Verdict[]> {
  if (!isRoot) return [skipped(NAME, 'needs root: lists the ruleset')];
  let raised: readonly RaisedWarning[];
  try {
    raised = findInRuleset(list('list flowtables'), list('list chains netdev'));
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return [skipped(NAME, error.message)];
  }
  const links = await run(['ip', '-json', 'link', 'show']);
  const programs = links === null || links.status !== 0 ? [] : findPrograms(links.stdout);
  const unlooked = links === null ? [skipped(NAME, 'XDP programs: needs ip: apt-get install iproute2')] : [];
  return [...foundOrOk(NAME, [...raised, ...programs], WELL), ...unlooked];
}

/** In the JSON of libnftables (libnftables-json(5)). */
export function findInRuleset(flowtables: string, chains: string): readonly RaisedWarning[] {
  return [
    ...objectsOf(flowtables, 'flowtable').map(({ family, table, name }) =>
      raise('flowtable-passes-by', {}, `${family} ${table} ${name}`),
    ),
    ...objectsOf(chains, 'chain').flatMap(({ family, table, name, hook }) =>
      family === 'netdev' && hook === 'ingress'
        ? [raise('ingress-hook', {}, `${family} ${table} ${name}`)]
        : [],
    ),
  ];
}

/** In the JSON of `ip -json link show` (ip-link(8)). */
export function findPrograms(links: string): readonly RaisedWarning[] {
  const parsed = JSON.parse(links) as readonly { readonly ifname?: string; readonly xdp?: unknown }[];
  return parsed.flatMap(({ ifname = '', xdp }) =>
    xdp === undefined ? [] : [raise('xdp-passes-by', {}, ifname)],
  );
}

type NftObject = Readonly<Record<'family' | 'table' | 'name' | 'hook', string | undefined>>;

function objectsOf(output: string, kind: string): readonly NftObject[] {
  if (output === '') return [];
  const { nftables } = JSON.parse(output) as { readonly nftables: readonly Record<string, NftObject>[] };
  return nftables.flatMap((one) => one[kind] ?? []);
}

function list(command: string): string {
  const context = openNftContext();
  try {
    const { ok, output, error } = context.run(command);
    if (!ok) throw new OperationalError(`nft ${command}: ${error.trim()}`, { code: 'nft-failed' });
    return output;
  } finally {
    context.close();
  }
}
