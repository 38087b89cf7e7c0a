/** docs/warnings.md: a section for each kind of warning, made from the catalogue. */

import { formatDuration } from '../../src/core/time.ts';
import { codesOfWarnings, kindOfWarning, type WarningCode } from '../../src/core/warning/catalogue.ts';

const HEAD = `# What can be wrong

Made from src/core/warning/, as a test checks; change the catalogue there, not this file.

What stands of it is shown first by \`bailiff status\`, whole by \`bailiff status --json\` and \`GET /v1/warnings\`, as
\`bailiff_warning{code,severity}\` to Prometheus, and the worst of it by \`systemctl status bailiff\`. In the journal:
\`journalctl -u bailiff BAILIFF_WARNING=CODE\`.

An **error** is a promise that is not kept, a **warning** one that soon will not be, a **hint** is worth a look.
`;

/** The whole page, in the order of the catalogue within each severity. */
export function warningsPage(): string {
  const sections = (['error', 'warning', 'hint'] as const).flatMap((severity) =>
    codesOfWarnings()
      .filter((code) => kindOfWarning(code).severity === severity)
      .map(section),
  );
  return `${HEAD}\n${sections.join('\n')}`;
}

function section(code: WarningCode): string {
  const { severity, title, explanation, holdFor, dependsOn } = kindOfWarning(code);
  const facts = [
    `${severity}: ${title}.`,
    holdFor === undefined ? '' : `Shown for ${formatDuration(holdFor)} after the last time.`,
    dependsOn === undefined
      ? ''
      : `Not shown while ${dependsOn.map((other) => `\`${other}\``).join(' or ')} stands.`,
  ];
  const text = [`**${facts[0]}**`, explanation, ...facts.slice(1)].filter((fact) => fact !== '').join(' ');
  return `## ${code}\n\n${wrap(text)}\n`;
}

/** Lines of at most 120 characters, as the other pages have. */
export function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > 120) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
