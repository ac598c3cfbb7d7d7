// Vectors of keyrings: what is signed and malformed, and what is taken although it looks odd. Called by make.ts.
import { bech32 } from '@scure/base';
import { decodeRecipient, generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { blake2b, concat, fromHex, toHex, utf8 } from '../../crypto/bytes.ts';
import { keyringDigest, MAX_KEYRING_BYTES, teamFor, verifyKeyring, type Keyring } from '../../crypto/keyring.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import type { Vector } from './run.ts';

type Given = { readonly keyring: Keyring; readonly rootKey: string; readonly sign: (bytes: Uint8Array) => string };
type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };
type Change = Readonly<Record<string, unknown>>;

export function keyringVectors({ keyring, rootKey, sign }: Given): Made {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const [team] = keyring.teams;
  if (team === undefined) throw new Error('no team');
  const teamId = (index: number): string => toHex(blake2b(8, utf8(String(index))));
  const of = (change: Change): Uint8Array => utf8(JSON.stringify({ ...keyring, ...change }));
  const ofTeam = (change: Change): Change => ({ teams: [{ ...team, ...change }] });
  const add = (name: string, bytes: Uint8Array, expect: Vector['expect'], more: Partial<Vector> = {}): void => {
    blobs[name] = bytes;
    vectors.push({ name, op: 'verifyKeyring', input: name, signature: sign(bytes), expect, ...more });
  };
  const taken = (name: string, change: Change): void => {
    const bytes = of(change);
    add(`a keyring ${name}`, bytes, { value: { digest: keyringDigest(bytes), serial: keyring.serial } });
  };
  const refused = (name: string, change: Change, error: string): void => add(`a keyring ${name}`, of(change), { error });
  const malformed = (name: string, change: Change): void => refused(name, change, 'KEYRING_FORMAT');
  const [topic] = team.topics;
  const topics = (count: number): Change =>
    ofTeam({ topics: Array.from({ length: count }, (_, i) => ({ ...topic, id: `topic-${String(i)}` })) });
  const teams = (count: number): Change => ({
    teams: Array.from({ length: count }, (_, i) => ({ ...team, id: teamId(i), recipients: team.recipients.slice(0, 1) })),
  });
  const signers = (count: number): Change =>
    ofTeam({ signers: Array.from({ length: count }, (_, i) => toHex(blake2b(32, utf8(String(i))))) });
  const ofForm = (bytes: Uint8Array): string => bech32.encode('age1pq', bech32.toWords(bytes), false);
  const good = decodeRecipient(keyring.worker);

  // What only whoever signs looks at.
  taken('with a topic twice in a team', ofTeam({ topics: [topic, topic] }));
  taken('with a recipient in two teams', { teams: [team, { ...team, id: teamId(1) }] });
  taken("with the worker's recipient in a team", ofTeam({ recipients: [keyring.worker] }));
  taken('with a recipient that X-Wing refuses', ofTeam({ recipients: [ofForm(concat(good.slice(0, 1184), new Uint8Array(32)))] }));
  taken('with a signer of small order, twice', ofTeam({ signers: [`01${'00'.repeat(31)}`, `01${'00'.repeat(31)}`] }));
  taken('that begins in the year 0000', { notBefore: '0000-01-01T00:00:00Z' });
  taken('that begins on the 29th of February of a leap year', { notBefore: '2028-02-29T00:00:00Z' });
  taken('with a language of two letters and one of three', ofTeam({ names: { ru: 'а', chv: 'а' } }));

  // The limits, and one more.
  for (const [make, most, what] of [
    [topics, 16, 'topics'],
    [teams, 32, 'teams'],
    [signers, 16, 'signers'],
  ] as const) {
    taken(`with ${String(most)} ${what}`, make(most));
    malformed(`with ${String(most + 1)} ${what}`, make(most + 1));
  }
  const readers = Array.from({ length: 9 }, () => identityToRecipient(generateIdentity()));
  taken('with eight recipients', ofTeam({ recipients: readers.slice(0, 8) }));
  refused('with nine recipients', ofTeam({ recipients: readers }), 'KEYRING_CROWDED');
  refused('with nine recipients, all the same', ofTeam({ recipients: Array.from({ length: 9 }, () => keyring.worker) }), 'KEYRING_CROWDED');
  malformed('with no recipient', ofTeam({ recipients: [] }));
  const twice = { recipients: [readers[0], readers[1], readers[0]] };
  refused('with a recipient twice in a team', ofTeam(twice), 'KEYRING_RECIPIENTS');
  refused('with a recipient twice in the second team', { teams: [team, { ...team, id: teamId(1), ...twice }] }, 'KEYRING_RECIPIENTS');
  refused('with a team without "signers"', ofTeam({ signers: undefined }), 'KEYRING_SIGNERS');
  refused('with a second team without a signer', { teams: [team, { ...team, id: teamId(1), signers: [] }] }, 'KEYRING_SIGNERS');
  refused(
    'with a team without a signer, and one with a recipient twice',
    {
      teams: [
        { ...team, signers: [] },
        { ...team, id: teamId(1), ...twice },
      ],
    },
    'KEYRING_RECIPIENTS',
  );
  malformed('with a team without a signer, and a previous digest of 63 digits', { ...ofTeam({ signers: [] }), previous: 'a'.repeat(63) });
  malformed('with "signers" that are null', ofTeam({ signers: null }));
  const release = { version: '1.12.0', digest: 'cd'.repeat(32) };
  taken('with a release', { release });
  taken('with a release that is a candidate', { release: { ...release, version: '2.0.0-rc.1' } });
  for (const version of ['1.12', 'v1.12.0', '1.012.0', '1.12.0-', '1.12.0+1', '', `1.0.0-${'a'.repeat(27)}`]) {
    malformed(`with a release of the version "${version}"`, { release: { ...release, version } });
  }
  taken('with a release of a version of 32 characters', { release: { ...release, version: `1.0.0-${'a'.repeat(26)}` } });
  malformed('with a release whose digest has 62 digits', { release: { ...release, digest: 'cd'.repeat(31) } });
  malformed('with a release without a digest', { release: { version: release.version } });
  malformed('with no topic', ofTeam({ topics: [] }));
  malformed('of version 2', { version: 2 });
  malformed('whose serial is text', { serial: '7' });
  malformed('without a worker', { worker: undefined });
  malformed('with a previous digest of 63 digits', { previous: 'a'.repeat(63) });
  for (const id of ['', 'Legal', 'le gal', 'a'.repeat(33), 'право'])
    malformed(`with the topic id "${id}"`, ofTeam({ topics: [{ ...topic, id }] }));
  for (const id of ['a1b2c3d4e5f6071', 'A1B2C3D4E5F60718', 'a1b2c3d4e5f6071g']) malformed(`with the team id "${id}"`, ofTeam({ id }));
  for (const language of ['r', 'russ', 'RU', 'r1']) malformed(`with names in "${language}"`, ofTeam({ names: { [language]: 'а' } }));
  malformed('with an empty name', ofTeam({ names: { ru: '' } }));
  for (const signer of ['AB'.repeat(32), 'ab'.repeat(31)]) malformed(`with the signer ${signer}`, ofTeam({ signers: [signer] }));
  for (const notBefore of [
    '2030-01-06T23:59:60Z',
    '2030-01-06T00:00:00+00:00',
    '2030-01-06T00:00:00.000Z',
    '2030-01-06 00:00:00Z',
    '2030-01-06T00:00Z',
  ])
    malformed(`that begins at ${notBefore}`, { notBefore });
  const broken = of(ofTeam({ names: { ru: 'aXb' } }));
  broken[new TextDecoder().decode(broken).indexOf('aXb') + 1] = 0xff;
  add('a keyring of broken UTF-8 in a name', broken, { error: 'KEYRING_FORMAT' });

  // Its size comes first, whatever the signature says.
  const json = of({});
  const whole = concat(json, new Uint8Array(MAX_KEYRING_BYTES - json.length).fill(0x20));
  const edits = (length: number): Partial<Vector> => ({ edits: [{ append: '20', times: length - json.length }] });
  add(
    'a keyring of 1,048,576 bytes',
    json,
    { value: { digest: keyringDigest(whole), serial: keyring.serial } },
    { ...edits(MAX_KEYRING_BYTES), signature: sign(whole) },
  );
  add('a keyring of 1,048,577 bytes', json, { error: 'KEYRING_FORMAT' }, edits(MAX_KEYRING_BYTES + 1));

  // A request without a topic where no team takes "other".
  const two = of({ teams: [team, { ...team, id: teamId(1) }, { ...team, id: teamId(2) }] });
  const parsed = verifyKeyring(two, sign(two), parsePublicKey(rootKey)).keyring;
  for (const byte of ['00', '03', '07']) {
    const teamKey = byte.repeat(32);
    add(
      `the team for no topic where none takes "other", under a key of ${byte}`,
      two,
      { value: teamFor(parsed, undefined, fromHex(teamKey)).id },
      { op: 'teamFor', teamKey },
    );
  }
  chainVectors((name, held, expect) => {
    blobs[name] = utf8(JSON.stringify(held));
    vectors.push({ name, op: 'chained', input: name, expect });
  });
  return { blobs, vectors };
}

