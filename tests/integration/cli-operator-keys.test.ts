// What an operator is told about keys and keyrings: what is missing, now or in a coming week, and what mends it.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { publishMix, type MixState } from '../../redis/state.ts';
import { OPEN, OperatorStand, WELL } from '../support/operator-stand.ts';

let stand: OperatorStand;
let admin: Redis;
beforeAll(async () => {
  stand = await OperatorStand.start();
  ({ admin } = stand);
});
afterAll(() => stand.stop());
beforeEach(() => stand.reset());

describe('keys and keyrings', () => {
  test.each<[string, Partial<MixState>, string, string]>([
    [
      "next week's key",
      { warnings: 'next-key:key-unreadable:14' },
      'KEY_NEXT',
      'cannot use its key for a coming keyring (key-unreadable:14)',
    ],
    [
      "a file of next week's key, with the command that mends it",
      { warnings: 'next-key:key-mode:14:week-2026-11-30.txt' },
      'KEY_NEXT',
      'in state/worker/identities run: chown --reference=. week-2026-11-30.txt && chmod 600 week-2026-11-30.txt',
    ],
    [
      'a key that is missing now',
      { paused: 'key-missing:12' },
      'MIX_PAUSED',
      'make new ones: support-relay worker keys --out state/worker/identities --anew; and have the administrator run: ',
    ],
    ['a file that holds no key', { warnings: 'key-file:format:old.txt' }, 'KEY_FILE', 'cannot be used (format:old.txt)'],
    [
      'a file in the worker’s folder of keyrings',
      { keyringFiles: 'keyring-14.json:ENOENT unprintable:KEYRING_COPY' },
      'KEYRING_FILES',
      "files in the worker's folder of keyrings are passed over (keyring-14.json: ENOENT, unprintable: KEYRING_COPY)",
    ],
  ])('%s needs attention', async (_what, more, attention, what) => {
    await publishMix(admin, { ...WELL, ...more });
    const found = await stand.status();
    expect(found.code).toBe(EXIT.attention);
    expect(found.status.attention.map(({ code }) => code)).toEqual([attention]);
    expect((await stand.operator(['status'])).text).toContain(what);
  });

  test('a file that a relay passes over needs attention', async () => {
    stand.condition = { ...OPEN, passedOver: [{ file: 'keyring-14.json', code: 'FILE_LINK' }] };
    const { attention } = (await stand.status()).status;
    expect(attention).toMatchObject([
      { code: 'KEYRING_FILES', what: "files in the relay's folder of keyrings are passed over (keyring-14.json: FILE_LINK)" },
    ]);
  });

  test('what will be missing is said four weeks, two weeks and a week before, and needs no attention yet', async () => {
    const DAY_MS = 24 * 3_600_000;
    const noticesAt = async (days: number): Promise<(string | number | null)[][]> => {
      const keyringUntil = new Date(Date.now() + days * DAY_MS).toISOString();
      await publishMix(admin, { ...WELL, keyringUntil, warnings: 'team-leaves:15' });
      const found = await stand.status();
      expect(found.code).toBe(EXIT.ok);
      return found.status.notices.map((notice) => [notice.code, notice.days]);
    };
    const leaves = ['TEAM_LEAVES', null];
    expect(await noticesAt(29)).toEqual([leaves]);
    expect(await noticesAt(27)).toEqual([['KEYRINGS_END', 28], leaves]);
    expect(await noticesAt(13)).toEqual([['KEYRINGS_END', 14], leaves]);
    expect(await noticesAt(6)).toEqual([['KEYRINGS_END', 7], leaves]);
    expect((await stand.operator(['status'])).text).toMatch(
      /^ahead {5}the last keyring ends within a week, at .*support-relay worker keys/m,
    );
    // From then on it needs attention.
    await publishMix(admin, { ...WELL, keyring: 'expiring', keyringUntil: new Date(Date.now() + DAY_MS).toISOString() });
    expect((await stand.status()).status.notices).toEqual([]);
  });
});
