// Every term of the protocol stands in the glossary, beside the field's word for it.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const architecture = await readFile('docs/architecture.md', 'utf8');
const protocol = await readFile('docs/protocol.md', 'utf8');
const [glossary = ''] = (architecture.split('\n## Glossary\n')[1] ?? '').split('\n## ');
const rows = glossary.split('\n').filter((line) => line.startsWith('| **'));
const termsOf = (row: string): string[] => [...(row.split('|')[1] ?? '').matchAll(/\*\*([^*]+)\*\*/g)].map(([, term]) => term ?? '');

/** In bold, but a rule, a length or a heading of a paragraph. */
const NO_TERMS = [
  ...['A letter is known again', 'Anything else', 'Half a surrogate pair', 'Items', 'Numbers', 'The team that a volunteer answers for'],
  ...['age v1 file', 'all', 'before', 'cover', 'length in characters'],
];
const bold = [...protocol.matchAll(/\*\*([^*]+)\*\*/g)].map(([, term]) => term ?? '');
const terms = bold.filter((term) => !/^[\d,]+$/.test(term) && !NO_TERMS.includes(term)).map(normal);
const sections = [...protocol.matchAll(/^## (.+)$/gm)].map(([, title]) => normal(title ?? ''));
/** Not what the section is about, but what it tells. */
const NO_SECTIONS = ['sealing', 'what an inbox get', 'error code'];

function normal(term: string): string {
  return term
    .toLowerCase()
    .replace(/^the /, '')
    .replace(/([^s])s$/, '$1');
}

it('has every term that the protocol defines', () => {
  const known = new Set(rows.flatMap(termsOf).map(normal));
  const needed = new Set([...terms, ...sections.filter((title) => !NO_SECTIONS.includes(title))]);
  expect(needed.size).toBeGreaterThan(25);
  expect([...needed].filter((term) => !known.has(term))).toEqual([]);
});

it('names each term once, in the order of the alphabet, with what it is and the word of the field', () => {
  const first = rows.map((row) => termsOf(row)[0] ?? '');
  expect(first).toEqual([...new Set(first)].toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
  expect(rows.filter((row) => !/^\| [^|]+ \| [^|]{5,} \| [^|]{3,} \|$/.test(row))).toEqual([]);
});
