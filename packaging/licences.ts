/** The licences of what a package holds beside our own work: Node's, and those of bundled packages. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const LICENCE_FILE = /^(?:licen[cs]e|copying)(?:[.-].*)?$/i;

/** One text, in the order of the names of the packages. Throws when one of them brings no licence. */
export async function thirdPartyLicences(
  root: string,
  packages: readonly string[],
  nodePackage: string,
): Promise<string> {
  const parts = [part('Node.js', await licenceOf(nodePackage))];
  for (const name of packages) parts.push(part(name, await licenceOf(join(root, 'node_modules', name))));
  return parts.join('\n');
}

function part(name: string, text: string): string {
  return `${'='.repeat(80)}\n${name}\n${'='.repeat(80)}\n\n${text.trim()}\n`;
}

async function licenceOf(directory: string): Promise<string> {
  const file = (await readdir(directory)).sort().find((name) => LICENCE_FILE.test(name));
  if (file !== undefined) return (await readFile(join(directory, file), 'utf8')).replaceAll('\r', '');
  const { license, author } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
    readonly license?: string;
    readonly author?: unknown;
  };
  if (license === undefined) throw new Error(`${directory} says nothing about its licence`);
  return `${license}\n${typeof author === 'string' ? author : JSON.stringify(author ?? '')}`;
}