type Link = { readonly serial: number; readonly digest: string; readonly previous: string | null };

/** Several keyrings of one root key, each of which is good alone: which fit together. */
function chainVectors(add: (name: string, held: readonly Link[], expect: Vector['expect']) => void): void {
  const link = (serial: number, digest: string, previous: string | null): Link => ({
    serial,
    digest: digest.repeat(64),
    previous: previous === null ? null : previous.repeat(64),
  });
  const both = (name: string, held: readonly Link[], fit: string, refused: readonly string[] = []): void => {
    for (const [order, list] of [
      [name, held],
      [`${name}, in the other order`, held.toReversed()],
    ] as const) {
      add(order, list, { value: { fit, refused } });
    }
  };
  const first = link(1, 'a', null);
  both('three keyrings, each of which names the one before', [first, link(2, 'b', 'a'), link(3, 'c', 'b')], '1a 2b 3c');
  both('a keyring that names another than the one before', [first, link(2, 'b', 'c')], '1a', ['2b KEYRING_CHAIN']);
  both('a keyring that names none, after one', [first, link(2, 'b', null)], '1a', ['2b KEYRING_CHAIN']);
  both('keyrings between which others are missing', [first, link(3, 'c', 'b'), link(7, 'd', 'e')], '1a 3c 7d');
  both('the keyring after a refused one', [first, link(2, 'b', 'c'), link(3, 'd', 'b')], '1a 3d', ['2b KEYRING_CHAIN']);
  both('two keyrings of one serial', [first, link(2, 'c', 'a'), link(2, 'b', 'a')], '1a 2b', ['2c KEYRING_TWICE']);
  both(
    'two keyrings of one serial, and one that names that which does not count',
    [link(2, 'c', 'a'), link(2, 'b', 'a'), link(3, 'd', 'c')],
    '2b',
    ['2c KEYRING_TWICE', '3d KEYRING_CHAIN'],
  );
  both(
    'two keyrings of one serial, the lower of which names another than the one before',
    [first, link(2, 'c', 'a'), link(2, 'b', 'd')],
    '1a 2c',
    ['2b KEYRING_CHAIN'],
  );
  both('the same keyring given twice', [first, link(2, 'b', 'a'), link(2, 'b', 'a')], '1a 2b');
  add('no keyring in a chain', [], { value: { fit: '', refused: [] } });
}
