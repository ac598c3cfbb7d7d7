// A browser that translates pages sends their text away, bypassing the page's policy: what people write must be excluded.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const TEMPLATES = fileURLToPath(new URL('../../web/templates/', import.meta.url));
const TYPED = /<(?:textarea|input)\b[^>]*>/g;

it('every field that people write in, and every place that shows what they wrote, is excluded from translation', async () => {
  const pages = (await readdir(TEMPLATES)).filter((name) => name.endsWith('.html') && name !== 'desk.html');
  const seen: string[] = [];
  for (const name of pages) {
    const page = await readFile(join(TEMPLATES, name), 'utf8');
    const fields = [...page.matchAll(TYPED)].map(([tag]) => tag).filter((tag) => !/type="(?:checkbox|radio)"/.test(tag));
    for (const tag of [...fields, ...(page.match(/<p class="text"[^>]*>/g) ?? [])]) {
      seen.push(tag);
      expect(tag, name).toContain('translate="no"');
    }
  }
  expect(seen.length).toBeGreaterThan(6);
});

it('the whole desk is excluded from translation', async () => {
  const desk = await readFile(join(TEMPLATES, 'desk.html'), 'utf8');
  expect(desk).toMatch(/<html [^>]*translate="no"/);
  expect(desk).toContain('<meta name="google" content="notranslate">');
});
