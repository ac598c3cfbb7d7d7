// Vectors of what stands around letters and parcels: texts, teams, keys, manifests, and what cannot be made. Called by make.ts.
import { concat, fromHex, readUint32, toHex, uint32, utf8 } from '../../crypto/bytes.ts';
import { armor } from '../../crypto/age/armor.ts';
import { decodeRecipient, generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { bech32 } from '@scure/base';
import { encodeKeyring, teamFor, type Keyring } from '../../crypto/keyring.ts';
import { letterId } from '../../crypto/letter.ts';
import { encodeManifest } from '../../crypto/manifest.ts';
import { decodeIdentity } from '../../crypto/age/identity.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { COUNTER_BYTES, COUNTER_OFFSET, frameParcel, parseParcel } from '../../crypto/parcel.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import type { Vector } from './run.ts';

type Given = {
  readonly keyring: Keyring;
  readonly parcel: Uint8Array;
  readonly letter: Uint8Array;
  readonly worker: string;
  readonly sign: (bytes: Uint8Array) => string;
};
type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };

const fails = (error: string): Vector['expect'] => ({ error });

export function formatVectors({ keyring, parcel, letter, worker, sign }: Given): Made {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, op: Vector['op'], bytes: Uint8Array, expect: Vector['expect'], more: Partial<Vector> = {}): void => {
    blobs[name] = bytes;
    vectors.push({ name, op, input: name, expect, ...more });
  };

  // A parcel as text.
  const text = encodeParcelText(parcel);
  const { serial, id } = parseParcel(parcel);
  add('a parcel as text', 'parcelText', utf8(text), { value: { serial, id: toHex(id) } });
  add('a parcel as text with a character less', 'parcelText', utf8(text.slice(1)), fails('PARCEL_TEXT'));
  add('a parcel as text in the other base64', 'parcelText', utf8(text.replaceAll('-', '+').replaceAll('_', '/')), fails('PARCEL_TEXT'));
  add(
    'a parcel as text with two pieces swapped',
    'parcelText',
    utf8(text.slice(0, 20_000) + text.slice(24_000, 28_000) + text.slice(20_000, 24_000) + text.slice(28_000)),
    fails('PARCEL_CHECK'),
  );

  for (const [name, changed] of [
    ['a line end behind', `${text}\n`],
    ['a space before it', ` ${text}`],
    ['a space in it', text.replace(/^.{40}/, '$& ')],
    ['padding', `${text}=`],
    ['a character that is none', `${text.slice(0, -1)}.`],
  ] as const) {
    add(`a parcel as text with ${name}`, 'parcelText', utf8(changed), fails('PARCEL_TEXT'));
  }

  // Teams.
  const [first] = keyring.teams;
  if (first === undefined) throw new Error('no team');
  const named = (teamId: string, ...topics: readonly string[]): Keyring['teams'][number] => ({
    ...first,
    id: teamId,
    topics: topics.map((topic) => ({ id: topic, names: first.names })),
  });
  const several: Keyring = {
    ...keyring,
    teams: [
      named('0000000000000001', 'legal', 'other'),
      named('00000000000000ff', 'legal'),
      named('ff00000000000000', 'other'),
      named('a1b2c3d4e5f60718', 'health'),
    ],
  };
  const json = encodeKeyring(several);
  const signature = sign(json);
  for (const topic of ['legal', 'health', undefined]) {
    for (const byte of ['00', '01', 'ab']) {
      const teamKey = byte.repeat(32);
      const value = teamFor(several, topic, fromHex(teamKey)).id;
      add(
        `the team for ${topic ?? 'no topic'} under a key of ${byte}`,
        'teamFor',
        json,
        { value },
        { signature, teamKey, ...(topic === undefined ? {} : { topic }) },
      );
    }
  }
  add('the team for a topic that none takes', 'teamFor', json, fails('KEYRING_TOPIC'), {
    signature,
    teamKey: '00'.repeat(32),
    topic: 'money',
  });

  // Keyrings that are signed, and malformed.
  const malformed = (name: string, change: Readonly<Record<string, unknown>>): void => {
    const bytes = utf8(JSON.stringify({ ...keyring, ...change }));
    add(`a keyring ${name}`, 'verifyKeyring', bytes, fails('KEYRING_FORMAT'), { signature: sign(bytes) });
  };
  malformed('whose team has no name', { teams: [{ ...first, names: {} }] });
  malformed('with an answer time in no language', { answerTime: {} });
  malformed('that begins on the 30th of February', { notBefore: '2029-02-30T00:00:00Z' });
  malformed('that begins at 24:00:00', { notBefore: '2030-01-06T24:00:00Z' });
  malformed('of the serial 0', { serial: 0 });
  malformed('of a serial of more than four bytes', { serial: 4_294_967_296 });
  malformed('with a name of 81 characters', { teams: [{ ...first, names: { en: '🕊'.repeat(81) } }] });
  const good = (name: string, change: Readonly<Record<string, unknown>>, more: Partial<Vector> = {}): Uint8Array => {
    const bytes = utf8(JSON.stringify({ ...keyring, ...change }));
    add(name, 'checkValidity', bytes, { value: 'valid' }, { signature: sign(bytes), now: keyring.notBefore, ...more });
    return bytes;
  };
  good('a keyring with a name of 80 characters', { teams: [{ ...first, names: { en: '🕊'.repeat(80) } }] });
  const usual = good('a keyring with fields that are not known', { more: 1 });
  add('a keyring below the floor that has ended as well', 'checkValidity', usual, fails('KEYRING_OLD'), {
    signature: sign(usual),
    now: '2031-01-01T00:00:00Z',
    floor: 8,
  });
  add('a keyring below the floor that has not begun either', 'checkValidity', usual, fails('KEYRING_OLD'), {
    signature: sign(usual),
    now: '2029-01-01T00:00:00Z',
    floor: 8,
  });

  // Letter ids.
  for (const inbox of ['team-a', 'ящик'])
    add(
      `the id of a letter in the inbox "${inbox}"`,
      'letterId',
      letter,
      { value: toHex(letterId(letter, inbox, decodeIdentity(worker))) },
      { inbox, identities: ['worker'] },
    );

  // Keys as text.
  const recipient = identityToRecipient(generateIdentity());
  add('a recipient', 'recipient', utf8(recipient), { value: toHex(decodeRecipient(recipient)) });
  const lastChanged = (key: string): string => key.slice(0, -1) + (key.endsWith('q') ? 'p' : 'q');
  for (const [name, key] of [
    ['in upper case', recipient.toUpperCase()],
    ['with another character', lastChanged(recipient)],
    ['of a classic key', bech32.encode('age', bech32.toWords(new Uint8Array(32)), false)],
  ] as const) {
    add(`a recipient ${name}`, 'recipient', utf8(key), fails('RECIPIENT_FORMAT'));
  }
  const identity = generateIdentity();
  add('an identity', 'identity', utf8(identity), { value: toHex(decodeIdentity(identity)) });
  for (const [name, key] of [
    ['in lower case', identity.toLowerCase()],
    ['cut by a character', identity.slice(0, -1)],
  ] as const)
    add(`an identity ${name}`, 'identity', utf8(key), fails('IDENTITY_FORMAT'));

  // Armor: strict. Its columns, its ends and its base64 must be the ones that age writes.
  const file = utf8('what is in an armored file, longer than one line of sixty-four columns');
  const armored = armor(file);
  add('armor', 'dearmor', utf8(armored), { value: toHex(file) });
  add('armor with CRLF and white space around it', 'dearmor', utf8(`\n ${armored.replaceAll('\n', '\r\n')}\n`), { value: toHex(file) });
  add('armor in longer lines', 'dearmor', utf8(armored.replace(/(\n[^-\n]+)\n(?!-)/, '$1')), fails('AGE_ARMOR'));
  add('armor with another last line', 'dearmor', utf8(armored.replace('END AGE', 'END')), fails('AGE_ARMOR'));
  add('armor of nothing', 'dearmor', utf8(armor(new Uint8Array())), { value: '' });

  // Manifests.
  const manifest = encodeManifest(
    new Map([
      ['form.css', utf8('a')],
      ['en/index.html', utf8('b')],
    ]),
  );
  add('a manifest', 'parseManifest', manifest, { value: ['en/index.html', 'form.css'] });
  const listing = (files: Readonly<Record<string, string>>): Uint8Array => utf8(JSON.stringify({ version: 1, files }));
  add('a manifest of no files', 'parseManifest', listing({}), { value: [] });
  add(
    'a manifest that is not sorted, and has a field that is not known',
    'parseManifest',
    utf8(`{"more":1,"files":{"x":"${'0'.repeat(64)}","A-1/_b.C":"${'1'.repeat(64)}"},"version":1}`),
    { value: ['A-1/_b.C', 'x'] },
  );
  for (const [name, bytes] of [
    ['of no JSON', utf8('x')],
    ['with a path that leads out', utf8('{"version":1,"files":{"../x":"'.concat('0'.repeat(64), '"}}'))],
    ['of another version', utf8('{"version":2,"files":{}}')],
    ...['/x', './x', 'x//y', 'x/', 'x/../y', '.x', 'x/.y', 'x\\y', 'x?y', 'x%2fy', 'x y', 'ы', ''].map(
      (path) => [`with the path "${path}"`, listing({ [path]: '0'.repeat(64) })] as const,
    ),
    ['with a hash in upper case', listing({ x: 'AB'.repeat(32) })],
    ['without files', utf8('{"version":1}')],
    ['with half a hash', utf8('{"version":1,"files":{"x":"00"}}')],
  ] as const)
    add(`a manifest ${name}`, 'parseManifest', bytes, fails('MANIFEST_FORMAT'));
  const listed = (name: string, content: string, expect: Vector['expect']): void =>
    add(name, 'checkListed', concat(manifest, utf8('\0'), utf8(content)), expect, { path: 'form.css' });
  listed('a file of a manifest', 'a', { value: 'listed' });
  listed('a file that a manifest has otherwise', 'A', fails('MANIFEST_DIFFERS'));

  // What cannot be made.
  const sealing = { version: 1, kind: 'request', serial: 7, keyring: 'ab'.repeat(32), language: 'ru' };
  const letterOf = (message: string): Uint8Array => utf8(JSON.stringify({ ...sealing, message }));
  add('a letter too long for its 10,240 bytes', 'sealLetter', letterOf('x'.repeat(10_240)), fails('LETTER_TOO_LONG'), { recipients: 1 });
  add('a letter to nobody', 'sealLetter', letterOf('x'), fails('LETTER_RECIPIENTS'), { recipients: 0 });
  add('a letter to nine', 'sealLetter', letterOf('x'), fails('LETTER_RECIPIENTS'), { recipients: 9 });
  add('a letter to eight', 'sealLetter', letterOf('x'), { value: 'sealed' }, { recipients: 8 });
  const stamped = (name: string, bytes: Uint8Array, difficulty: number): void => {
    const made = stampParcel(bytes, difficulty);
    add(name, 'stamp', bytes, { value: { bits: stampBits(parseParcel(made)), counter: readUint32(made, COUNTER_OFFSET) } }, { difficulty });
  };
  const counting = parcel.slice();
  counting.set(uint32(0xffff_ff00), COUNTER_OFFSET);
  stamped('a stamp of 10 bits', parcel.slice().fill(0, COUNTER_OFFSET, COUNTER_OFFSET + COUNTER_BYTES), 10);
  stamped('a stamp of fewer bits than a parcel has', parcel, 9);
  stamped('a dearer stamp for a parcel that has one', parcel, 13);
  stamped('a dearer stamp for a parcel whose counter is near its end', counting, 12);
  // Counter zero would do, and another one stands there.
  const zero =
    Array.from({ length: 1_000 }, (_, at) => frameParcel(parseParcel(parcel).sealed, at + 1)).find(
      (each) => stampBits(parseParcel(each)) >= 6,
    ) ?? parcel;
  for (let counter = 1; stampBits(parseParcel(zero)) >= 6; counter += 1) zero.set(uint32(counter), COUNTER_OFFSET);
  stamped('a stamp for which the counter goes back to zero', zero, 6);
  add('sealing a reply', 'sealReply', utf8('x'.repeat(7_000)), { value: 'sealed' });
  add('sealing a reply too long for its 8,192 bytes', 'sealReply', utf8('x'.repeat(8_000)), fails('REPLY_TOO_LONG'));
  add('a stamp of more bits than any can have', 'stamp', parcel, fails('STAMP_CHEAP'), { difficulty: 25 });
  add('a stamp of a difficulty below nothing', 'stamp', parcel, fails('STAMP_CHEAP'), { difficulty: -1 });
  return { blobs, vectors };
}
