// The administrator is told by mail what a coming week lacks, where a mail server is configured for it.
import { readFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { publishMix } from '../../redis/state.ts';
import { log } from '../../runtime/log.ts';
import { AdministratorMail, administratorSchema } from '../../worker/administrator.ts';
import { oneRedis } from '../support/one-redis.ts';
import { WELL } from '../support/operator-stand.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';

const DAY_MS = 24 * 3_600_000;
const UNTIL = Date.parse('2030-01-14T00:00:00Z');

let client: Redis;
let server: TestSmtp;
let refusal: string | null;
const emptyRedis = oneRedis();

beforeEach(async () => {
  client = await (await emptyRedis()).connect('worker');
  refusal = null;
  server = await startSmtp({}, { data: () => refusal });
});
afterEach(() => server.stop());

/** A worker that has just started. */
async function tell(daysLeft: number, warnings = ''): Promise<void> {
  await publishMix(client, { ...WELL, keyringUntil: new Date(UNTIL).toISOString(), warnings });
  const at = { host: '127.0.0.1', port: server.port, tls: 'none', from: 'relay@example.org', to: 'admin@example.org' };
  await new AdministratorMail(client, administratorSchema.parse(at), null, () => new Date(UNTIL - daysLeft * DAY_MS)).run();
}

const texts = () => Promise.all(server.mails.map(async ({ raw }) => (await PostalMime.parse(raw)).text ?? ''));

it('once at each step before the keyrings end, in two languages, over restarts', async () => {
  for (const days of [40, 29, 28, 27.5, 20, 14, 13, 7, 6, 2, 1]) await tell(days);
  const said = await texts();
  expect(said.map((text) => /это (.*)\. Пора/.exec(text)?.[1])).toEqual([
    'меньше чем через четыре недели',
    'меньше чем через две недели',
    'меньше чем через неделю',
    'меньше чем через два дня',
  ]);
  expect(said[0]).toContain('Нынешние ключи действуют до 2030-01-14');
  expect(said[0]).toContain('The present keys end on 2030-01-14, in less than four weeks.');
  expect(server.mails[0]).toMatchObject({ from: 'relay@example.org', to: ['admin@example.org'], hello: '[127.0.0.1]' });
  const mail = await PostalMime.parse(server.mails[0]?.raw ?? '');
  expect([mail.subject, mail.date]).toEqual(['Reminder', '2029-12-17T00:00:00.000Z']);
});

it('once of each thing that is missing, without its name', async () => {
  const missing = 'next-key:key-missing:14';
  for (const warnings of ['outbox-filling:inbox-1', missing, missing, `${missing} team-leaves:15`, missing, '']) await tell(40, warnings);
  const said = await texts();
  expect(said).toHaveLength(2);
  for (const text of said) expect(text).toMatch(/чего-то не хватает[^]*Something is missing/);
  expect(said.join('')).not.toMatch(/key-missing|14|15|team/);
});

it('again at the next round when the server refuses, which is logged once', async () => {
  const logged = vi.spyOn(log, 'error');
  refusal = '451 4.3.0';
  const at = { host: '127.0.0.1', port: server.port, tls: 'none', from: 'relay@example.org', to: 'admin@example.org' };
  await publishMix(client, { ...WELL, keyringUntil: new Date(UNTIL).toISOString() });
  const mail = new AdministratorMail(client, administratorSchema.parse(at), null, () => new Date(UNTIL - DAY_MS));
  for (let times = 0; times < 2; times += 1) await mail.run();
  expect(logged.mock.calls).toEqual([['administrator not told', { code: 'EMESSAGE' }]]);
  logged.mockRestore();
  expect(server.mails).toHaveLength(0);
  refusal = null;
  await mail.run();
  expect(server.mails).toHaveLength(1);
});

it('is configured as the documents show it', async () => {
  const text = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const example = /## A reminder for the administrator[^]*?```json\n([^]*?)```/.exec(text)?.[1] ?? '';
  expect(administratorSchema.parse(JSON.parse(example))).toMatchObject({ subject: 'Reminder', greeting: '[127.0.0.1]' });
});

it('never over a network in the clear', () => {
  const at = { host: 'mail.example.org', port: 25, tls: 'none', from: 'relay@example.org', to: 'admin@example.org' };
  expect(administratorSchema.safeParse(at).error?.issues[0]?.message).toBe('"none" is allowed on loopback and to an onion only');
  expect(administratorSchema.safeParse({ ...at, tls: 'starttls', user: 'a' }).success).toBe(false);
  expect(administratorSchema.safeParse({ ...at, tls: 'starttls', team: 'a' }).success).toBe(false);
});
