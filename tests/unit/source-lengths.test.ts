// Lint bounds the lengths of TypeScript and JavaScript. The same bounds hold for the sources that it cannot read.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../runtime/root.ts';

const KINDS = ['*.lua', '*.html', '*.css', '*.sh', '*.c', '*.yml', '*.conf', 'Dockerfile'];
const NOT_OURS = [':!tests/cases', ':!tests/vectors'];
const sources = execFileSync('git', ['ls-files', ...KINDS, ...NOT_OURS], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n');
const linesOf = (file: string): string[] => readFileSync(join(ROOT, file), 'utf8').split('\n');

/** Name and number of lines of each function: from its first line to the `end` with the same indentation. */
function luaFunctions(lines: readonly string[]): { name: string; length: number }[] {
  return lines.flatMap((line, first) => {
    const [, indentation = '', name = ''] = /^( *)local function (\w+)/.exec(line) ?? [];
    if (name === '' || / end$/.test(line)) return [];
    const last = lines.findIndex((other, at) => at > first && other === `${indentation}end`);
    return [{ name, length: last - first + 1 }];
  });
}

test('files have at most 300 lines, and lines 140 characters', () => {
  expect(sources.length).toBeGreaterThan(25);
  const long = sources.flatMap((file) => {
    const lines = linesOf(file);
    const rows = lines.flatMap((line, at) => (line.length > 140 ? [`${file}:${String(at + 1)}`] : []));
    return lines.length > 301 ? [file, ...rows] : rows;
  });
  expect(long).toEqual([]);
});

test('functions in Lua have at most 50 lines', () => {
  const functions = sources.filter((file) => file.endsWith('.lua')).flatMap((file) => luaFunctions(linesOf(file)));
  expect(functions.map(({ name }) => name)).toContain('putBack');
  expect(functions.filter(({ length }) => length < 2 || length > 50)).toEqual([]);
});
