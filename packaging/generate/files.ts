/** The pages of the files: bailiff.toml(5) and bailiff-filters(5). */
import { filterJsonSchema } from '../../src/config/filters/keys.ts';
import { configJsonSchema } from '../../src/config/schema/settings.ts';
import { ACCESS_FIELDS } from '../../src/match/access.ts';
import { literal, type Page, paragraph, type Term, terms } from './page.ts';
import {
  CONFIGURATION_EXAMPLE,
  CONFIGURATION_PROSE,
  FIELD_TYPES,
  FILES,
  FILTER_EXAMPLE,
  FILTER_PROSE,
  TEMPLATE_SYNTAX,
} from './prose.ts';
import { describeTables, type Schema } from './settings.ts';

export function configurationPage(): Page {
  return {
    name: 'bailiff.toml',
    section: 5,
    summary: 'configuration of bailiff',
    sections: [
      {
        title: 'Synopsis',
        blocks: [paragraph('/etc/bailiff/bailiff.toml'), paragraph('/etc/bailiff/conf.d/*.toml')],
      },
      { title: 'Description', blocks: CONFIGURATION_PROSE.map(paragraph) },
      { title: 'Keys', blocks: describeTables(configJsonSchema() as Schema) },
      { title: 'Files', blocks: [terms(FILES)] },
      { title: 'Examples', blocks: [literal(...CONFIGURATION_EXAMPLE)] },
      {
        title: 'See also',
        blocks: [
          paragraph(
            'bailiff(8), bailiff-check(8), bailiff-reload(8), bailiff-filters(5), nft(8), journald.conf(5)',
          ),
        ],
      },
    ],
  };
}

export function filtersPage(): Page {
  const types = Object.entries(FIELD_TYPES).map(([type, about]): Term => [`\`<${type}>\``, about]);
  return {
    name: 'bailiff-filters',
    section: 5,
    summary: 'filters of bailiff',
    sections: [
      {
        title: 'Synopsis',
        blocks: [
          paragraph('/etc/bailiff/filters/*NAME*.toml'),
          paragraph('/usr/share/bailiff/filters/*NAME*.toml'),
        ],
      },
      { title: 'Description', blocks: FILTER_PROSE.map(paragraph) },
      { title: 'Keys', blocks: describeTables(filterJsonSchema() as Schema) },
      {
        title: 'Templates',
        blocks: [
          terms(TEMPLATE_SYNTAX),
          paragraph(
            'Addresses are read strictly: four decimal octets without leading zeros, or RFC 4291. A mapped address is its ' +
              'IPv4 address, a zone is dropped. Who writes a field is a claim: call what a client can choose `<user>`, ' +
              '`<any>`, `<word>`, `<quoted>` or `<path>`.',
          ),
          terms(types),
        ],
      },
      {
        title: 'Access logs',
        blocks: [
          paragraph(
            `The fields of an \`access\` pattern are ${ACCESS_FIELDS.map((field) => `\`${field}\``).join(', ')}. The address ` +
              'is that of the client.',
          ),
        ],
      },
      { title: 'Examples', blocks: [literal(...FILTER_EXAMPLE)] },
      {
        title: 'See also',
        blocks: [
          paragraph(
            'bailiff(8), bailiff-test(8), bailiff-lint(8), bailiff-explain(8), bailiff-match(8), bailiff.toml(5)',
          ),
        ],
      },
    ],
  };
}
