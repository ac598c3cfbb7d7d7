// For which team a volunteer in several teams answers.
import { beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import type { Keyring, Team } from '../../crypto/keyring.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { teamOf } from '../../volunteer/keys/team.ts';

const names = { ru: 'команда' };
const [FIRST, SECOND] = ['1'.repeat(16), '2'.repeat(16)];
let signer: SigningKeyPair;
let own: string;
let other: string;
beforeAll(async () => {
  await ready;
  signer = signingKeyPair(randomBytes(32));
  [own, other] = [generateIdentity(), generateIdentity()];
});

const team = (id: string, topic: string, reader: string, signers = [toHex(signer.key)]): Team => ({
  id,
  names,
  topics: [{ id: topic, names }],
  recipients: [identityToRecipient(reader)],
  signers,
});
const keyring = (...teams: Team[]): Keyring => ({
  version: 1,
  serial: 1,
  notBefore: '2030-01-07T00:00:00Z',
  notAfter: '2030-01-14T00:00:00Z',
  previous: null,
  worker: identityToRecipient(other),
  teams,
});
const found = (topic: string | undefined, ...teams: Team[]) => teamOf(keyring(...teams), signer, [own], topic)?.id;

describe('a volunteer in two teams answers for', () => {
  it('the one whose letters they read, even when the other takes the topic', () => {
    expect(found('legal', team(FIRST, 'legal', other), team(SECOND, 'psychological', own))).toBe(SECOND);
  });

  it('the one that takes the topic, where they read for both or for none', () => {
    for (const reader of [own, other])
      expect(found('legal', team(FIRST, 'psychological', reader), team(SECOND, 'legal', reader))).toBe(SECOND);
  });

  it('the one for requests without a topic, where none was chosen', () => {
    expect(found(undefined, team(FIRST, 'psychological', own), team(SECOND, 'other', own))).toBe(SECOND);
  });

  it('no team that does not list their signer', () => {
    expect(found('legal', team(FIRST, 'legal', own, []), team(SECOND, 'psychological', other))).toBe(SECOND);
    expect(found('legal', team(FIRST, 'legal', own, []))).toBeUndefined();
  });
});
