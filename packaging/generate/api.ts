/**
 * docs/api.md: every endpoint with what it takes and answers, made from the routes in the source and from the types of
 * requests and reports with their comments. Only what a path is for stands here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { wrap } from './warnings.ts';

const SOURCE = join(import.meta.dirname, '../../src');
const ROUTES = ['http/control-server.ts', 'http/metrics-server.ts'];
/** Where a type is looked for, in this order. */
const TYPES = [
  'http/control.ts',
  'senders/report.ts',
  'config/plan.ts',
  'core/component.ts',
  'core/event.ts',
  'core/warning/entry.ts',
  'core/address/address.ts',
];

const HEAD = `# The API

Made from the routes and types in src/http, as a test checks; change them, not this file.

The daemon answers on its control socket, \`/run/bailiff/bailiff.sock\`, to root and the group \`bailiff\`, who may do
everything:

    curl -s --unix-socket /run/bailiff/bailiff.sock http://bailiff/v1/status

Bodies are JSON. Instants are RFC 3339 in UTC, and \`forever\` where an end never comes. An unknown parameter is refused,
so that a misspelt one never means everything. \`/metrics\`, \`/healthz\` and \`/readyz\` are served on the addresses of
\`[metrics] listen\` instead, and nothing else is there. [Following the bans](following-bans.md) is how to keep a copy.

Whatever is no success is answered as \`application/problem+json\` (RFC 9457), see [ProblemReport](#problemreport). Every
endpoint may answer 400 \`bad-request\`, 404 \`no-such-route\`, 405 \`no-such-method\`, 413 and 415 \`bad-request\`, 500 \`bug\`, and
503 with the code of what does not work.
`;

type About = { readonly text: string; readonly answer?: string; readonly problems?: string };

const NO_JAIL = '404 `no-such-jail`';
const BAD_ADDRESS = '400 `bad-address`';

const ABOUT: Readonly<Record<string, About>> = {
  'GET /v1/ping': { text: 'Whether it answers.', answer: 'PingReport' },
  'GET /v1/version': { text: 'The version of the daemon, as `version`.' },
  'GET /v1/status': { text: 'How the daemon is, as `bailiff status` shows it.', answer: 'StatusReport' },
  'GET /v1/warnings': { text: 'What is wrong: see [warnings.md](warnings.md).', answer: 'WarningsReport' },
  'GET /v1/jails/:name': { text: 'One jail and its bans.', answer: 'JailStatusReport', problems: NO_JAIL },
  'GET /v1/addresses/*': {
    text: 'All that concerns an address or network. A slash may be sent as it is.',
    answer: 'AddressReport',
    problems: `${BAD_ADDRESS}, ${NO_JAIL}`,
  },
  'GET /v1/senders': { text: 'Who sends syslog, and who was refused.', answer: 'SendersReport' },
  'POST /v1/reload': {
    text: 'Reads the configuration again; `applied` says whether it is in force.',
    answer: 'ReloadReport',
  },
  'GET /v1/bans': {
    text: 'The bans in force, those of `jail` only; with `since`, a position, what has changed after it: a BanNewsReport.',
    answer: 'BanListReport',
    problems: `${NO_JAIL}, 400 \`bad-position\``,
  },
  'POST /v1/bans': {
    text: 'Bans, and answers when the kernel has it. The body is a [BanRequest](#banrequest).',
    answer: 'BanReport',
    problems: `${BAD_ADDRESS}, 400 \`bad-duration\`, ${NO_JAIL}, 409 \`ignore\`, \`protected\` or \`unbannable\``,
  },
  'DELETE /v1/bans': {
    text: 'Lifts the bans of `address`, or with `all=true` every ban; of `jail` only where it is named.',
    answer: 'LiftReport',
    problems: `400 \`nobody-named\`, ${BAD_ADDRESS}, ${NO_JAIL}, 409 \`held-by-network\``,
  },
  'DELETE /v1/bans/*': {
    text: 'Lifts the bans of the address or network. That nobody was banned is a success.',
    answer: 'LiftReport',
    problems: `${BAD_ADDRESS}, ${NO_JAIL}, 409 \`held-by-network\``,
  },
  'GET /v1/events': {
    text: 'A stream of server-sent events, of the `kinds` that are named with commas between, after the position `since`.',
    answer: 'BanChangeReport',
    problems: '400 `bad-kind`, 400 `bad-position`, 503 `event-listeners`',
  },
  'GET /metrics': {
    text: 'Metrics for Prometheus: see [metrics.md](metrics.md).',
    problems: '401 `unauthorized`',
  },
  'GET /healthz': { text: 'Whether the process answers: `{"status": "ok"}`.' },
  'GET /readyz': {
    text: 'Whether it is `ready`, with the health of its `components`; 503 with the same body where it is not.',
    problems: '401 `unauthorized`',
  },
};

/** Types that no endpoint names, and those that answers mention. */
const FURTHER = ['ProblemReport', 'BanRequest', 'BanNewsReport'];

