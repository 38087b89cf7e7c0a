import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import ts from 'typescript';
import { CATALOGUE, LABEL_OVERFLOWS, UNUSABLE_VALUES } from '../../src/metrics/catalogue.ts';
import { BOARDS, type Board, boardQueries, etcPath, metricsIn, type Panel, readBoard } from './boards.ts';

const known = new Set([...CATALOGUE, LABEL_OVERFLOWS, UNUSABLE_VALUES].map(({ name }) => name));
const boards: readonly (readonly [string, Board])[] = BOARDS.map((name) => [name, readBoard(name)]);

/** Metrics that are on no board, and why; those under fail2ban's names are for the boards that people have already. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  bailiff_component_up: 'bailiff_component_health says more, and is shown',
  bailiff_part_failures_total: 'bailiff_warning says it, and is shown',
  bailiff_clock_set_total: 'bailiff_warning says it, and is shown',
};

/** What options and fields of a panel must be, by its type: the module of the schema. */
const PANEL_SCHEMAS: Readonly<Record<string, string>> = {
  stat: 'stat',
  timeseries: 'timeseries',
  bargauge: 'bargauge',
  'state-timeline': 'statetimeline',
  heatmap: 'heatmap',
};

describe('the boards', () => {
  test('fit the schema of Grafana', (t) => {
    const schema = schemaDirectory();
    if (schema === null) {
      t.skip('needs @grafana/schema: npm install --save-dev @grafana/schema');
      return;
    }
    assert.deepEqual(typeErrors(schema, boards), []);
  });

  test('would not fit it with a word misspelt, or with a value of the wrong kind', (t) => {
    const schema = schemaDirectory();
    if (schema === null) {
      t.skip('needs @grafana/schema: npm install --save-dev @grafana/schema');
      return;
    }
    const [first] = boards;
    const lines = first?.[1].panels.find(({ type }) => type === 'timeseries');
    assert.ok(first && lines);
    const broken = [
      { ...first[1], refersh: '30s' },
      { ...first[1], panels: [{ ...first[1].panels[0], gridPos: { x: 0, y: 0, w: '6', h: 6 } }] },
      { ...first[1], panels: [{ ...first[1].panels[0], options: { colourMode: 'background' } }] },
      { ...first[1], panels: [{ ...lines, fieldConfig: { defaults: { custom: { lineColour: 1 } } } }] },
    ] as unknown as Board[];
    for (const board of broken) assert.notDeepEqual(typeErrors(schema, [['broken', board]]), []);
  });

  for (const [name, board] of boards) {
    describe(name, () => {
      const shown = board.panels.filter(({ type }) => type !== 'row');

      test('has an identity of its own and links to the others', () => {
        assert.equal(board.uid, `bailiff-${name}`);
        assert.deepEqual(board.tags, ['bailiff']);
        assert.deepEqual(
          board.links.map(({ type, tags }) => ({ type, tags })),
          [{ type: 'dashboards', tags: ['bailiff'] }],
        );
      });

      test('lets people choose the data source and the host', () => {
        const names = board.templating.list.map((variable) => variable.name);
        assert.deepEqual(names.slice(0, 2), ['datasource', 'instance']);
        const text = readFileSync(etcPath(`grafana/${name}.json`), 'utf8');
        for (const [, uid] of text.matchAll(/"uid": "([^"]*)"/g))
          assert.ok(uid === '$' + '{datasource}' || uid === board.uid, `${uid} is bound to one installation`);
      });

      test('says of every panel what it shows, and in which unit', () => {
        for (const panel of shown) {
          assert.ok((panel.description ?? '').length > 10, panel.title);
          if (panel.type === 'heatmap' || panel.type === 'state-timeline') continue;
          assert.ok(panel.fieldConfig?.defaults.unit, panel.title);
        }
        for (const { title, type, fieldConfig } of shown) {
          const { unit, custom } = fieldConfig?.defaults ?? {};
          if (type === 'timeseries' && unit === 'short')
            assert.ok(custom?.axisLabel, `${title}: numbers of what?`);
        }
        assert.equal(new Set(shown.map(({ title }) => title)).size, shown.length);
        assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
      });

      test('names every line of a panel with several', () => {
        for (const { title, targets = [], type } of shown) {
          if (type === 'stat' && targets.length === 1) continue;
          const legends = targets.map(({ legendFormat }) => legendFormat);
          assert.ok(!legends.includes(''), title);
          assert.equal(new Set(legends).size, legends.length, title);
        }
      });

      test('colours a value by thresholds that rise', () => {
        for (const { title, fieldConfig } of shown) {
          const [base, ...steps] = fieldConfig?.defaults.thresholds?.steps ?? [{ value: null }];
          assert.equal(base?.value, null, title);
          const values = steps.map(({ value }) => Number(value));
          assert.deepEqual(
            values,
            [...new Set(values)].sort((a, b) => a - b),
            title,
          );
        }
      });

      test('has panels that are inside of the grid and do not overlap', () => {
        for (const [index, panel] of board.panels.entries()) {
          const { x, w } = panel.gridPos;
          assert.ok(x >= 0 && w > 0 && x + w <= 24, panel.title);
          for (const other of board.panels.slice(index + 1))
            assert.ok(!overlap(panel, other), `${panel.title} and ${other.title}`);
        }
      });

      test('has panels that fill each of its lines, in the order in which they are read', () => {
        const positions = board.panels.map(({ gridPos }) => gridPos);
        const inOrder = [...positions].sort((a, b) => a.y - b.y || a.x - b.x);
        assert.deepEqual(positions, inOrder);
        for (const y of new Set(positions.map((position) => position.y))) {
          const line = positions.filter((position) => position.y === y);
          assert.equal(
            line.reduce((sum, { w }) => sum + w, 0),
            24,
            `line ${y}`,
          );
          assert.equal(new Set(line.map(({ h }) => h)).size, 1, `line ${y}`);
        }
      });

      test('asks for nothing that is not in the catalogue, and for the chosen hosts only', () => {
        const queries = shown.flatMap(({ targets }) => targets ?? []).map(({ expr }) => expr);
        for (const expr of queries) {
          for (const metric of metricsIn(expr)) assert.ok(known.has(metric), `${metric} in ${expr}`);
          assert.match(expr, /instance=~"\$instance"/);
        }
      });
    });
  }

  test('show every metric of the catalogue, but for those with a reason', () => {
    const asked = new Set(boardQueries(60).flatMap(({ expr }) => metricsIn(expr)));
    assert.deepEqual(
      [...known].filter((metric) => !asked.has(metric)),
      Object.keys(NOT_SHOWN),
    );
  });
});

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** Where the declarations of @grafana/schema are, or null without it. */
function schemaDirectory(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve('@grafana/schema/package.json');
    return join(dirname(entry), 'dist/types');
  } catch {
    return null;
  }
}

