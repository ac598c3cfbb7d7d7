// Who gets a request, with a topic and without one.
import { beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { teamFor, type Keyring, type Team, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { openLetter } from '../../crypto/letter.ts';
import { openSealed, parseParcel } from '../../crypto/parcel.ts';
import { requestRoom, sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';

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
    id: digit.repeat(16), names: {}, topics: topics.map((id) => ({ id, names: {} })), recipients: [identityToRecipient(volunteer)],
  });
  const keyringOf = (...teams: Team[]): Keyring => ({
    version: 1, serial: 1, notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-01-08T00:00:00Z', previous: null,
    worker: identityToRecipient(worker), teams,
  });
  const chosen = (keyring: Keyring, topic?: string): string[] => (
    [...new Set(Array.from({ length: TRIES }, () => teamFor(keyring, topic).id[0] ?? ''))].sort()
  );

  it('with a topic goes to any of those who take it, and to nobody else', () => {
    const keyring = keyringOf(team('1', 'legal'), team('2', 'legal', 'other'), team('3', 'psychological'));
    expect(chosen(keyring, 'legal')).toEqual(['1', '2']);
    expect(() => teamFor(keyring, 'weather')).toThrow(expect.objectContaining({ code: 'KEYRING_TOPIC' }));
    expect(() => teamFor(keyring, '')).toThrow(expect.objectContaining({ code: 'KEYRING_TOPIC' }));
  });

  it('without one goes to those who are there for it, and where nobody is, to any', () => {
    expect(chosen(keyringOf(team('1', 'legal'), team('2', 'psychological', 'other')))).toEqual(['2']);
    expect(chosen(keyringOf(team('1', 'legal'), team('2', 'psychological'), team('3', 'legal')))).toEqual(['1', '2', '3']);
  });

  it('without one says so to the volunteer, instead of naming a topic that nobody chose', () => {
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
