// The thread: what a conversation consists of, derived from its access code. docs/protocol.md, § Thread.
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

/** A thread as a letter names it: its key, the lock of its mailbox (hex), and the recipient that replies are sealed to. */
export const threadAddress = z.object({
  key: hex(SIGNING_KEY_BYTES),
  lock: hex(MAILBOX_LOCK_BYTES),
  recipient: z.string().check(z.refine(isRecipient)),
});
export type ThreadAddress = z.infer<typeof threadAddress>;

/** The requester's side: everything derived from the access code. */
export type Thread = {
  readonly signing: SigningKeyPair;
  /** `AGE-SECRET-KEY-PQ-1…`, opens replies. */
  readonly identity: string;
  /** 32 bytes; it reads the mailbox, together with the thread's key. */
  readonly mailboxKey: Uint8Array;
  /** 32 bytes that decide between teams (`teamFor`). Neither relay nor volunteers have them. */
  readonly teamKey: Uint8Array;
  readonly address: ThreadAddress;
};

/** Derives a thread from `root`: 32 bytes (`codeRoot`). The slow part is the recipient: a key pair. */
export function threadOf(root: Uint8Array): Thread {
  const derived = (label: string): Uint8Array => blake2b(32, utf8(label), root);
  const signing = signingKeyPair(derived('thread'));
  const identity = identityOf(derived('reply'));
  const mailboxKey = derived('mailbox');
  const address = { key: toHex(signing.key), lock: toHex(mailboxLock(mailboxKey)), recipient: identityToRecipient(identity) };
  return { signing, identity, mailboxKey, teamKey: derived('team'), address };
}

/** The lock, 32 bytes: a hash of the mailbox key, and all that a letter shows of it. */
export function mailboxLock(mailboxKey: Uint8Array): Uint8Array {
  return blake2b(MAILBOX_LOCK_BYTES, mailboxKey);
}

/** 32 bytes, from the thread's key (32) and the lock (32), so that no other thread's letter can lead to this mailbox. */
export function mailboxId(threadKey: Uint8Array, lock: Uint8Array): Uint8Array {
  return blake2b(MAILBOX_ID_BYTES, concat(threadKey, lock));
}

/** The mailbox id (32 bytes) of the thread that a letter names. */
export function mailboxOf({ key, lock }: ThreadAddress): Uint8Array {
  return mailboxId(fromHex(key), fromHex(lock));
}

export const signedAddress = z.extend(threadAddress, { signature: hex(SIGNATURE_BYTES) });
export type SignedAddress = z.infer<typeof signedAddress>;

/** What the thread signs of a letter. An absent field counts as empty. */
export type Signable = {
  readonly kind: string;
  readonly serial: number;
  readonly keyring: string;
  readonly topic?: string | undefined;
  readonly language: string;
  readonly message: string;
  readonly contact?: string | undefined;
  /** Only in a follow-up. */
  readonly number?: number | undefined;
  readonly read?: readonly string[] | undefined;
};

const signedParts = (
  { kind, serial, keyring, topic = '', language, message, contact = '', number, read }: Signable,
  { key, lock, recipient }: ThreadAddress,
): string[] => [kind, String(serial), keyring, topic, language, message, contact, key, lock, recipient, ...orderParts(number, read)];

/** The address with the thread's signature over it and the whole letter. */
export function signAddress(letter: Signable, { signing, address }: Thread): SignedAddress {
  return { ...address, signature: toHex(signParts('letter', signedParts(letter, address), signing)) };
}

/** Throws LETTER_THREAD unless the letter is signed by the thread that its address names. */
export function checkAddress(letter: Signable, address: SignedAddress): void {
  if (!signatureHolds('letter', signedParts(letter, address), fromHex(address.signature), fromHex(address.key))) {
    throw new CodedError('LETTER_THREAD', 'the letter is not signed by the thread that it names');
  }
}
