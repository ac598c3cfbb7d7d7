// Import rules, read from the table "Folders" of docs/architecture.md, so that lint checks exactly what is documented.
import { readFileSync } from 'node:fs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
/** Other packages are not installed, and cannot be imported. */
const { dependencies, devDependencies } = JSON.parse(read('../package.json'));
const PACKAGES = Object.keys({ ...dependencies, ...devDependencies });
const NODE = 'node:';

/** Folder -> what it may import: folders (ending with `/`), packages, `node:`. Throws when the document has no such table. */
export function readLayers(document = read('../docs/architecture.md')) {
  const [, section = ''] = document.split('\n## Folders\n');
  const rows = section
    .split('\n## ')[0]
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  if (rows.length === 0) throw new Error('docs/architecture.md has no table of folders');
  return new Map(
    rows.map((row) => {
      const [, folder, , allowed] = row.split('|').map((cell) => cell.trim());
      return [unquoted(folder), allowed === 'nothing' ? [] : allowed.split(', ').map(unquoted)];
    }),
  );
}

/** Folder -> `patterns` for no-restricted-imports. */
export function restrictions(layers = readLayers()) {
  const folders = [...layers.keys()];
  return new Map(
    [...layers].map(([folder, allowed]) => {
      const unknown = allowed.filter((name) => name.endsWith('/') && !layers.has(name));
      if (unknown.length > 0)
        throw new Error(`docs/architecture.md: ${folder} may import ${unknown.join()}, which is not a folder of the table`);
      const others = folders.filter((name) => name !== folder && !allowed.includes(name)).flatMap((name) => spellings(folder, name));
      const packages = PACKAGES.filter((name) => !allowed.includes(name)).map(escaped);
      const message = `${folder} may not import that: docs/architecture.md, Folders.`;
      return [
        folder,
        [
          { regex: `^(?:\\.\\./)+(?:${others.join('|')})`, message },
          { regex: `^(?:${packages.join('|')})(?:/|$)`, message },
          ...(allowed.includes(NODE) ? [] : [{ regex: '^node:', message }]),
        ],
      ];
    }),
  );
}

const unquoted = (name) => {
  const [, inner] = /^`([\w@/:.-]+)`$/.exec(name) ?? [];
  if (inner === undefined) throw new Error(`docs/architecture.md, Folders: expected a name in backquotes, not ${name}`);
  return inner;
};
const escaped = (name) => name.replace(/[.]/g, '\\.');

/** How imports spell a folder: `../build/` from its siblings, `../../web/build/` from everywhere else. */
function spellings(from, to) {
  const [parent, child] = to.split(/(?<=\/)(?=.)/);
  return child !== undefined && from.startsWith(parent) ? [escaped(to), escaped(child)] : [escaped(to)];
}
