import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ALARMING_DROPS, DROP_REASONS } from '../../redis/drops.ts';

describe('the reasons for dropping a parcel', () => {
  it('are described for operators, each in one row, with no others', async () => {
    const [, table = ''] = (await readFile('docs/operations.md', 'utf8')).split('| dropped | what it was | what to do |\n|---|---|---|\n');
    const rows = (table.split('\n\n')[0] ?? '').split('\n').map((row) => row.split(' | ')[0] ?? '');
    const described = rows.flatMap((names) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
    expect(described.toSorted(), 'in docs/operations.md, and in redis/drops.ts').toEqual(Object.keys(DROP_REASONS).toSorted());
  });

  it('are each decided where the table says: the script counts its own by name, the worker names the rest', async () => {
    const script = await readFile('worker/lua/commit.lua', 'utf8');
    const counted = [...script.matchAll(/countDrop\('([^']+)'\)/g)].map(([, name]) => name ?? '');
    const sources = (await readdir('worker')).filter((name) => name.endsWith('.ts'));
    const worker = (await Promise.all(sources.map((name) => readFile(`worker/${name}`, 'utf8')))).join('\n');
    const given = [...worker.matchAll(/\breason: [^,}\n]+/g)].join('\n');
    const named = [...given.matchAll(/'([a-z-]+)'/g)].map(([, name]) => name ?? '');
    const decidedBy = (who: string): string[] =>
      Object.entries(DROP_REASONS)
        .filter(([, { by }]) => by === who)
        .map(([reason]) => reason);
    expect(counted.toSorted(), 'by the script, and by redis/drops.ts').toEqual(decidedBy('script').toSorted());
    expect(
      decidedBy('worker').filter((reason) => !named.includes(reason)),
      'given by no file of worker/',
    ).toEqual([]);
  });

  it('that may mean a lost request are reported to operators', () => {
    expect(ALARMING_DROPS).toEqual(['damaged', 'unopenable', 'error']);
  });
});
