/** The manners of the house as functions of one file's name and text; each returns what is wrong with it. */
import ts from 'typescript';
import { LAYERS, PURE_LAYERS } from './import-rules.ts';

/** `path` is relative to the project, such as `src/core/time.ts`. */
export type SourceFile = { readonly path: string; readonly text: string };
/** `path:line: what is wrong`. */
export type TidyProblem = string;
export type TidyRule = (file: SourceFile) => TidyProblem[];

export const MAX_COLUMNS = 120;
export const MAX_LINES = 400;

const layers = LAYERS.flat();
const layer = (path: string) => /^(?:src|test)\/([^/]+)\//.exec(path)?.[1] ?? '';

/** Words for work that was left undone; spelled so that this file has none of them. */
const LEFT_UNDONE = /\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK)\b/;

/** A file that is too long to read holds more than one noun. Tables of test cases may be longer. */
export const fileLength: TidyRule = ({ path, text }) => {
  const lines = text.split('\n').length - 1;
  return path.startsWith('src/') && lines > MAX_LINES
    ? [`${path}:${lines}: more than ${MAX_LINES} lines`]
    : [];
};

/** No line is wider than a screen beside another. Quoted text, which a search should find whole, and links are free. */
export const lineLength: TidyRule = (file) =>
  eachLine(file, (line) => {
    const counted = withoutQuotes(line);
    const columns = [...counted.replace(/https?:\/\/\S+/, '')].length;
    return columns > MAX_COLUMNS ? `${columns} columns, of ${MAX_COLUMNS}` : null;
  });

export const nothingLeftUndone: TidyRule = (file) =>
  eachLine(file, (line) => {
    const found = LEFT_UNDONE.exec(line);
    return found === null ? null : `${found[0]}: do it, or open an issue`;
  });

/** Every file begins with what it is for, after the line that names its interpreter. */
export const purposeComment: TidyRule = ({ path, text }) =>
  path.startsWith('src/') && !/^(?:#!.*\n)?\/\*\*[\s*]+[^\s*/]/.test(text)
    ? [`${path}:1: does not begin with a comment that says what it is for`]
    : [];

/** Everything below src/ but the entry is in a layer that is known. */
export const knownLayer: TidyRule = ({ path }) =>
  !path.startsWith('src/') || path === 'src/main.ts' || layers.includes(layer(path))
    ? []
    : [`${path}:1: is in no layer of the house`];

/** Names that read a clock, arm a timer, draw a random number or touch the process. */
const IMPURE = new Set([
  'process',
  'performance',
  'console',
  'fetch',
  'crypto',
  'globalThis',
  'require',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
]);

/** In pure layers time is an argument, and so is everything else that is not computed. */
export const purity: TidyRule = ({ path, text }) => {
  if (!path.startsWith('src/') || !PURE_LAYERS.includes(layer(path))) return [];
  return findNodes(path, text, (node) => {
    if (ts.isIdentifier(node) && IMPURE.has(node.text) && !isName(node))
      return `${node.text} in a pure layer`;
    if (ts.isPropertyAccessExpression(node)) {
      const access = `${node.expression.getText()}.${node.name.text}`;
      if (access === 'Date.now' || access === 'Math.random') return `${access} in a pure layer`;
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) {
      return 'new Date() in a pure layer';
    }
    return null;
  });
};

/** Where the machine's clocks are read; everybody else is handed one, which a test can hold. */
const CLOCKS = 'src/native/machine-clocks.ts';

const CLOCK_READINGS =
  /^(?:(?:globalThis\.)?(?:Date\.now|performance\.(?:now|timeOrigin))|process\.(?:hrtime|uptime))$/;

/** One place reads the machine's clocks. */
export const oneClock: TidyRule = ({ path, text }) => {
  if (!path.startsWith('src/') || path === CLOCKS) return [];
  return findNodes(path, text, (node) => {
    if (ts.isPropertyAccessExpression(node) && CLOCK_READINGS.test(node.getText()))
      return `${node.getText()} outside ${CLOCKS}`;
    if (ts.isImportDeclaration(node) && /['"]node:perf_hooks['"]/.test(node.moduleSpecifier.getText()))
      return `node:perf_hooks outside ${CLOCKS}`;
    const isDate =
      (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'Date';
    return isDate && !node.arguments?.length ? `${node.getText()} outside ${CLOCKS}` : null;
  });
};

/** A daemon that could end anywhere could end before its state is saved. */
export const oneExit: TidyRule = ({ path, text }) => {
  if (!path.startsWith('src/') || path === 'src/main.ts') return [];
  return findNodes(path, text, (node) =>
    ts.isPropertyAccessExpression(node) && /^process\.(?:exit|reallyExit|abort)$/.test(node.getText())
      ? `${node.getText()} outside main.ts`
      : null,
  );
};

/** A file says what it is by what it holds, not by handing on what others hold. */
export const noBarrels: TidyRule = ({ path, text }) =>
  findNodes(path, text, (node) =>
    ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined
      ? 'exports what another file holds'
      : null,
  );

/** Paths of one machine. `directories` are those that this checkout happens to be in. */
export function noMachinePaths(directories: readonly string[]): TidyRule {
  return (file) =>
    eachLine(file, (line) => {
      const found = directories.find((directory) =>
        new RegExp(`(?<![\\w.-])${literal(directory)}(?![\\w-])`).test(line),
      );
      return found === undefined ? null : `${found} is a path of this machine`;
    });
}

/** `test/core/time.test.ts` and `test/core/time.clock.test.ts` are tests of `src/core/time.ts`. */
export function mirrored(sources: ReadonlySet<string>): TidyRule {
  return ({ path }) => {
    if (!path.endsWith('.test.ts') || !layers.includes(layer(path))) return [];
    const source = path.replace(/^test\//, 'src/').replace(/([^/.]+)[^/]*\.test\.ts$/, '$1');
    const found = [`${source}.ts`, `${source}.worker.ts`].some((name) => sources.has(name));
    return found ? [] : [`${path}:1: is a test of ${source}.ts, which is not there`];
  };
}

function eachLine(file: SourceFile, complaint: (line: string) => string | null): TidyProblem[] {
  return file.text.split('\n').flatMap((line, index) => {
    const what = complaint(line);
    return what === null ? [] : [`${file.path}:${index + 1}: ${what}`];
  });
}

function findNodes(path: string, text: string, complaint: (node: ts.Node) => string | null): TidyProblem[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const problems: TidyProblem[] = [];
  const visit = (node: ts.Node) => {
    const what = complaint(node);
    if (what !== null)
      problems.push(`${path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

/** Whether an identifier only names a property, a field or a key, so that it means nothing global. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isPropertySignature(parent) ||
      ts.isPropertyAssignment(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
      parent.name === node)
  );
}

function withoutQuotes(line: string): string {
  return line.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "''");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
