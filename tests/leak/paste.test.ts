// Plain words forced into the field for sealed parcels are found nowhere afterwards.
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLocales } from '../../runtime/locales.ts';
import { startSearchable, type Deployment } from '../support/deployment.ts';
import { http } from '../support/http.ts';
import { filesIn, redisKeys, search, textNeedle } from './search.ts';

const random = randomBytes(8).toString('hex');
const WORDS = `Помогите ${random} canary-${random}`;
const needles = [textNeedle('words', `canary-${random}`), textNeedle('words in Russian', `Помогите ${random}`)];
const FORM = 'application/x-www-form-urlencoded';

let deployment: Deployment;
let admin: Redis;
beforeAll(async () => {
  ({ deployment, admin } = await startSearchable());
});
afterAll(async () => {
  admin.disconnect();
  await deployment.stop();
});

test('plaintext in the field is refused with a warning and is not in Redis, in any file, in the log or in an answer', async () => {
  const filler = (length: number): string => `${encodeURIComponent(WORDS)}.`.repeat(Math.ceil(length / 40)).slice(0, length);
  const bodies: readonly (readonly [string, string])[] = [
    [FORM, `parcel=${encodeURIComponent(WORDS)}`],
    [FORM, `parcel=${filler(32_768)}`],
    [FORM, `parcel=${filler(500_000)}`],
    [FORM, `message=${encodeURIComponent(WORDS)}`],
    ['text/plain', `parcel=${WORDS}`],
    ['multipart/form-data; boundary=x', `--x\r\nContent-Disposition: form-data; name="parcel"\r\n\r\n${WORDS}\r\n--x--\r\n`],
  ];
  const answers: Buffer[] = [];
  for (const [type, body] of bodies) {
    for (const path of ['paste', 'en/paste']) {
      const answer = await http(new URL(path, deployment.url).href, {
        method: 'POST',
        headers: { 'content-type': type },
        body: Buffer.from(body),
      });
      expect(answer.status).toBe(422);
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      answers.push(Buffer.from(answer.body), Buffer.from(JSON.stringify(answer.headers)));
    }
  }
  expect(search([{ name: 'an answer', chunks: answers }], needles)).toEqual([]);
  const told = readLocales('form').find(({ language }) => language === 'ru')?.texts['pasted.plaintext.title'];
  expect(Buffer.from(answers[0] ?? '').toString()).toContain(told ?? 'no such text');
  expect(search([...(await redisKeys(admin)), ...filesIn(deployment.dir)], needles)).toEqual([]);
  expect(await deployment.logs()).not.toContain(random);
  // Control: the search finds what is there.
  expect(search([{ name: 'what was sent', chunks: [Buffer.from(bodies[0]?.[1] ?? '')] }], needles)).toHaveLength(2);
});
