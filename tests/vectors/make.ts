// Regenerates tests/vectors/vectors.json: `npx esbuild tests/vectors/make.ts --bundle --packages=external --platform=node
// --format=esm | node --input-type=module -`. Sealing is random, so each run gives other bytes and the same expectations.
import { writeFile } from 'node:fs/promises';
import { base64 } from '@scure/base';
import { encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encodeAnswer } from '../../crypto/answer.ts';
import { concat, fromHex, toHex, utf8 } from '../../crypto/bytes.ts';
import { encodeKeyring, verifyKeyring, type Keyring } from '../../crypto/keyring.ts';
import { LETTER_PLAINTEXT_BYTES } from '../../crypto/letter.ts';
import { encodePublicKey, generateKeyPair, sign } from '../../crypto/minisign.ts';
import {
  CONTENT_BYTES,
  COUNTER_OFFSET,
  frameParcel,
  KIND_BYTES,
  NONCE_OFFSET,
  PARCEL_BYTES,
  PARCEL_PLAINTEXT_BYTES,
  ROUTE_BYTES,
  parseParcel,
  sealParcel,
} from '../../crypto/parcel.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import { formatVectors } from './make-formats.ts';
import { codeVectors } from './make-codes.ts';
import { cardVectors } from './make-cards.ts';
import { keyringVectors } from './make-keyrings.ts';
import { sealingVectors } from './make-sealing.ts';
import { keyVectors } from './make-keys.ts';
import { signatureVectors } from './make-signatures.ts';
import { conversationVectors } from './make-conversation.ts';
import { orderVectors } from './make-order.ts';
import { jsonVectors } from './make-json.ts';
import { stanzaVectors } from './make-stanzas.ts';
import type { Edit, Vector, VectorFile } from './run.ts';

await ready;
const names = { ru: 'Помощь', en: 'Help' };
const [volunteer, colleague, worker, stranger] = Array.from({ length: 4 }, generateIdentity) as [string, string, string, string];
const root = generateKeyPair();
const otherRoot = generateKeyPair();
const team = 'a1b2c3d4e5f60718';
/** Of the keyring's volunteers, 64 hex digits. */
const maple = toHex(generateKeyPair().key);

const keyring: Keyring = {
  version: 1,
  serial: 7,
  notBefore: '2030-01-07T00:00:00Z',
  notAfter: '2030-01-14T00:00:00Z',
  previous: 'ab'.repeat(32),
  worker: identityToRecipient(worker),
  answerTime: { ru: 'обычно за два дня', en: 'usually within two days' },
  teams: [
    { id: team, names, topics: [{ id: 'legal', names }], recipients: [volunteer, colleague].map(identityToRecipient), signers: [maple] },
  ],
};
const json = encodeKeyring(keyring);
const signature = utf8(sign(json, root, 'keyring 7'));
const verified = verifyKeyring(json, new TextDecoder().decode(signature), root);

const openRequest = { language: 'ru', message: 'Здравствуйте. Мне нужен совет.', contact: 'почта: a@example.org' };
const request = { topic: 'legal', ...openRequest };
const sealedUnder = { version: 1 as const, kind: 'request' as const, serial: 7, keyring: verified.digest };
const content = { ...sealedUnder, ...request };
const openContent = { ...sealedUnder, ...openRequest };
const letter = sealLetter(content, keyring.teams[0]?.recipients ?? []);
const parcel = stampParcel(sealParcel({ kind: 'letter', team, letter }, { serial: 7, worker: keyring.worker }), 10);
const decoy = sealParcel({ kind: 'decoy' }, { serial: 7, worker: keyring.worker });

const toEight = (plaintext: Uint8Array): Uint8Array =>
  encrypt(
    plaintext,
    Array.from({ length: 8 }, () => identityToRecipient(volunteer)),
  );
const padded = (text: string): Uint8Array => {
  const bytes = new Uint8Array(LETTER_PLAINTEXT_BYTES).fill(0x20);
  bytes.set(utf8(text));
  return bytes;
};
const toWorker = (plaintext: Uint8Array): Uint8Array => encrypt(plaintext, [keyring.worker]);
const inside = (kind: number, fill: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(PARCEL_PLAINTEXT_BYTES);
  bytes.set(concat(Uint8Array.of(kind), fromHex(team), fill).subarray(0, PARCEL_PLAINTEXT_BYTES));
  return bytes;
};
const broken = letter.slice();
broken[23] = 0x58;

