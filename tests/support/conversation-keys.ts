// Throwaway keys for everybody in a conversation, and for those who want to interfere: volunteers, signers, threads.
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { signersOf, type Keyring, type Team, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { openLetter, type WrittenContent } from '../../crypto/letter.ts';
import { openSealed, parseParcel } from '../../crypto/parcel.ts';
import { openReply, type Delivery } from '../../crypto/reply.ts';
import { sealRequest, type RequestOptions } from '../../crypto/seal.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import { written } from './letters.ts';

export const TEAM = 'a1b2c3d4e5f60718';

await ready;
const newSigner = (): SigningKeyPair => signingKeyPair(randomBytes(32));
const newThread = (): Thread => threadOf(codeRoot('ru', makeCode()));

export const [volunteer, colleague, worker] = [generateIdentity(), generateIdentity(), generateIdentity()];
/** One on the keyring, one formerly on it, and one never on it. */
export const [signer, revoked, stranger] = [newSigner(), newSigner(), newSigner()];
export const [thread, other] = [newThread(), newThread()];

export function keyringWith(...listed: SigningKeyPair[]): Keyring {
  const team: Team = {
    id: TEAM,
    names: { ru: 'Т' },
    topics: [{ id: 'legal', names: { ru: 'П' } }],
    recipients: [volunteer, colleague].map(identityToRecipient),
    signers: listed.map(({ key }) => toHex(key)),
  };
  return {
    version: 1,
    serial: 3,
    notBefore: '2030-01-07T00:00:00Z',
    notAfter: '2030-01-14T00:00:00Z',
    previous: null,
    worker: identityToRecipient(worker),
    teams: [team],
  };
}

export const verified: VerifiedKeyring = { keyring: keyringWith(signer), digest: 'ab'.repeat(32) };
export const signers = signersOf(verified.keyring);

/** The letter of a request, as the worker finds it in the parcel. */
export function letterOf(message: string, options: RequestOptions, contact?: string): Uint8Array {
  const request = { language: 'ru', message, ...(contact === undefined ? {} : { contact }) };
  const content = openSealed(parseParcel(sealRequest(request, verified, options)).sealed, [worker]);
  if (content.kind !== 'letter') throw new Error('no letter');
  return content.letter;
}

export const wordsIn = (letter: Uint8Array): WrittenContent => written(openLetter(letter, [volunteer]));

/** What the requester reads. Throws as the page does. */
export const opened = ({ reply }: Delivery): unknown => openReply(reply, thread.identity, thread.signing.key, signers);
