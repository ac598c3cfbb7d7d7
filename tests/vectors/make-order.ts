// Vectors of what follows from several keyrings, letters or replies together. Called by make.ts.
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { encodeKeyring, type Keyring } from '../../crypto/keyring.ts';
import type { Vector } from './run.ts';

type Given = {
  readonly keyring: Keyring;
  readonly volunteer: string;
  readonly stranger: string;
  readonly sign: (bytes: Uint8Array) => string;
};
type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };

/** A name of one letter stands for what has so many hex digits. */
const named = (letter: string, digits: number): string =>
  letter
    .charCodeAt(0)
    .toString(16)
    .repeat(digits / 2);
const signature = (letter: string): string => named(letter, 128);
const idOf = (n: number): string => n.toString(16).padStart(16, '0').repeat(2);
const short = (n: number): string => idOf(n).slice(0, 16);
const dated = (serial: number, fromDay: number, toDay: number, digest = 'ab'): object => ({
  serial,
  notBefore: `2030-01-${String(fromDay).padStart(2, '0')}T00:00:00Z`,
  notAfter: `2030-01-${String(toDay).padStart(2, '0')}T00:00:00Z`,
  digest: digest.repeat(32),
});

export function orderVectors({ keyring, volunteer, stranger, sign }: Given): Made {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, op: Vector['op'], input: unknown, value: unknown, more: Partial<Vector> = {}): void => {
    blobs[name] = input instanceof Uint8Array ? input : utf8(JSON.stringify(input));
    vectors.push({ name, op, input: name, expect: { value }, ...more });
  };

  // The keyring that counts.
  const counts = (name: string, held: readonly object[], day: number, serial: number, use: string, digest = 'ab'): void => {
    const now = `2030-01-${String(day).padStart(2, '0')}T00:00:00Z`;
    add(name, 'keyringThatCounts', held, { serial, digest: digest.repeat(32), use }, { now });
    add(`${name}, in the other order`, 'keyringThatCounts', held.toReversed(), { serial, digest: digest.repeat(32), use }, { now });
  };
  counts('of two that are valid the higher serial counts', [dated(1, 1, 8), dated(2, 5, 8)], 6, 2, 'valid');
  counts('a higher serial that has not begun does not count yet', [dated(1, 1, 8), dated(2, 8, 15)], 7, 1, 'valid');
  counts('a higher serial that has ended counts, though a lower one is valid', [dated(1, 1, 15), dated(2, 5, 8)], 9, 2, 'KEYRING_EXPIRED');
  counts(
    'where none has begun the one that begins first counts',
    [dated(1, 20, 30), dated(2, 10, 30), dated(3, 15, 30)],
    5,
    2,
    'KEYRING_NOT_YET_VALID',
  );
  counts(
    'where none has begun, and two begin at once, the higher serial counts',
    [dated(4, 10, 30), dated(5, 10, 20)],
    5,
    5,
    'KEYRING_NOT_YET_VALID',
  );
  counts('of two with one serial the lower digest counts', [dated(7, 1, 8, 'ba'), dated(7, 1, 8, 'ab')], 2, 7, 'valid', 'ab');
  counts(
    'of two with one serial the lower digest counts, though it has ended',
    [dated(7, 1, 8, 'ba'), dated(7, 1, 3, 'ab')],
    5,
    7,
    'KEYRING_EXPIRED',
    'ab',
  );
  counts('of two with one serial one that has not begun does not count', [dated(7, 1, 8, 'ba'), dated(7, 5, 8, 'ab')], 2, 7, 'valid', 'ba');
  counts(
    'where none has begun, of two with one serial that begin at once the lower digest counts',
    [dated(7, 5, 8, 'ba'), dated(7, 5, 9, 'ab')],
    2,
    7,
    'KEYRING_NOT_YET_VALID',
    'ab',
  );
  add('no keyring at all', 'keyringThatCounts', [], null, { now: '2030-01-01T00:00:00Z' });

  // Conversations, as a volunteer sees them.
  const thread = named('T', 64);
  const sealedUnder = { version: 1, serial: 7, keyring: 'ab'.repeat(32), language: 'ru' };
  type Change = Readonly<Record<string, unknown>>;
  const letter = (kind: 'request' | 'follow-up', name: string, change: Change = {}, address: Change = {}): object => ({
    ...sealedUnder,
    kind,
    message: name,
    ...change,
    thread: { key: thread, lock: named('L', 64), recipient: 'age1pq1first', signature: signature(name), ...address },
  });
  const request = (name: string, change: Change = {}, address: Change = {}): object => letter('request', name, change, address);
  const further = (name: string, number: number, read: readonly string[] = [], address: Change = {}): object =>
    letter('follow-up', name, { number, read }, address);
  const note = (name: string, id: number, order: Change, action = 'answer', serial = 7): object => ({
    ...sealedUnder,
    serial,
    kind: 'note',
    note: { action, thread, alias: 'Клён', text: name, id: idOf(id), ...order, signer: named('S', 64), signature: signature(name) },
  });
  const at = (number: number, earlier: readonly string[] = []): Change => ({ number, earlier });
  type Seen = {
    readonly lock?: string | null;
    readonly contested?: boolean;
    readonly absent?: number;
    readonly next: readonly [number, readonly string[]];
    readonly serials?: Readonly<Record<string, number>>;
  };
  const one = (
    letters: string,
    { lock = named('L', 64), contested = false, absent = 0, next: [number, earlier], serials = {} }: Seen,
    of: readonly object[],
  ): object => ({
    letters: [...letters].map((name) => {
      const found = of.find((each) => JSON.stringify(each).includes(`"signature":"${signature(name)}"`)) as {
        kind: string;
        note?: { action: string };
      };
      return { signature: signature(name), serial: serials[name] ?? 7, ...(found.note === undefined ? {} : { action: found.note.action }) };
    }),
    lock,
    contested,
    absent,
    next: { number, earlier },
  });
  const converse = (name: string, of: readonly object[], letters: string, seen: Seen, refused = ''): void => {
    add(name, 'converse', of, { conversations: [one(letters, seen, of)], refused: [...refused].map(signature) });
  };
  converse('a request alone', [request('a')], 'a', { next: [1, []] });
  converse('a conversation by its numbers', [note('d', 4, at(4)), further('c', 3, [short(2)]), note('b', 2, at(2)), request('a')], 'abcd', {
    next: [5, [short(2), short(4)]],
  });
  converse('two notes with one number stand by their ids', [note('b', 9, at(1)), note('c', 5, at(1)), request('a')], 'acb', {
    next: [2, [short(5), short(9)]],
  });
  converse(
    'a note and a follow-up with one number: the follow-up has its signature for an id',
    [further('1', 1), note('b', 0x31, at(1)), note('c', 0x3232323232323, at(1)), request('a')],
    'abc1',
    { next: [2, [short(0x31), short(0x3232323232323)]] },
  );
  converse(
    'two notes with one number and one id stand by their signatures',
    [note('c', 5, at(1)), note('b', 5, at(1)), request('a')],
    'abc',
    { next: [2, [short(5)]] },
  );
  converse(
    'two requests of one thread stand by their signatures, before a number that counts as 0',
    [note('a', 5, at(20_000)), request('c'), request('b')],
    'bca',
    { next: [1, [short(5)]] },
  );
  converse('what has no number counts as 1', [note('d', 4, at(2)), note('c', 3, {}), note('b', 2, at(1)), request('a')], 'abcd', {
    next: [3, [2, 3, 4].map(short)],
  });
  converse('a number 10,000 above that of the items counts', [note('c', 3, at(10_003)), note('b', 2, at(5)), request('a')], 'abc', {
    next: [10_004, [short(2), short(3)]],
  });
  converse('a number 10,001 above that of the items counts as 0', [note('c', 3, at(10_004)), note('b', 2, at(5)), request('a')], 'acb', {
    next: [6, [short(3), short(2)]],
  });
  converse(
    'a letter that is there twice is one item',
    [note('c', 3, at(10_004)), note('b', 2, at(5)), note('b', 2, at(5)), request('a'), request('a')],
    'acb',
    { next: [6, [short(3), short(2)]] },
  );
  converse('two requests are two items', [note('c', 3, at(10_004)), note('b', 2, at(5)), request('a'), request('d')], 'adbc', {
    next: [10_005, [short(2), short(3)]],
  });
  converse(
    'claims and handovers have numbers, and are not named as answers',
    [note('d', 4, at(3), 'handover'), note('c', 3, at(2)), note('b', 2, at(1), 'claim'), request('a')],
    'abcd',
    { next: [4, [short(3)]] },
  );
  const many = Array.from({ length: 18 }, (_, i) => note(String.fromCharCode(0x41 + i), i + 1, at(18 - i)));
  converse('the latest sixteen answers are named, in the order in which they stand', [request('a'), ...many], 'aRQPONMLKJIHGFEDCBA', {
    next: [19, Array.from({ length: 16 }, (_, i) => short(16 - i))],
  });
  converse(
    'answers that somebody knew and that are not here',
    [further('c', 3, [short(2), short(9)]), note('b', 2, at(1, [short(8), short(9)])), request('a')],
    'abc',
    { absent: 2, next: [4, [short(2)]] },
  );
  converse(
    'of one letter sealed twice that of the lower serial is shown',
    [request('a', { serial: 9 }), request('a', { serial: 6 }), note('b', 2, at(1), 'claim', 8), note('b', 2, at(1), 'claim', 10)],
    'ab',
    { next: [2, []], serials: { a: 6, b: 8 } },
  );
  converse(
    'a follow-up that names another lock is refused, and no item',
    [further('b', 1, [], { lock: named('M', 64) }), request('a'), note('c', 3, at(10_003))],
    'ac',
    { next: [1, [short(3)]] },
    'b',
  );
  converse(
    'a follow-up that names another recipient is refused',
    [further('b', 1, [], { recipient: 'age1pq1second' }), request('a')],
    'a',
    { next: [1, []] },
    'b',
  );
  converse(
    'of two requests with other locks the first that is read counts',
    [further('c', 1, [], { lock: named('M', 64) }), request('b', {}, { lock: named('M', 64) }), request('a')],
    'bc',
    { lock: named('M', 64), next: [2, []] },
    'a',
  );
  converse(
    'without a request the first follow-up says the lock',
    [further('b', 2, [], { lock: named('M', 64) }), further('a', 1)],
    'b',
    { lock: named('M', 64), next: [3, []] },
    'a',
  );
  const rival = request('b', {}, { key: named('U', 64) });
  add('two threads that name one lock are both shown', 'converse', [request('a'), rival], {
    conversations: [one('a', { contested: true, next: [1, []] }, [request('a')]), one('b', { contested: true, next: [1, []] }, [rival])],
    refused: [],
  });

  // Replies, as a requester sees them, and where further words go.
  const [first] = keyring.teams;
  if (first === undefined) throw new Error('no team');
  const [ours, theirs] = ['0000000000000001', '0000000000000002'];
  const [maple, oak] = [named('S', 64), named('O', 64)];
  const teams = [
    { ...first, id: ours, recipients: [], signers: [maple] },
    { ...first, id: theirs, recipients: [], signers: [oak] },
  ];
  const reply = (name: string, id: number, order: Change, team = ours, signer = maple): object => ({
    version: 1,
    kind: 'reply',
    thread,
    team,
    id: idOf(id),
    text: name,
    ...order,
    signer,
    signature: signature(name),
  });
  const handed = (
    name: string,
    replies: readonly object[],
    shown: string,
    next: { absent?: number; team?: string | null; number: number; read: readonly string[] },
    written: readonly number[] = [],
  ): void => {
    add(name, 'followUp', { teams, replies, written }, { replies: [...shown].map(signature), absent: 0, team: ours, ...next });
  };
  handed('before any answer', [], '', { team: null, number: 1, read: [] });
  handed('replies by their numbers', [reply('b', 2, at(3)), reply('a', 1, at(1))], 'ab', { number: 4, read: [short(1), short(2)] });
  handed('further words go to the team of the last reply', [reply('b', 2, at(3), theirs, oak), reply('a', 1, at(1))], 'ab', {
    team: theirs,
    number: 4,
    read: [short(1), short(2)],
  });
  handed(
    'a reply whose signer is of another team than it names does not say where',
    [reply('b', 2, at(3), theirs), reply('a', 1, at(1))],
    'ab',
    { number: 4, read: [short(1), short(2)] },
  );
  handed(
    'a reply whose team is no longer in the keyring does not say where',
    [reply('b', 2, at(3), 'ffffffffffffffff'), reply('a', 1, at(1), theirs, oak)],
    'ab',
    { team: theirs, number: 4, read: [short(1), short(2)] },
  );
  handed('no reply says where', [reply('a', 1, at(1), theirs)], 'a', { team: null, number: 2, read: [short(1)] });
  handed(
    'one reply sealed twice is shown once, and is one item',
    [reply('b', 2, at(10_003)), reply('b', 2, at(10_003)), reply('a', 1, at(1))],
    'ba',
    { number: 2, read: [short(2), short(1)] },
  );
  handed(
    'words written in this visit are items',
    [reply('b', 2, at(10_003)), reply('a', 1, at(1))],
    'ab',
    { number: 10_004, read: [short(1), short(2)] },
    [2],
  );
  handed('words written in this visit have numbers', [reply('a', 1, at(1))], 'a', { number: 3, read: [short(1)] }, [2]);
  handed('an answer that another mentions and that is not here', [reply('b', 2, at(2, [short(1)]))], 'b', {
    absent: 1,
    number: 3,
    read: [short(2)],
  });

  // The team that a volunteer answers for.
  const [own, other] = [volunteer, stranger].map(identityToRecipient) as [string, string];
  const team = (n: number, topic: string, reader: string, signers: readonly string[]): Keyring['teams'][number] => ({
    ...first,
    id: n.toString(16).padStart(16, '0'),
    topics: [{ id: topic, names: first.names }],
    recipients: [reader],
    signers: [...signers],
  });
  const answers = (name: string, list: Keyring['teams'], topic: string | undefined, value: number | null): void => {
    const bytes = encodeKeyring({ ...keyring, teams: list });
    add(name, 'teamOf', bytes, value === null ? null : value.toString(16).padStart(16, '0'), {
      signature: sign(bytes),
      signers: [maple],
      identities: ['volunteer'],
      ...(topic === undefined ? {} : { topic }),
    });
  };
  answers(
    'of two teams of a signer the one whose letters they read',
    [team(1, 'legal', other, [maple]), team(2, 'health', own, [maple])],
    'legal',
    2,
  );
  answers(
    'of two teams of a signer who reads for both the one with the topic',
    [team(1, 'health', own, [maple]), team(2, 'legal', own, [maple])],
    'legal',
    2,
  );
  answers(
    'of two teams of a signer who reads for none the one with the topic',
    [team(1, 'health', other, [maple]), team(2, 'legal', other, [maple])],
    'legal',
    2,
  );
  answers('without a topic the one that takes others', [team(1, 'health', own, [maple]), team(2, 'other', own, [maple])], undefined, 2);
  answers('where nothing decides the first in the keyring', [team(2, 'health', own, [maple]), team(1, 'health', own, [maple])], 'legal', 2);
  answers('never a team that does not list the signer', [team(1, 'legal', own, [oak]), team(2, 'health', other, [maple])], 'legal', 2);
  answers('no team lists the signer', [team(1, 'legal', own, [oak])], 'legal', null);
  return { blobs, vectors };
}