const blobs = {
  letter,
  parcel,
  decoy,
  json,
  signature,
  'parcel under serial 8': stampParcel(frameParcel(parseParcel(parcel).sealed, 8), 10),
  'changed sealed part': parseParcel(parcel).sealed.map((byte, at) => (at === 20_000 ? byte ^ 1 : byte)),
  answer: encodeAnswer({ result: 'stamp', difficulty: 14, retryAfterSeconds: 0 }),
  'letter of no JSON': toEight(padded('no JSON')),
  'letter of another version': toEight(padded(JSON.stringify({ ...content, version: 2 }))),
  'letter without a topic': toEight(padded(JSON.stringify(openContent))),
  'letter with an empty topic': toEight(padded(JSON.stringify({ ...content, topic: '' }))),
  'letter without a message': toEight(padded(JSON.stringify({ ...content, message: '' }))),
  'letter of broken UTF-8': toEight(concat(Uint8Array.of(0xff), padded('').subarray(1))),
  'sealed part, kind 9': toWorker(inside(9, new Uint8Array())),
  'sealed part, content that is no letter': toWorker(inside(1, new Uint8Array(CONTENT_BYTES))),
  'sealed part, letter with another stanza type': toWorker(inside(1, broken)),
  'sealed part, padding not zero': toWorker(inside(1, concat(letter, Uint8Array.of(0, 1)))),
  'sealed part, decoy with content': toWorker(inside(0, new Uint8Array())),
  'sealed part, too short inside': toWorker(inside(1, letter).subarray(1)),
  'keyring of two teams with one id': encodeLoose({ ...keyring, teams: [keyring.teams[0], keyring.teams[0]] }),
  'keyring without a team': encodeLoose({ ...keyring, teams: [] }),
  'keyring that ends before it begins': encodeLoose({ ...keyring, notAfter: keyring.notBefore }),
  'keyring with a broken recipient': encodeLoose({
    ...keyring,
    worker: `${keyring.worker.slice(0, -1)}${keyring.worker.endsWith('q') ? 'p' : 'q'}`,
  }),
};

