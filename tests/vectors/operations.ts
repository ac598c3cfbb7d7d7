// What each operation of a vector does with its input: one entry of the table for each `op`.
import { checkRecipient, decrypt } from '../../crypto/age/age.ts';
import { dearmor, isArmored } from '../../crypto/age/armor.ts';
import { decodeIdentity, decodeRecipient, identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { decryptWithPassphrase, isPassphraseFile } from '../../crypto/age/passphrase.ts';
import { parseAnswer } from '../../crypto/answer.ts';
import { fromHex, fromUtf8, readUint32 } from '../../crypto/bytes.ts';
import { cardWords, verifyCard } from '../../crypto/card.ts';
import { codeRoot, readCode } from '../../crypto/code.ts';
import { CodedError, type ErrorCode } from '../../crypto/errors.ts';
import { checkValidity, teamFor, verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { letterId, openLetter, sealLetter, type LetterContent } from '../../crypto/letter.ts';
import { parseMailboxAnswer, parseQuestion } from '../../crypto/mailbox.ts';
import { checkListed, parseManifest } from '../../crypto/manifest.ts';
import { parsePublicKey, parseSecretKey, parseSigner, type PublicKey } from '../../crypto/minisign.ts';
import { checkNote } from '../../crypto/note.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { openWithForms } from '../../crypto/passphrase-forms.ts';
import { COUNTER_OFFSET, openSealed, parseParcel, type ParcelContent } from '../../crypto/parcel.ts';
import { checkDelivery, openReply, replyId, sealReply } from '../../crypto/reply.ts';
import { signatureHolds, SIGNATURE_BYTES, SIGNING_KEY_BYTES, signingKeyPair, type Context } from '../../crypto/sign.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import { textOf } from '../../crypto/text-file.ts';
import { mailboxOf, threadOf } from '../../crypto/thread.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { chainedResult, countingResult, conversationsResult, followUpResult, teamResult } from './run-order.ts';

/** What a vector may give an operation beside the input and the identities. */
export type Parameters = {
  readonly signature?: string;
  readonly now?: string;
  readonly floor?: number;
  /** Who is believed, and the thread a reply must belong to: keys of 64 hex digits. */
  readonly signers?: readonly string[];
  readonly thread?: string;
  /** Of the word list that a code is of. */
  readonly language?: string;
  readonly page?: number;
  /** Of a request, and the key that decides between teams, in hex. */
  readonly topic?: string;
  readonly teamKey?: string;
  /** The id of an inbox. */
  readonly inbox?: string;
  /** Of a file in a manifest. */
  readonly path?: string;
  /** How many a letter is sealed to. */
  readonly recipients?: number;
  readonly difficulty?: number;
  /** As typed, of a key file. */
  readonly passphrase?: string;
  /** Of a signature over one part. */
  readonly context?: Context;
};

/** What a vector and its file give an operation. */
export type Given = {
  /** The input, edited. */
  readonly bytes: Uint8Array;
  /** To open with, in this order. */
  readonly identities: readonly string[];
  readonly parameters: Parameters;
  /** A list of 1,296. */
  readonly words: readonly string[];
  readonly rootKey: string;
  /** An identity, to whose recipient letters are sealed. */
  readonly volunteer: string;
};

/** Returns the value, or throws the error, that the vector expects. */
type Operation = (given: Given) => unknown;

export type OperationName = keyof typeof OPERATIONS;

export const OPERATIONS = {
  openLetter: ({ bytes, identities }) => openLetter(bytes, identities),
  checkNote: noteAction,
  openReply: ({ bytes, identities, parameters }) =>
    openReply(bytes, identities[0] ?? '', fromHex(parameters.thread ?? ''), new Set(parameters.signers)),
  checkDelivery: deliveryBelief,
  readCode: ({ bytes, words }) => readCode(fromUtf8(bytes), words),
  threadOf: derivedThread,
  parseQuestion: ({ bytes }) => parseQuestion(bytes),
  parseMailboxAnswer: mailboxAnswer,
  parseParcel: ({ bytes }) => ({ serial: parseParcel(bytes).serial }),
  openParcel: ({ bytes, identities }) => summary(openSealed(parseParcel(bytes).sealed, identities)),
  openSealed: ({ bytes, identities }) => summary(openSealed(bytes, identities)),
  stampBits: ({ bytes }) => stampBits(parseParcel(bytes)),
  parseAnswer: ({ bytes }) => parseAnswer(bytes),
  verifyKeyring: (given) => {
    const { keyring, digest } = verifiedKeyring(given);
    return { digest, serial: keyring.serial };
  },
  verifyCard: ({ bytes, words }) => {
    const verified = verifyCard(fromUtf8(bytes));
    const { holder, weeks } = verified.card;
    return { holder, signer: verified.signer, weeks: weeks.map(({ notBefore }) => notBefore), words: cardWords(verified, words).join(' ') };
  },
  verifySignature: signatureVerdict,
  teamFor: (given) => teamFor(verifiedKeyring(given).keyring, given.parameters.topic, fromHex(given.parameters.teamKey ?? '')).id,
  parcelText: ({ bytes }) => {
    const { serial, id } = parseParcel(decodeParcelText(fromUtf8(bytes)));
    return { serial, id };
  },
  letterId: ({ bytes, identities, parameters }) => letterId(bytes, parameters.inbox ?? '', decodeIdentity(identities[0] ?? '')),
  recipient: ({ bytes }) => decodeRecipient(fromUtf8(bytes)),
  identity: ({ bytes }) => decodeIdentity(fromUtf8(bytes)),
  dearmor: ({ bytes }) => dearmor(fromUtf8(bytes)),
  parseManifest: ({ bytes }) => Object.keys(parseManifest(bytes).files).sort(),
  checkListed: listedFile,
  sealLetter: sealedLetter,
  stamp: ({ bytes, parameters }) => {
    const stamped = stampParcel(bytes, parameters.difficulty ?? 0);
    return { bits: stampBits(parseParcel(stamped)), counter: readUint32(stamped, COUNTER_OFFSET) };
  },
  open: ({ bytes, identities }) => decrypt(bytes, identities),
  sealTo: ({ bytes }) => {
    checkRecipient(fromUtf8(bytes));
    return 'sealed';
  },
  sealReply: ({ bytes }) => {
    const zeros = new Uint8Array(32);
    sealReply({ team: '0'.repeat(16), text: fromUtf8(bytes) }, threadOf(zeros).address, signingKeyPair(zeros));
    return 'sealed';
  },
  publicKey: ({ bytes }) => parsePublicKey(fromUtf8(bytes)),
  rootKey: (given) => secretKey(given, parseSecretKey),
  signer: (given) => secretKey(given, parseSigner),
  identities: identitiesInFile,
  fingerprint: ({ bytes }) => fingerprint(fromUtf8(bytes)),
  keyringThatCounts: ({ bytes, parameters }) => countingResult(fromUtf8(bytes), new Date(parameters.now ?? '')),
  chained: ({ bytes }) => chainedResult(fromUtf8(bytes)),
  converse: ({ bytes }) => conversationsResult(fromUtf8(bytes)),
  followUp: ({ bytes }) => followUpResult(fromUtf8(bytes)),
  teamOf: (given) => {
    const { identities, parameters } = given;
    return teamResult(verifiedKeyring(given).keyring, parameters.signers?.[0] ?? '', identities, parameters.topic);
  },
  checkValidity: (given) => {
    checkValidity(verifiedKeyring(given).keyring, new Date(given.parameters.now ?? ''), given.parameters.floor);
    return 'valid';
  },
} satisfies Record<string, Operation>;

function verifiedKeyring({ bytes, parameters, rootKey }: Given): VerifiedKeyring {
  return verifyKeyring(bytes, parameters.signature ?? '', parsePublicKey(rootKey));
}

function noteAction({ bytes, identities, parameters }: Given): string {
  const letter = openLetter(bytes, identities);
  if (letter.kind !== 'note') return letter.kind;
  checkNote(letter.note, new Set(parameters.signers));
  return letter.note.action;
}

function deliveryBelief({ bytes, identities, parameters }: Given): string {
  const content = openSealed(bytes, identities);
  if (content.kind !== 'reply') return content.kind;
  checkDelivery(content.delivery, new Set(parameters.signers));
  return 'believed';
}

/** All that follows from a code. */
function derivedThread({ bytes, parameters, words }: Given): unknown {
  const read = readCode(fromUtf8(bytes), words);
  if ('problem' in read) return read;
  const root = codeRoot(parameters.language ?? '', read.code);
  const { signing, identity, mailboxKey, teamKey, address } = threadOf(root);
  return { root, seed: signing.secret.slice(0, 32), identity, mailboxKey, teamKey, ...address, mailbox: mailboxOf(address) };
}

function mailboxAnswer({ bytes, parameters }: Given): unknown {
  const answer = parseMailboxAnswer(bytes, parameters.page ?? 0);
  return 'replies' in answer ? { ...answer, replies: answer.replies.map(replyId) } : answer;
}

/** What a parcel holds, without the sealed letter or reply itself. */
function summary(content: ParcelContent): unknown {
  switch (content.kind) {
    case 'decoy':
      return content;
    case 'letter':
      return { kind: content.kind, team: content.team };
    case 'reply':
      return {
        kind: content.kind,
        mailbox: content.delivery.mailbox,
        signer: content.delivery.signer,
        reply: replyId(content.delivery.reply),
      };
    case 'delete':
      return { kind: content.kind, ...content.removal };
  }
}

/** The input is the key, the signature and the one part that is signed. */
function signatureVerdict({ bytes, parameters }: Given): boolean {
  const partAt = SIGNING_KEY_BYTES + SIGNATURE_BYTES;
  const [key, signature, part] = [bytes.slice(0, SIGNING_KEY_BYTES), bytes.slice(SIGNING_KEY_BYTES, partAt), bytes.slice(partAt)];
  return signatureHolds(parameters.context ?? 'letter', [part], signature, key);
}

/** The input is the manifest, a zero byte and the file. */
function listedFile({ bytes, parameters }: Given): string {
  const end = bytes.indexOf(0);
  checkListed(parseManifest(bytes.slice(0, end)), parameters.path ?? '', bytes.slice(end + 1));
  return 'listed';
}

function sealedLetter({ bytes, parameters, volunteer }: Given): string {
  const recipient = identityToRecipient(volunteer);
  const recipients = Array.from({ length: parameters.recipients ?? 1 }, () => recipient);
  sealLetter(JSON.parse(fromUtf8(bytes)) as LetterContent, recipients);
  return 'sealed';
}

/** Reads an identity file, protected or not, as the programs do. */
async function identitiesInFile({ bytes, parameters }: Given): Promise<string[]> {
  const text = textOf(bytes, 'lenient');
  const file = isArmored(text) ? dearmor(text) : bytes;
  if (!isPassphraseFile(file)) return parseIdentityFile(textOf(file));
  const open = (form: string): Promise<Uint8Array> => decryptWithPassphrase(file, form);
  return parseIdentityFile(textOf(await openWithForms(parameters.passphrase ?? '', open, hasCode('AGE_NO_MATCH'))));
}

/** The public half of a secret key file, which is opened with the passphrase in each of its forms. */
async function secretKey({ bytes, parameters: { passphrase } }: Given, parse: typeof parseSigner): Promise<PublicKey> {
  const text = fromUtf8(bytes);
  const { id, key } = await (passphrase === undefined
    ? parse(text)
    : openWithForms(passphrase, (form) => parse(text, form), hasCode('MINISIGN_PASSPHRASE')));
  return { id, key };
}

const hasCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    error instanceof CodedError && error.code === code;
