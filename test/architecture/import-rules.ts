/** Who may import whom, as rules for dependency-cruiser, and what breaks them. docs/architecture.md has the reasons. */
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';

/** The layers from left to right. A file imports from its own directory and from layers further left. */
export const LAYERS: readonly (readonly string[])[] = [
  ['core'],
  ['syslog', 'match'],
  ['senders'],
  ['config'],
  ['native'],
  ['sources', 'firewall', 'import', 'state', 'metrics', 'http', 'certificates'],
  ['daemon'],
  ['cli'],
];

/** Layers without clock, timer, random number, input, output or process. */
export const PURE_LAYERS: readonly string[] = ['core', 'syslog', 'match'];

/** The only modules of Node that pure layers use, and where: an address set and the switches of the regexp engine. */
const PURE_MODULES: Readonly<Record<string, string>> = {
  'core/address/prefix-set.ts': 'net',
  'match/expression/engine.ts': 'v8',
};

/** What has one home: whoever else wants it asks the layer that has it. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  koffi: ['native'],
  'node:sqlite': ['state'],
  fastify: ['http'],
  '@prometheus-io/client': ['metrics'],
  'toml-eslint-parser': ['config'],
  pkijs: ['certificates'],
  asn1js: ['certificates'],
  commander: ['cli'],
};

/** Where a program begins: the command, and what runs in a worker. Everything must be reached from one of them. */
const ENTRY = '^src/(?:main|.+\\.worker)\\.ts$';

export type ImportProblem = { readonly rule: string; readonly from: string; readonly to: string };

/** Checks src/ of the project at `root`; every broken rule once for each import that breaks it, in a stable order. */
export async function findImportProblems(root: string): Promise<ImportProblem[]> {
  const { output } = await cruise(['src'], {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: [...layerRules(), ...pureRules(), ...homeRules(), ...generalRules()] },
    // Types count: an interface is knowledge of a layer as much as a function is.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  });
  const { violations } = (output as ICruiseResult).summary;
  return violations
    .map((violation) => ({ rule: violation.rule.name, from: violation.from, to: violation.to }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function layerRules(): IForbiddenRuleType[] {
  return LAYERS.flatMap((siblings, index) =>
    siblings.map((layer) => {
      const allowed = [layer, ...LAYERS.slice(0, index).flat()];
      return forbid(`${layer} imports from its left only`, `^src/${layer}/`, {
        path: '^src/',
        pathNot: `^src/(?:${allowed.join('|')})/`,
      });
    }),
  );
}

function pureRules(): IForbiddenRuleType[] {
  const pure = `^src/(?:${PURE_LAYERS.join('|')})/`;
  const exceptions = Object.entries(PURE_MODULES);
  const files = exceptions.map(([file]) => `^src/${literal(file)}$`);
  return [
    {
      ...forbid('pure layers use no modules of Node', pure, { dependencyTypes: ['core'] }),
      from: { path: pure, pathNot: files },
    },
    ...exceptions.map(([file, module]) =>
      forbid(`${file} uses node:${module} only`, `^src/${literal(file)}$`, {
        dependencyTypes: ['core'],
        pathNot: `^(?:node:)?${module}$`,
      }),
    ),
    forbid('pure layers use no packages', pure, {
      pathNot: ['^src/', '^package\\.json$'],
      dependencyTypesNot: ['core'],
    }),
  ];
}

function homeRules(): IForbiddenRuleType[] {
  return Object.entries(HOMES).map(([module, layers]) => ({
    ...forbid(`${module} is for ${layers.join(', ')}`, '', {
      path: [`^${literal(module)}$`, `^${literal(module)}/`, `node_modules/${literal(module)}/`],
    }),
    from: { path: '^src/', pathNot: `^src/(?:${layers.join('|')})/` },
  }));
}

function generalRules(): IForbiddenRuleType[] {
  return [
    forbid('no circles', '^src/', { circular: true }),
    forbid('what is shipped imports nothing of the tests', '^src/', { path: '^test/' }),
    forbid('what is shipped needs no development package', '^src/', { dependencyTypes: ['npm-dev'] }),
    forbid('everything is reached from an entry', ENTRY, { path: '^src/', pathNot: ENTRY, reachable: false }),
  ];
}

function forbid(name: string, from: string, to: object): IForbiddenRuleType {
  return { name, severity: 'error', from: { path: from }, to } as IForbiddenRuleType;
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
