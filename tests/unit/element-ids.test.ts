import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { elementIds, FILE } from '../../scripts/element-ids.mjs';

it('the ids that scripts may name match the templates; if not, run `node scripts/element-ids.mjs`', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(elementIds());
});