function encodeLoose(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

type Blob = keyof typeof blobs;
const vectors: Vector[] = [];
const add = (name: string, op: Vector['op'], input: Blob, expect: Vector['expect'], more: Partial<Vector> = {}): void => {
  vectors.push({ name, op, input, expect, ...more });
};
const fails = (error: string): Vector['expect'] => ({ error });
const edited = (...edits: Edit[]): Partial<Vector> => ({ edits });

add('a letter opens', 'openLetter', 'letter', { value: content }, { identities: ['volunteer'] });
add('a letter opens for the colleague', 'openLetter', 'letter', { value: content }, { identities: ['stranger', 'colleague'] });
add('a letter does not open for a stranger', 'openLetter', 'letter', fails('AGE_NO_MATCH'), { identities: ['stranger'] });
add('a letter cut by a byte', 'openLetter', 'letter', fails('LETTER_STRUCTURE'), { identities: ['volunteer'], ...edited({ cut: 1 }) });
add('a letter with a byte more', 'openLetter', 'letter', fails('LETTER_STRUCTURE'), {
  identities: ['volunteer'],
  ...edited({ append: '00' }),
});
add('a letter with another stanza type', 'openLetter', 'letter', fails('LETTER_STRUCTURE'), {
  identities: ['volunteer'],
  ...edited({ at: 25, set: '58' }),
});
add('a letter with a changed MAC', 'openLetter', 'letter', fails('AGE_MAC'), {
  identities: ['volunteer'],
  ...edited({ at: 22 + 8 * 1557 + 4, set: '41414141' }),
});
add('a letter with a changed payload', 'openLetter', 'letter', fails('AGE_PAYLOAD'), {
  identities: ['volunteer'],
  ...edited({ at: 22_700, set: '0000000000000000' }),
});
add('a letter of no JSON', 'openLetter', 'letter of no JSON', fails('LETTER_FORMAT'), { identities: ['volunteer'] });
add('a letter of another version', 'openLetter', 'letter of another version', fails('LETTER_FORMAT'), { identities: ['volunteer'] });
add('a letter without a topic', 'openLetter', 'letter without a topic', { value: openContent }, { identities: ['volunteer'] });
add('a letter with an empty topic', 'openLetter', 'letter with an empty topic', fails('LETTER_FORMAT'), { identities: ['volunteer'] });
add('a letter without a message', 'openLetter', 'letter without a message', fails('LETTER_FORMAT'), { identities: ['volunteer'] });
add('a letter of broken UTF-8', 'openLetter', 'letter of broken UTF-8', fails('LETTER_FORMAT'), { identities: ['volunteer'] });

add('a parcel parses', 'parseParcel', 'parcel', { value: { serial: 7 } });
add('a parcel opens', 'openParcel', 'parcel', { value: { kind: 'letter', team } }, { identities: ['worker'] });
add('a decoy opens', 'openParcel', 'decoy', { value: { kind: 'decoy' } }, { identities: ['stranger', 'worker'] });
add('a parcel does not open for a volunteer', 'openParcel', 'parcel', fails('AGE_NO_MATCH'), { identities: ['volunteer'] });
add('a parcel cut by a byte', 'parseParcel', 'parcel', fails('PARCEL_SIZE'), edited({ cut: 1 }));
add('a parcel with a byte more', 'parseParcel', 'parcel', fails('PARCEL_SIZE'), edited({ append: '00' }));
add('a parcel of version 0', 'parseParcel', 'parcel', fails('PARCEL_VERSION'), edited({ at: 3, set: '00' }));
add('a parcel of version 2', 'parseParcel', 'parcel', fails('PARCEL_VERSION'), edited({ at: 3, set: '02' }));
add('a parcel that is no age file', 'parseParcel', 'parcel', fails('PARCEL_SEALED'), edited({ at: 16, set: '41' }));
add('a parcel with another stanza type', 'parseParcel', 'parcel', fails('PARCEL_SEALED'), edited({ at: 16 + 25, set: '58' }));
add('a parcel with a body line too long', 'parseParcel', 'parcel', fails('PARCEL_SEALED'), edited({ at: 16 + 22 + 18 + 1494, set: '41' }));
add('a parcel with a changed payload', 'parseParcel', 'parcel', fails('PARCEL_CHECK'), edited({ at: 20_000, set: '0000000000000000' }));
add(
  'a parcel whose last byte is another',
  'parseParcel',
  'parcel',
  fails('PARCEL_CHECK'),
  edited({ at: PARCEL_BYTES - 1, set: toHex(Uint8Array.of((parcel.at(-1) ?? 0) ^ 1)) }),
);
add('a parcel of another serial', 'parseParcel', 'parcel', fails('PARCEL_CHECK'), edited({ at: 7, set: '08' }));
add(
  'a parcel with another check',
  'parseParcel',
  'parcel',
  fails('PARCEL_CHECK'),
  edited({ at: NONCE_OFFSET, set: toHex(Uint8Array.of((parcel[NONCE_OFFSET] ?? 0) ^ 1)) }),
);
add('a parcel without a check', 'parseParcel', 'parcel', fails('PARCEL_CHECK'), edited({ at: NONCE_OFFSET, set: '00000000' }));
add(
  'a parcel with another counter parses',
  'parseParcel',
  'parcel',
  { value: { serial: 7 } },
  edited({ at: COUNTER_OFFSET, set: 'ffffffff' }),
);
add(
  'a parcel of another version and with a changed payload',
  'parseParcel',
  'parcel',
  fails('PARCEL_VERSION'),
  edited({ at: 3, set: '02' }, { at: 20_000, set: '0000000000000000' }),
);
add('a sealed part with a changed payload', 'openSealed', 'changed sealed part', fails('AGE_PAYLOAD'), { identities: ['worker'] });
for (const input of [
  'sealed part, kind 9',
  'sealed part, padding not zero',
  'sealed part, decoy with content',
  'sealed part, too short inside',
] as const) {
  add(input, 'openSealed', input, fails('PARCEL_FORMAT'), { identities: ['worker'] });
}
add('content that is no letter', 'openSealed', 'sealed part, content that is no letter', fails('LETTER_STRUCTURE'), {
  identities: ['worker'],
});
add('a letter inside with another stanza type', 'openSealed', 'sealed part, letter with another stanza type', fails('LETTER_STRUCTURE'), {
  identities: ['worker'],
});

add('a stamp is worth its bits', 'stampBits', 'parcel', { value: stampBits(parseParcel(parcel)) });
add(
  'a stamp does not fit another counter',
  'stampBits',
  'parcel',
  { value: bitsAfter(COUNTER_OFFSET, 'ff') },
  edited({ at: COUNTER_OFFSET, set: 'ff' }),
);
add('a stamp of another serial', 'stampBits', 'parcel under serial 8', { value: stampBits(parseParcel(blobs['parcel under serial 8'])) });

function bitsAfter(at: number, set: string): number {
  const copy = parcel.slice();
  copy.set(fromHex(set), at);
  return stampBits(parseParcel(copy));
}

add('an answer parses', 'parseAnswer', 'answer', { value: { result: 'stamp', difficulty: 14, retryAfterSeconds: 0 } });
add('an answer cut short', 'parseAnswer', 'answer', fails('ANSWER_FORMAT'), edited({ cut: 1 }));
add('an answer of another version', 'parseAnswer', 'answer', fails('ANSWER_FORMAT'), edited({ at: 3, set: '02' }));
add('an answer of an unknown result', 'parseAnswer', 'answer', fails('ANSWER_FORMAT'), edited({ at: 7, set: '63' }));

const signedBy = (key: typeof root, bytes: Uint8Array): string => sign(bytes, key, 'keyring 7');
add('a keyring verifies', 'verifyKeyring', 'json', { value: { digest: verified.digest, serial: 7 } }, { signature: signedBy(root, json) });
add('a keyring signed by another key', 'verifyKeyring', 'json', fails('MINISIGN_KEY'), { signature: signedBy(otherRoot, json) });
add('a keyring signed by another key under our key id', 'verifyKeyring', 'json', fails('MINISIGN_SIGNATURE'), {
  signature: signedBy({ ...otherRoot, id: root.id }, json),
});
add('a keyring with a changed byte', 'verifyKeyring', 'json', fails('MINISIGN_SIGNATURE'), {
  signature: signedBy(root, json),
  ...edited({ at: 30, set: '39' }),
});
add('a signature with another trusted comment', 'verifyKeyring', 'json', fails('MINISIGN_SIGNATURE'), {
  signature: signedBy(root, json).replace('keyring 7', 'keyring 8'),
});
add('a signature with a line missing', 'verifyKeyring', 'json', fails('MINISIGN_FORMAT'), {
  signature: signedBy(root, json).split('\n').slice(1).join('\n'),
});
add('a signature of the older kind', 'verifyKeyring', 'json', fails('MINISIGN_FORMAT'), {
  signature: signedBy(root, json).replace('\nRUQ', '\nRWQ').replace('\nRUR', '\nRWR').replace('\nRUS', '\nRWS').replace('\nRUT', '\nRWT'),
});
for (const input of [
  'keyring of two teams with one id',
  'keyring without a team',
  'keyring that ends before it begins',
  'keyring with a broken recipient',
] as const) {
  add(input, 'verifyKeyring', input, fails('KEYRING_FORMAT'), { signature: signedBy(root, blobs[input]) });
}
const validity = (name: string, now: string, expect: Vector['expect'], floor = 1): void => {
  add(name, 'checkValidity', 'json', expect, { signature: signedBy(root, json), now, floor });
};
validity('a keyring is valid from its first second', '2030-01-07T00:00:00Z', { value: 'valid' });
validity('a keyring is valid until just before its end', '2030-01-13T23:59:59Z', { value: 'valid' });
validity('a keyring is not valid at its end', '2030-01-14T00:00:00Z', fails('KEYRING_EXPIRED'));
validity('a keyring is not valid before its beginning', '2030-01-06T23:59:59Z', fails('KEYRING_NOT_YET_VALID'));
validity('a keyring below the floor is refused', '2030-01-08T00:00:00Z', fails('KEYRING_OLD'), 8);

const codes = codeVectors();
const keys = await keyVectors({ json, root, digest: verified.digest, serial: keyring.serial });
const signatures = signatureVectors();
const formats = formatVectors({ keyring, parcel, letter, worker, sign: (bytes) => signedBy(root, bytes) });
const conversation = conversationVectors({ volunteer, colleague, worker, team, serial: keyring.serial, digest: verified.digest });
const stanzas = stanzaVectors({ volunteer, content });
const jsons = jsonVectors({ volunteer, stranger, keyring, digest: verified.digest, sign: (bytes) => signedBy(root, bytes) });
const order = orderVectors({ keyring, volunteer, stranger, sign: (bytes) => signedBy(root, bytes) });
const made = [
  conversation,
  codes,
  keys,
  cardVectors(conversation.words.split(' ')),
  keyringVectors({ keyring, rootKey: encodePublicKey(root), sign: (bytes) => signedBy(root, bytes) }),
  sealingVectors(volunteer),
  signatures,
  formats,
  stanzas,
  jsons,
  order,
];

// A request made by the function that browser and command line share opens as it was written.
const whole = sealRequest(request, verified);
const named = [...Object.keys(blobs), ...made.flatMap((each) => Object.keys(each.blobs))];
const twice = named.find((name, at) => named.indexOf(name) !== at);
if (twice !== undefined) throw new Error(`two inputs are called "${twice}"`);
const file: VectorFile = {
  identities: { volunteer, colleague, worker, stranger, ...conversation.identities },
  rootKey: encodePublicKey(root),
  words: conversation.words,
  blobs: Object.fromEntries(
    [...Object.entries(blobs), ...made.flatMap((each) => Object.entries(each.blobs)), ['sealed request', whole] as const].map(
      ([name, bytes]) => [name, base64.encode(bytes)],
    ),
  ),
  vectors: [
    ...vectors,
    ...made.flatMap((each) => each.vectors),
    {
      name: 'a sealed request opens',
      op: 'openParcel',
      input: 'sealed request',
      identities: ['worker'],
      expect: { value: { kind: 'letter', team } },
    },
  ],
};
if (ROUTE_BYTES + KIND_BYTES + CONTENT_BYTES !== PARCEL_PLAINTEXT_BYTES) throw new Error('lengths do not add up');
await writeFile('tests/vectors/vectors.json', `${JSON.stringify(file, null, 1)}\n`);
