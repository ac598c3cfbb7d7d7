// `node scripts/element-ids.mjs`: writes the ids of the templates as a type, so that a script that uses any other id does not
// compile. tests/unit/element-ids.test.ts fails when this must be run again.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TEMPLATES = new URL('../web/templates/', import.meta.url);
export const FILE = new URL('../web/page/element-ids.ts', import.meta.url);

export function elementIds() {
  const pages = readdirSync(TEMPLATES)
    .filter((name) => name.endsWith('.html'))
    .map((name) => readFileSync(new URL(name, TEMPLATES), 'utf8'));
  const ids = [...new Set(pages.flatMap((page) => [...page.matchAll(/\sid="([\w-]+)"/g)].map(([, id]) => id)))].sort();
  return `// Made by scripts/element-ids.mjs of the templates.\nexport type TemplateId =\n${ids.map((id) => `  | '${id}'`).join('\n')};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, elementIds());
