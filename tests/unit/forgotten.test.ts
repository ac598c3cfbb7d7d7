// What a new language or kind of inbox also needs, and nothing else would miss.
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { inboxesSchema } from '../../worker/inboxes/kinds.ts';

it("every language's list of words is tested", async () => {
  const tested = [...(await readFile('tests/unit/words.test.ts', 'utf8')).matchAll(/\bname: '([a-z]+)'/g)].map(([, name]) => name);
  expect(tested.toSorted()).toEqual((await readdir('locales')).toSorted());
});

it('operations.md names every kind of inbox, and no other', async () => {
  const [, row = ''] = /^\| `kind` \| each \| (.*) \|$/m.exec(await readFile('docs/operations.md', 'utf8')) ?? [];
  const kinds = inboxesSchema.element.options.map(({ shape }) => shape.kind.value);
  expect([...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name).toSorted()).toEqual(kinds.toSorted());
});
