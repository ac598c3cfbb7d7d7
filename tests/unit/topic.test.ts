// Which team gets a request, with a topic and without.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { blake2b, fromHex, toHex } from '../../crypto/bytes.ts';
import { teamFor, type Keyring, type Team, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { openLetter } from '../../crypto/letter.ts';
import { openSealed, parseParcel } from '../../crypto/parcel.ts';
import { requestRoom, sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';

const TRIES = 200;
const MESSAGE = 'Не знаю, к кому.';

describe('a request', () => {
  let volunteer: string;
  let worker: string;
  beforeAll(async () => {
    await ready;
    volunteer = generateIdentity();
    worker = generateIdentity();
  });

  const team = (digit: string, ...topics: string[]): Team => ({
    id: digit.repeat(16),
    names: {},
    topics: topics.map((id) => ({ id, names: {} })),
    recipients: [identityToRecipient(volunteer)],
    signers: [],
  });
  const keyringOf = (...teams: Team[]): Keyring => ({
    version: 1,
    serial: 1,
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2026-01-08T00:00:00Z',
    previous: null,
    worker: identityToRecipient(worker),
    teams,
  });
  const chosen = (keyring: Keyring, topic?: string): string[] =>
    [...new Set(Array.from({ length: TRIES }, () => teamFor(keyring, topic).id[0] ?? ''))].sort();

  it('with a topic goes to any of those who take it, and to nobody else', () => {
    const keyring = keyringOf(team('1', 'legal'), team('2', 'legal', 'other'), team('3', 'psychological'));
    expect(chosen(keyring, 'legal')).toEqual(['1', '2']);
    expect(() => teamFor(keyring, 'weather')).toThrow(expect.objectContaining({ code: 'KEYRING_TOPIC' }));
    expect(() => teamFor(keyring, '')).toThrow(expect.objectContaining({ code: 'KEYRING_TOPIC' }));
  });

  it('without one goes to the teams for such requests, and where there are none, to any', () => {
    expect(chosen(keyringOf(team('1', 'legal'), team('2', 'psychological', 'other')))).toEqual(['2']);
    expect(chosen(keyringOf(team('1', 'legal'), team('2', 'psychological'), team('3', 'legal')))).toEqual(['1', '2', '3']);
  });

  const keyOf = (i: number): Uint8Array => new Uint8Array(32).fill(i);
  const anyTeams = fc
    .uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 1, maxLength: 8 })
    .map((ids) => ids.map((id) => ({ ...team('0', 'legal'), id: id.toString(16).padStart(16, '0') })));
  const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it('of a conversation goes to the same team each time, whatever other teams come or go', () => {
    fc.assert(
      fc.property(anyTeams, anyKey, fc.nat(), fc.boolean(), (teams, key, at, named) => {
        const topic = named ? 'legal' : undefined;
        const first = teamFor(keyringOf(...teams), topic, key);
        expect(teamFor(keyringOf(...teams.toReversed()), topic, key)).toBe(first);
        const gone = teams[at % teams.length];
        const rest = teams.filter((each) => each !== gone);
        if (gone !== first) expect(teamFor(keyringOf(...rest), topic, key)).toBe(first);
      }),
    );
  });

  it('of different conversations goes to every team that takes its topic, and to no other', () => {
    const keyring = keyringOf(team('1', 'legal'), team('2', 'legal', 'other'), team('3', 'psychological'));
    const chosenBy = (topic?: string): Set<string> =>
      new Set(Array.from({ length: TRIES }, (_, i) => teamFor(keyring, topic, keyOf(i)).id[0] ?? ''));
    expect([...chosenBy('legal')].sort()).toEqual(['1', '2']);
    expect([...chosenBy()]).toEqual(['2']);
    expect(() => teamFor(keyring, 'weather', keyOf(0))).toThrow(expect.objectContaining({ code: 'KEYRING_TOPIC' }));
  });

  it('of a conversation is ranked as the protocol says', () => {
    const teams = ['1', '2', '3'].map((digit) => team(digit, 'legal'));
    const rank = ({ id }: Team): string => toHex(blake2b(32, fromHex(id), keyOf(7)));
    expect(teamFor(keyringOf(...teams), 'legal', keyOf(7))).toBe([...teams].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))[0]);
  });

  it('and further words before an answer go to one team if they have one topic; after an answer, to the team that answered', () => {
    const verified: VerifiedKeyring = {
      keyring: keyringOf(...['1', '2', '3', '4', '5', '6', '7', '8'].map((digit) => team(digit, 'legal'))),
      digest: '0'.repeat(64),
    };
    const toWhom = (thread: Thread, followUp?: { team?: string }): string => {
      const content = openSealed(
        parseParcel(sealRequest({ topic: 'legal', language: 'ru', message: MESSAGE }, verified, { thread, followUp })).sealed,
        [worker],
      );
      if (content.kind !== 'letter') throw new Error(content.kind);
      return content.team;
    };
    for (let i = 0; i < 4; i += 1) {
      const thread = threadOf(keyOf(i));
      expect(toWhom(thread, {})).toBe(toWhom(thread));
      expect(toWhom(thread, { team: '7'.repeat(16) })).toBe('7'.repeat(16));
    }
  });

  it('without one names no topic to the volunteer', () => {
    const verified: VerifiedKeyring = { keyring: keyringOf(team('1', 'legal')), digest: '0'.repeat(64) };
    const content = openSealed(parseParcel(sealRequest({ language: 'ru', message: MESSAGE }, verified)).sealed, [worker]);
    if (content.kind !== 'letter') throw new Error(content.kind);
    const letter = openLetter(content.letter, [volunteer]);
    expect(letter).toMatchObject({ kind: 'request', message: MESSAGE });
    expect(letter).not.toHaveProperty('topic');
  });

  it('has more room without one', () => {
    const request = { language: 'ru', message: MESSAGE };
    expect(requestRoom(request)).toBeGreaterThan(requestRoom({ ...request, topic: 'legal' }));
  });
});