/**
 * Has the compiler hold the boards against Grafana's own types, made from the schema that Grafana itself is made from:
 * the dashboard and its panels, and what panels of each type take as options. Returns what it says.
 */
function typeErrors(schema: string, named: readonly (readonly [string, Board])[]): string[] {
  const path = join(schema, 'boards-under-test.ts');
  const text = typeProgram(named);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ESNext,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ESNext)
      : getSourceFile.call(host, name, ...rest);
  host.fileExists = (name) => name === path || fileExists.call(host, name);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** `Json` turns what JSON cannot hold, members of enumerations, into their values. */
function typeProgram(named: readonly (readonly [string, Board])[]): string {
  const imports = Object.values(PANEL_SCHEMAS).map(
    (module) => `import type * as ${module} from './raw/composable/${module}/panelcfg/x/types.gen';`,
  );
  const checks = named.flatMap(([, board]) => {
    const { panels, ...rest } = board;
    const frame = { ...rest, annotations: { list: board.annotations.list.map(withoutPrometheus) } };
    return [
      `(${JSON.stringify(frame)}) satisfies Json<Omit<Dashboard, 'panels'>>;`,
      ...panels.flatMap((panel) => panelChecks(panel)),
    ];
  });
  return [
    `import type { Dashboard, Panel, RowPanel } from './raw/dashboard/x/types.gen';`,
    ...imports,
    'type Json<T> = unknown extends T ? T : T extends string ? `$' + '{T}` : T extends number ? Numeric<T>',
    '  : T extends object ? { [K in keyof T]: Json<T[K]> } : T;',
    'type Numeric<T extends number> = number extends T ? number : `$' +
      '{T}` extends `$' +
      '{infer N extends number}` ? N : T;',
    ...checks,
  ].join('\n');
}

/** What an annotation says to its data source is the business of the plugin, not of the schema of boards. */
function withoutPrometheus(annotation: object): object {
  const words = ['expr', 'step', 'titleFormat', 'textFormat'];
  return Object.fromEntries(Object.entries(annotation).filter(([key]) => !words.includes(key)));
}

function panelChecks(panel: Panel): string[] {
  if (panel.type === 'row') return [`(${JSON.stringify(panel)}) satisfies Json<RowPanel>;`];
  const schema = PANEL_SCHEMAS[panel.type];
  if (schema === undefined) return [`const unknownPanel: '${panel.type}' = 'no schema';`];
  const checks = [
    `(${JSON.stringify(panel)}) satisfies Json<Panel>;`,
    `(${JSON.stringify(panel.options)}) satisfies Json<Partial<${schema}.Options>>;`,
  ];
  const custom = panel.fieldConfig?.defaults.custom;
  if (custom === undefined) return checks;
  return [...checks, `(${JSON.stringify(custom)}) satisfies Json<Partial<${schema}.FieldConfig>>;`];
}
