import { beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { shortReplyId } from '../../crypto/removal.ts';
import { replyId } from '../../crypto/reply.ts';
import { ready } from '../../crypto/sodium.ts';
import { bucketOf, weekOf } from '../../redis/mailboxes.ts';
import { Room } from '../../worker/obstacles.ts';
import type { Opened } from '../../worker/opening.ts';
import { Placing } from '../../worker/placing.ts';
import { SignerQuota } from '../../worker/signer-quota.ts';
import { SweepTracker } from '../../worker/sweep.ts';

beforeAll(() => ready);

const NOW = new Date('2026-03-04T12:00:00Z');
const KEY_ID = '1f'.repeat(16);
const name = (): Buffer => Buffer.from(randomBytes(32));
const outbox = (inbox: string, waiting: number) => ({ inbox, depths: () => Promise.resolve({ waiting, dead: 0 }) });
const bucket = { key: 'replies:1', fields: [Buffer.alloc(16)] };

type Fixture = { placing: Placing; room: Room; sweep: SweepTracker };

async function fixture(options: { waiting?: number; quota?: SignerQuota; found?: readonly Uint8Array[] } = {}): Promise<Fixture> {
  const { waiting = 0, quota = new SignerQuota(1_000), found = [] } = options;
  const sweep = new SweepTracker(NOW, [KEY_ID]);
  const mailboxes = { find: () => Promise.resolve({ buckets: [bucket], replies: found.map((id) => ({ id, digest: 'd' })) }) };
  const room = await Room.measure([outbox('a', waiting), outbox('b', 0)], 0, { outbox: 1, dead: 1, replies: 1 });
  return { placing: new Placing(mailboxes, quota, sweep, NOW), room, sweep };
}

const letter = (...inboxes: string[]): Opened => {
  const to = inboxes.map((inbox) => ({ inbox, letterId: Buffer.alloc(16) }));
  return { kind: 'letter', id: name(), keyId: KEY_ID, letter: Buffer.from('letter'), to };
};
const delivery = (signer: Uint8Array, mailbox: Uint8Array): Extract<Opened, { kind: 'delivery' }> => {
  const sealed = { signer, mailbox, reply: randomBytes(100), signature: randomBytes(64) };
  return { kind: 'delivery', id: name(), keyId: KEY_ID, delivery: sealed };
};
const kinds = async ({ placing, room }: Fixture, ...opened: Opened[]): Promise<string[]> =>
  (await placing.placeAll(opened, room)).map(({ kind }) => kind);

describe('a letter', () => {
  it('goes to all inboxes of its team, and back when one is full, so that its key is still needed', async () => {
    const place = await fixture();
    expect(await kinds(place, letter('a', 'b'))).toEqual(['letter']);
    expect(place.sweep.completed()).not.toBeNull();
    expect(await kinds(place, letter('a', 'b'))).toEqual(['back']);
    expect(place.sweep.completed()).toBeNull();
    expect(await kinds(await fixture({ waiting: 1 }), letter('a', 'b'), letter('b'))).toEqual(['back', 'letter']);
  });

  it('of a team without inboxes goes back', async () => {
    expect(await kinds(await fixture(), letter())).toEqual(['back']);
  });
});

describe('a reply', () => {
  it('goes into its mailbox of this week, and back when the limit of waiting replies is reached', async () => {
    const { placing, room, sweep } = await fixture();
    const one = delivery(name(), name());
    const [placed, back] = await placing.placeAll([one, delivery(name(), name())], room);
    const reply = Buffer.from(one.delivery.reply);
    expect(placed).toEqual({ kind: 'reply', id: one.id, keyId: KEY_ID, reply, bucket: bucketOf(one.delivery.mailbox, weekOf(NOW)) });
    expect([back?.kind, sweep.completed()]).toEqual(['back', null]);
  });

  it('beyond the quota of its signer is dropped, and needs no key', async () => {
    const place = await fixture({ quota: new SignerQuota(1) });
    const signer = name();
    const outcomes = await place.placing.placeAll([delivery(signer, name()), delivery(signer, name())], place.room);
    expect(outcomes).toMatchObject([{ kind: 'reply' }, { kind: 'drop', reason: 'signer-full', keyId: KEY_ID }]);
    expect(place.sweep.completed()).not.toBeNull();
  });
});

describe('a removal', () => {
  const removal = (mailbox: Uint8Array, ...replies: Uint8Array[]): Opened => {
    return { kind: 'removal', id: name(), keyId: KEY_ID, removal: { mailbox, replies } };
  };

  it('of missing replies is dropped', async () => {
    const { placing, room } = await fixture();
    expect(await placing.placeAll([removal(name(), name())], room)).toMatchObject([{ kind: 'drop', reason: 'reply-gone' }]);
  });

  it('comes before the replies of its batch, so that it frees none of their places', async () => {
    const quota = new SignerQuota(10);
    const [signer, mailbox] = [name(), name()];
    const one = delivery(signer, mailbox);
    const id = shortReplyId(replyId(one.delivery.reply));
    const { placing, room } = await fixture({ quota, found: [id] });
    expect((await placing.placeAll([one, removal(mailbox, id)], room)).map(({ kind }) => kind)).toEqual(['delete', 'reply']);
    expect(quota.tryAdd(delivery(signer, name()).delivery)).toBe(false);
  });
});

it('what was decided on opening stays as it is', async () => {
  const decided: Opened[] = [
    { kind: 'back', id: name() },
    { kind: 'drop', id: name(), keyId: null, reason: 'damaged' },
  ];
  const { placing, room, sweep } = await fixture();
  expect(await placing.placeAll(decided, room)).toEqual(decided);
  expect(sweep.completed()).not.toBeNull();
});
