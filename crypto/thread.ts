// What a conversation consists of, derived from its access code. docs/protocol.md, § Thread.
import * as z from 'zod/mini';
import { identityOf, identityToRecipient, isRecipient } from './age/identity.ts';
import { blake2b, concat, fromHex, toHex, utf8 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { orderParts } from './order.ts';
import { hex } from './schema.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES, signatureHolds, signingKeyPair, signParts, type SigningKeyPair } from './sign.ts';

export const MAILBOX_KEY_BYTES = 32;
export const MAILBOX_LOCK_BYTES = 32;
export const MAILBOX_ID_BYTES = 32;

/** As it stands in a letter: the thread's key, the lock of its mailbox (hex), and to whom replies are sealed. */
export const threadAddress = z.object({
  key: hex(SIGNING_KEY_BYTES),
  lock: hex(MAILBOX_LOCK_BYTES),
  recipient: z.string().check(z.refine(isRecipient)),
});
export type ThreadAddress = z.infer<typeof threadAddress>;

/** The requester's side: everything that the access code gives. */
export type Thread = {
  readonly signing: SigningKeyPair;
  /** `AGE-SECRET-KEY-PQ-1…`, opens replies. */
  readonly identity: string;
  /** 32 bytes; whoever has it (and the thread's key) can read the mailbox. */
  readonly mailboxKey: Uint8Array;
  /** 32 bytes that decide between teams (teamFor). Neither relay nor volunteers have them. */
  readonly teamKey: Uint8Array;
  readonly address: ThreadAddress;
};

/** Everything that follows from `root`: 32 bytes (codeRoot). Deriving the address is the slow part: a key pair. */
export function threadOf(root: Uint8Array): Thread {
  const derived = (label: string): Uint8Array => blake2b(32, utf8(label), root);
  const signing = signingKeyPair(derived('thread'));
  const identity = identityOf(derived('reply'));
  const mailboxKey = derived('mailbox');
  const address = { key: toHex(signing.key), lock: toHex(mailboxLock(mailboxKey)), recipient: identityToRecipient(identity) };
  return { signing, identity, mailboxKey, teamKey: derived('team'), address };
}

/** 32 bytes: what volunteers know of a mailbox key. */
export function mailboxLock(mailboxKey: Uint8Array): Uint8Array {
  return blake2b(MAILBOX_LOCK_BYTES, mailboxKey);
}

/** 32 bytes, of the thread's key (32) and its lock (32): no other thread's letter can lead to this mailbox. */
export function mailboxId(threadKey: Uint8Array, lock: Uint8Array): Uint8Array {
  return blake2b(MAILBOX_ID_BYTES, concat(threadKey, lock));
}

/** The mailbox id, 32 bytes, of the thread that a letter names. */
export function mailboxOf({ key, lock }: ThreadAddress): Uint8Array {
  return mailboxId(fromHex(key), fromHex(lock));
}

export const signedAddress = z.extend(threadAddress, { signature: hex(SIGNATURE_BYTES) });
export type SignedAddress = z.infer<typeof signedAddress>;

/** What of a letter the thread signs; an absent field counts as empty. */
export type Signable = {
  readonly kind: string;
  readonly serial: number;
  readonly keyring: string;
  readonly topic?: string | undefined;
  readonly language: string;
  readonly message: string;
  readonly contact?: string | undefined;
  /** Of a follow-up. */
  readonly number?: number | undefined;
  readonly read?: readonly string[] | undefined;
};

const partsOf = (
  { kind, serial, keyring, topic = '', language, message, contact = '', number, read }: Signable,
  { key, lock, recipient }: ThreadAddress,
): string[] => [kind, String(serial), keyring, topic, language, message, contact, key, lock, recipient, ...orderParts(number, read)];

/** The address with a signature by the thread over it and the whole letter. */
export function signAddress(letter: Signable, { signing, address }: Thread): SignedAddress {
  return { ...address, signature: toHex(signParts('letter', partsOf(letter, address), signing)) };
}

/** Verifies the thread's signature over the letter. Throws LETTER_THREAD when it is not by the thread that the address names. */
export function checkAddress(letter: Signable, address: SignedAddress): void {
  if (!signatureHolds('letter', partsOf(letter, address), fromHex(address.signature), fromHex(address.key))) {
    throw new CodedError('LETTER_THREAD', 'the letter is not signed by the thread that it names');
  }
}
