import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ALARMING_DROPS, DROP_REASONS } from '../../redis/drops.ts';

describe('the reasons for dropping a parcel', () => {
  it('are described for operators, each in one row, and no other', async () => {
    const [, table = ''] = (await readFile('docs/operations.md', 'utf8')).split('| dropped | what it was | what to do |\n|---|---|---|\n');
    const rows = (table.split('\n\n')[0] ?? '').split('\n').map((row) => row.split(' | ')[0] ?? '');
    const described = rows.flatMap((names) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
    expect(described.toSorted()).toEqual(Object.keys(DROP_REASONS).toSorted());
  });

  it('that may mean a lost request are told to operators', () => {
    expect(ALARMING_DROPS).toEqual(['damaged', 'unopenable', 'error']);
  });
});
