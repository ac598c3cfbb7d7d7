// Loops over vectors.json and the age test kit. The same module runs in Node, Chromium and Firefox.
import { base64 } from '@scure/base';
import { decrypt, checkRecipient } from '../../crypto/age/age.ts';
import { dearmor, isArmored } from '../../crypto/age/armor.ts';
import { decodeIdentity, decodeRecipient, identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { decryptWithPassphrase, isPassphraseFile } from '../../crypto/age/passphrase.ts';
import { parseAnswer } from '../../crypto/answer.ts';
import { concat, fromHex, fromUtf8, readUint32, toHex } from '../../crypto/bytes.ts';
import { codeRoot, readCode } from '../../crypto/code.ts';
import { CodedError, type ErrorCode } from '../../crypto/errors.ts';
import { checkValidity, teamFor, verifyKeyring } from '../../crypto/keyring.ts';
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
import { ready } from '../../crypto/sodium.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import { textOf } from '../../crypto/text-file.ts';
import { mailboxOf, threadOf } from '../../crypto/thread.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { countingResult, conversationsResult, followUpResult, teamResult } from './run-order.ts';
import { KIT_VECTORS, runTestkit, type Scope } from './testkit.ts';
import data from './vectors.json' with { type: 'json' };

/** A change to an input before it is used: bytes put at an offset, cut off the end, or appended. All bytes in hex. */
export type Edit =
  | { readonly at: number; readonly set: string }
  | { readonly cut: number }
  | { readonly append: string; readonly times?: number };

export type Vector = {
  readonly name: string;
  readonly op:
    | 'openLetter'
    | 'checkNote'
    | 'parseParcel'
    | 'openParcel'
    | 'openSealed'
    | 'checkDelivery'
    | 'stampBits'
    | 'parseAnswer'
    | 'openReply'
    | 'readCode'
    | 'threadOf'
    | 'parseQuestion'
    | 'parseMailboxAnswer'
    | 'verifyKeyring'
    | 'checkValidity'
    | 'keyringThatCounts'
    | 'converse'
    | 'followUp'
    | 'teamOf'
    | 'verifySignature'
    | 'parcelText'
    | 'teamFor'
    | 'letterId'
    | 'recipient'
    | 'identity'
    | 'dearmor'
    | 'parseManifest'
    | 'checkListed'
    | 'sealLetter'
    | 'stamp'
    | 'open'
    | 'sealTo'
    | 'sealReply'
    | 'publicKey'
    | 'rootKey'
    | 'signer'
    | 'identities'
    | 'fingerprint';
  readonly input: string;
  readonly edits?: readonly Edit[];
  readonly identities?: readonly string[];
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
  readonly expect: { readonly value: unknown } | { readonly error: string };
};

export type VectorFile = {
  readonly identities: Readonly<Record<string, string>>;
  readonly rootKey: string;
  /** A word list of 1,296 words, with spaces between. */
  readonly words: string;
  readonly blobs: Readonly<Record<string, string>>;
  readonly vectors: readonly Vector[];
};

export const vectorFile = data as VectorFile;
const file = vectorFile;
/** Ours and the kit's. */
export const VECTORS = file.vectors.length + KIT_VECTORS;

function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let result = bytes;
  for (const edit of edits) {
    if ('cut' in edit) result = result.slice(0, -edit.cut);
    else if ('append' in edit) result = concat(result, fromHex(edit.append.repeat(edit.times ?? 1)));
    else {
      result = result.slice();
      result.set(fromHex(edit.set), edit.at);
    }
  }
  return result;
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

/** All that follows from a code. */
function threadIn(text: string, language: string): unknown {
  const read = readCode(text, file.words.split(' '));
  if ('problem' in read) return read;
  const root = codeRoot(language, read.code);
  const { signing, identity, mailboxKey, teamKey, address } = threadOf(root);
  return { root, seed: signing.secret.slice(0, 32), identity, mailboxKey, teamKey, ...address, mailbox: mailboxOf(address) };
}

/** An identity file, protected or not, as every reader of ours takes it. */
async function identitiesIn(file: Uint8Array, passphrase: string): Promise<string[]> {
  const text = textOf(file, 'lenient');
  const bytes = isArmored(text) ? dearmor(text) : file;
  if (!isPassphraseFile(bytes)) return parseIdentityFile(textOf(bytes));
  return parseIdentityFile(textOf(await openWithForms(passphrase, (form) => decryptWithPassphrase(bytes, form), hasCode('AGE_NO_MATCH'))));
}

/** The key of a secret key file, with the passphrase in each of its forms. */
async function secretKeyIn(text: string, passphrase: string | undefined, parse: typeof parseSigner): Promise<PublicKey> {
  const { id, key } = await (passphrase === undefined
    ? parse(text)
    : openWithForms(passphrase, (form) => parse(text, form), hasCode('MINISIGN_PASSPHRASE')));
  return { id, key };
}

const hasCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    error instanceof CodedError && error.code === code;

/** Bytes as hex, the fields of an object in one order. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, canonical(field)]),
  );
}

function resultOf(vector: Vector): unknown {
  const input = applyEdits(base64.decode(file.blobs[vector.input] ?? ''), vector.edits ?? []);
  const identities = (vector.identities ?? []).map((name) => file.identities[name] ?? '');
  const signers = new Set(vector.signers);
  switch (vector.op) {
    case 'openLetter':
      return openLetter(input, identities);
    case 'checkNote': {
      const letter = openLetter(input, identities);
      if (letter.kind !== 'note') return letter.kind;
      checkNote(letter.note, signers);
      return letter.note.action;
    }
    case 'openReply':
      return openReply(input, identities[0] ?? '', fromHex(vector.thread ?? ''), signers);
    case 'checkDelivery': {
      const content = openSealed(input, identities);
      if (content.kind !== 'reply') return content.kind;
      checkDelivery(content.delivery, signers);
      return 'believed';
    }
    case 'readCode':
      return readCode(fromUtf8(input), file.words.split(' '));
    case 'threadOf':
      return threadIn(fromUtf8(input), vector.language ?? '');
    case 'parseQuestion':
      return parseQuestion(input);
    case 'parseMailboxAnswer': {
      const answer = parseMailboxAnswer(input, vector.page ?? 0);
      return 'replies' in answer ? { ...answer, replies: answer.replies.map(replyId) } : answer;
    }
    case 'parseParcel':
      return { serial: parseParcel(input).serial };
    case 'openParcel':
      return summary(openSealed(parseParcel(input).sealed, identities));
    case 'openSealed':
      return summary(openSealed(input, identities));
    case 'stampBits':
      return stampBits(parseParcel(input));
    case 'parseAnswer':
      return parseAnswer(input);
    case 'verifyKeyring': {
      const { keyring, digest } = verifyKeyring(input, vector.signature ?? '', parsePublicKey(file.rootKey));
      return { digest, serial: keyring.serial };
    }
    case 'verifySignature': {
      const partAt = SIGNING_KEY_BYTES + SIGNATURE_BYTES;
      return signatureHolds(
        vector.context ?? 'letter',
        [input.slice(partAt)],
        input.slice(SIGNING_KEY_BYTES, partAt),
        input.slice(0, SIGNING_KEY_BYTES),
      );
    }
    case 'teamFor': {
      const { keyring } = verifyKeyring(input, vector.signature ?? '', parsePublicKey(file.rootKey));
      return teamFor(keyring, vector.topic, fromHex(vector.teamKey ?? '')).id;
    }
    case 'parcelText': {
      const { serial, id } = parseParcel(decodeParcelText(fromUtf8(input)));
      return { serial, id };
    }
    case 'letterId':
      return letterId(input, vector.inbox ?? '', decodeIdentity(identities[0] ?? ''));
    case 'recipient':
      return decodeRecipient(fromUtf8(input));
    case 'identity':
      return decodeIdentity(fromUtf8(input));
    case 'dearmor':
      return dearmor(fromUtf8(input));
    case 'parseManifest':
      return Object.keys(parseManifest(input).files).sort();
    case 'checkListed': {
      const end = input.indexOf(0);
      checkListed(parseManifest(input.slice(0, end)), vector.path ?? '', input.slice(end + 1));
      return 'listed';
    }
    case 'sealLetter': {
      const to = identityToRecipient(file.identities['volunteer'] ?? '');
      sealLetter(
        JSON.parse(fromUtf8(input)) as LetterContent,
        Array.from({ length: vector.recipients ?? 1 }, () => to),
      );
      return 'sealed';
    }
    case 'stamp': {
      const stamped = stampParcel(input, vector.difficulty ?? 0);
      return { bits: stampBits(parseParcel(stamped)), counter: readUint32(stamped, COUNTER_OFFSET) };
    }
    case 'open':
      return decrypt(input, identities);
    case 'sealTo': {
      checkRecipient(fromUtf8(input));
      return 'sealed';
    }
    case 'sealReply': {
      sealReply({ team: '0'.repeat(16), text: fromUtf8(input) }, threadOf(new Uint8Array(32)).address, signingKeyPair(new Uint8Array(32)));
      return 'sealed';
    }
    case 'publicKey':
      return parsePublicKey(fromUtf8(input));
    case 'rootKey':
      return secretKeyIn(fromUtf8(input), vector.passphrase, parseSecretKey);
    case 'signer':
      return secretKeyIn(fromUtf8(input), vector.passphrase, parseSigner);
    case 'identities':
      return identitiesIn(input, vector.passphrase ?? '');
    case 'fingerprint':
      return fingerprint(fromUtf8(input));
    case 'keyringThatCounts':
      return countingResult(fromUtf8(input), new Date(vector.now ?? ''));
    case 'converse':
      return conversationsResult(fromUtf8(input));
    case 'followUp':
      return followUpResult(fromUtf8(input));
    case 'teamOf': {
      const { keyring } = verifyKeyring(input, vector.signature ?? '', parsePublicKey(file.rootKey));
      return teamResult(keyring, vector.signers?.[0] ?? '', identities, vector.topic);
    }
    case 'checkValidity': {
      const { keyring } = verifyKeyring(input, vector.signature ?? '', parsePublicKey(file.rootKey));
      checkValidity(keyring, new Date(vector.now ?? ''), vector.floor);
      return 'valid';
    }
  }
}

/** What is wrong with our result, or null. A failure must be that failure: another code, or another error, is wrong. */
async function judge(vector: Vector): Promise<string | null> {
  const expected = JSON.stringify(canonical(vector.expect));
  let got: string;
  try {
    got = JSON.stringify(canonical({ value: await resultOf(vector) }));
  } catch (error) {
    got = error instanceof CodedError ? JSON.stringify({ error: error.code }) : String(error);
  }
  return got === expected ? null : `expected ${expected}, got ${got}`;
}

/** Runs every vector. */
export async function runVectors(
  scope: Scope = { ofEngine: false },
): Promise<{ passed: number; failed: { name: string; reason: string }[] }> {
  await ready;
  const results: { name: string; reason: string | null }[] = [];
  for (const vector of file.vectors) results.push({ name: vector.name, reason: await judge(vector) });
  results.push(...(await runTestkit(scope)));
  const failed = results.flatMap(({ name, reason }) => (reason === null ? [] : [{ name, reason }]));
  return { passed: results.length - failed.length, failed };
}