/** The whole page. Throws for a route that nothing is said of, and the other way round. */
export function apiPage(): string {
  const routes = ROUTES.flatMap((file) => routesOf(parse(file)));
  const unknown = Object.keys(ABOUT).filter((name) => !routes.some((route) => route.name === name));
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}`);
  const types = new Map(TYPES.flatMap((file) => typesOf(parse(file))));
  const wanted = [...FURTHER, ...routes.flatMap(({ name }) => ABOUT[name]?.answer ?? [])];
  return [
    HEAD,
    '## Endpoints\n',
    ...routes.map(describeRoute),
    '## Types\n',
    ...describeTypes(wanted, types),
  ].join('\n');
}

type Route = { readonly name: string; readonly parameters: readonly string[] };

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(SOURCE, file), 'utf8'), ts.ScriptTarget.Latest, true);
}

/** `app.get('/v1/bans', { schema: { querystring: BANS_QUERY } }, ...)`, and the words of that shape. */
function routesOf(source: ts.SourceFile): readonly Route[] {
  const constants = constantsOf(source);
  const routes: Route[] = [];
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    const [method, path] = ts.isCallExpression(node) ? calledRoute(node, source, constants) : [];
    if (method === undefined || path === undefined) return;
    const options = (node as ts.CallExpression).arguments.slice(1, -1).map((one) => one.getText(source));
    const query = /querystring: (\w+)/.exec(options.join())?.[1];
    const words = /words: \{(.*?)\}/s.exec(constants.get(query ?? '')?.getText(source) ?? '')?.[1] ?? '';
    routes.push({
      name: `${method} ${path}`,
      parameters: [...words.matchAll(/(\w+):/g)].map(([, word = '']) => word),
    });
  };
  visit(source);
  return routes;
}

function calledRoute(
  call: ts.CallExpression,
  source: ts.SourceFile,
  constants: ReadonlyMap<string, ts.Expression>,
): readonly string[] {
  const method = /^app\.(get|post|delete)$/.exec(call.expression.getText(source))?.[1];
  const [first] = call.arguments;
  const named = first !== undefined && ts.isIdentifier(first) ? constants.get(first.text) : first;
  return method === undefined || named === undefined || !ts.isStringLiteral(named)
    ? []
    : [method.toUpperCase(), named.text];
}

function constantsOf(source: ts.SourceFile): ReadonlyMap<string, ts.Expression> {
  const declared = source.statements
    .filter(ts.isVariableStatement)
    .flatMap((one) => one.declarationList.declarations);
  return new Map(
    declared.flatMap((one) => (one.initializer ? [[one.name.getText(source), one.initializer]] : [])),
  );
}

function typesOf(source: ts.SourceFile): readonly (readonly [string, ts.TypeAliasDeclaration])[] {
  return source.statements.filter(ts.isTypeAliasDeclaration).map((one) => [one.name.text, one]);
}

function describeRoute({ name, parameters }: Route): string {
  const about = ABOUT[name];
  if (about === undefined) throw new Error(`nothing is said of ${name}`);
  const facts = [
    about.text,
    parameters.length === 0 ? '' : `Parameters: ${parameters.map((one) => `\`${one}\``).join(', ')}.`,
    about.answer === undefined ? '' : `Answer: [${about.answer}](#${about.answer.toLowerCase()}).`,
    about.problems === undefined ? '' : `Problems: ${about.problems}.`,
  ];
  return `### ${name}\n\n${wrap(facts.filter((fact) => fact !== '').join(' '))}\n`;
}

/** Those wanted and whatever they mention, each once, in the order in which they are met. */
function describeTypes(
  wanted: readonly string[],
  types: ReadonlyMap<string, ts.TypeAliasDeclaration>,
): string[] {
  const names = new Set(wanted);
  const sections: string[] = [];
  for (const name of names) {
    const declaration = types.get(name);
    if (declaration === undefined) throw new Error(`there is no type ${name}`);
    const text = declaration.type.getText();
    for (const [word] of text.matchAll(/\b[A-Z]\w+\b/g)) if (types.has(word)) names.add(word);
    sections.push(describeType(name, declaration));
  }
  return sections;
}

function describeType(name: string, declaration: ts.TypeAliasDeclaration): string {
  const parts: readonly ts.TypeNode[] = ts.isIntersectionTypeNode(declaration.type)
    ? declaration.type.types
    : [declaration.type];
  const whole = parts
    .filter((part) => !ts.isTypeLiteralNode(part))
    .map((part) => `\`${oneLine(part.getText())}\``);
  const members = parts
    .filter(ts.isTypeLiteralNode)
    .flatMap((part) => part.members.filter(ts.isPropertySignature));
  const rows = members.map((member) => {
    const optional = member.questionToken === undefined ? '' : ' (may be absent)';
    const type = oneLine(member.type?.getText() ?? '').replaceAll('|', '\\|');
    return `| \`${member.name.getText()}\` | \`${type}\`${optional} | ${commentOf(member)} |`;
  });
  const table = rows.length === 0 ? [] : [`| field | type | |\n| --- | --- | --- |\n${rows.join('\n')}`];
  const about = commentOf(declaration);
  const base =
    whole.length === 0 ? [] : [rows.length === 0 ? whole.join(' & ') : `All of ${whole.join(' and ')}, and:`];
  return `### ${name}\n\n${[...(about === '' ? [] : [wrap(about)]), ...base, ...table].join('\n\n')}\n`;
}

function commentOf(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .flatMap((one) => (typeof one.comment === 'string' ? [oneLine(one.comment)] : []))
    .join(' ');
}

function oneLine(text: string): string {
  return text
    .replaceAll(/\/\*\*.*?\*\//gs, '')
    .replaceAll('readonly ', '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^\| /, '');
}
