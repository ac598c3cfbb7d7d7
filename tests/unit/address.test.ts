import { expect, it } from 'vitest';
import { groupsOf } from '../../web/page/address.ts';

it('splits an onion address into groups that add up to it', () => {
  const host = 'abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx.onion';
  const groups = groupsOf(host);
  expect(groups).toEqual([
    'abcd',
    'efgh',
    'ijkl',
    'mnop',
    'qrst',
    'uvwx',
    'yz23',
    '4567',
    'abcd',
    'efgh',
    'ijkl',
    'mnop',
    'qrst',
    'uvwx',
    '.onion',
  ]);
  expect(groups.join('')).toBe(host);
});

it('leaves any other address in one piece', () => {
  expect(groupsOf('127.0.0.1:8080')).toEqual(['127.0.0.1:8080']);
});
