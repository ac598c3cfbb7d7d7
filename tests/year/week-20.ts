// The week in which a laptop is seized, and what comes of it.
import { expect } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { readMailbox } from '../support/conversation.ts';
import { HOUR_MS, time, weekOf } from './calendar.ts';
import type { Entry } from './ledger.ts';
import { Seizure } from './seizure.ts';
import { between, FIRST_WITHOUT_MAPLE, OLDER_WEEKS, REVOKED, SEIZED, textsOf, weeksOf, type Story } from './story.ts';

/** To whoever wrote this the laptop answers. */
let answered: Entry;

/** It opens the letters whose weeks are still in the folder; the worker's keys and Redis' files, what is on its way. */
export async function laptopIsTaken(story: Story): Promise<void> {
  const { organisation, machine, life, ledger } = story;
  await machine.drain();
  for (const team of ['psych', 'legal'] as const) await life.writes(team);
  story.seizure = await Seizure.take(organisation.volunteer('Maple'), life, organisation.dir.path('seized'));
  organisation.volunteer('Maple').reads.until = SEIZED;
  await life.checkReaders();
  const before = between(story, 0, SEIZED - 1);

  const read = await story.seizure.opens(before);
  const shouldRead = before.filter((entry) => entry.letter !== null && ledger.readersOf(entry).includes('Maple'));
  expect(textsOf(read)).toEqual(textsOf(shouldRead.filter(({ acceptedAt }) => weekOf(acceptedAt) >= 20 - OLDER_WEEKS)));
  expect(weeksOf(read)).toEqual([15, 16, 17, 18, 19, 20]);
  expect(weeksOf(shouldRead)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));

  // The key of week 19 goes on Friday: a week, a day of grace and three of backlog after its end.
  const { parcels, letters } = await story.seizure.workerOpens(before);
  expect([weeksOf(parcels), letters]).toEqual([[19, 20], 0]);
  const found = await story.seizure.inRedis(ledger.all());
  expect(textsOf(found)).toEqual(textsOf(between(story, SEIZED, SEIZED + 1)));
}

/** Until the revocation it reads what is written, and can answer. */
export async function laptopIsUsed(story: Story): Promise<void> {
  const { machine, life, seizure } = story;
  await life.until(time(20, 'Thu', 13));
  await machine.drain();
  await life.checkReaders();
  const [written] = between(story, SEIZED, SEIZED + 1).filter(({ team }) => team === 'psych');
  if (!written?.thread) throw new Error('a request');
  answered = written;
  expect(await machine.post(await seizure.forgedReply(written, 'Come to …', (await machine.page()).keyring))).toBe('accepted');
  await machine.drain();
  expect(await life.answersTo(written.thread)).toEqual(['Come to …']);
  await life.until(REVOKED);
}

export async function laptopIsRevoked(story: Story): Promise<void> {
  const { organisation, machine, life, seizure, ledger } = story;
  const opened = (await machine.page()).keyring;
  if (opened === null) throw new Error('the door is open');
  await organisation.revokes('Maple');
  await organisation.copiesStick();
  await machine.install(organisation.out);
  for (const alias of ['Oak', 'Ash', 'Birch']) await organisation.volunteer(alias).copiesKeyrings(organisation.out);
  life.revoked.add('Maple');
  ledger.teams(FIRST_WITHOUT_MAPLE, { psych: ['Oak', 'Ash'], legal: ['Birch'] });
  life.replaceReader(
    'Maple',
    (serial) => (serial < FIRST_WITHOUT_MAPLE ? 'Maple' : 'the laptop'),
    () => seizure.identities(),
  );
  expect((await machine.page()).keyring?.keyring.serial).toBe(FIRST_WITHOUT_MAPLE);

  await life.until(REVOKED + 2 * HOUR_MS);
  expect(await life.writes('psych')).toMatchObject({ serial: FIRST_WITHOUT_MAPLE });
  // A page that was opened before, within the grace and after it.
  expect(await life.seals('psych', opened)).toMatchObject({ serial: 20 });

  await laptopIsRefused(story, opened);

  await life.until(REVOKED + 23 * HOUR_MS);
  expect(await life.seals('psych', opened)).not.toBeNull();
  await life.until(REVOKED + 25 * HOUR_MS);
  expect(await life.seals('psych', opened)).toBeNull();
}

/** Its answer is refused by its own tool, and by the worker under either keyring; what waits is not shown any more. */
async function laptopIsRefused({ machine, life, seizure }: Story, opened: VerifiedKeyring): Promise<void> {
  const refused = await seizure.laptop.answers(machine.url, '00000000', '', { code: EXIT.notAuthentic });
  expect(refused.err).toContain('SIGNER_UNKNOWN');
  const dropped = Number((await machine.dropped())['signer'] ?? 0);
  for (const keyring of [opened, (await machine.page()).keyring]) {
    expect(await machine.post(await seizure.forgedReply(answered, 'Why do you not come?', keyring))).toBe('accepted');
  }
  await machine.drain();
  expect(Number((await machine.dropped())['signer'])).toBe(dropped + 2);
  if (answered.thread === null) throw new Error('a request');
  expect((await readMailbox(machine, answered.thread)).total).toBe(1);
  expect(await life.answersTo(answered.thread)).toEqual([]);
}

/** At the end of the year: what it opens of all that was ever written. */
export async function laptopReads(story: Story): Promise<void> {
  const { seizure, ledger } = story;
  const read = await seizure.opens(ledger.all());
  const inReach = read.filter(({ acceptedAt }) => acceptedAt < SEIZED);
  const meanwhile = read.filter(({ acceptedAt }) => SEIZED <= acceptedAt && acceptedAt < REVOKED);
  const inGrace = read.filter(({ acceptedAt }) => acceptedAt >= REVOKED);
  expect(weeksOf(inReach)).toEqual([15, 16, 17, 18, 19, 20]);
  expect(textsOf(meanwhile)).toEqual(textsOf(between(story, SEIZED, REVOKED).filter(({ team }) => team === 'psych')));
  expect(inGrace.map(({ serial }) => serial)).toEqual([20, 20]);
  console.log(
    `the laptop seized in week 20 reads ${String(inReach.length)} letters of the ${String(OLDER_WEEKS)} weeks before, ` +
      `${String(meanwhile.length)} of the two days until the revocation, ${String(inGrace.length)} of pages opened before it, no other`,
  );
}
