import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { openSealed, PARCEL_PLAINTEXT_BYTES } from '../../crypto/parcel.ts';
import { mailboxOf } from '../../crypto/thread.ts';
import { BLANK_FIELD, keys } from '../../redis/keys.ts';
import { bucketOf, REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE, weekOf } from '../../redis/mailboxes.ts';
import { readState } from '../../redis/state.ts';
import { newThread } from '../support/letters.ts';
import { MailboxStand, newSigner } from '../support/mailboxes.ts';
import { oneRedis } from '../support/one-redis.ts';

const WEEK_HOURS = 7 * 24;
const running = () => false;
let stand: MailboxStand;
const emptyRedis = oneRedis();

beforeEach(async () => {
  stand = await MailboxStand.start(await emptyRedis());
});
afterEach(() => stand.stop());

/** This many at once, the last ones by the second signer. */
const several = (count: number, bySecond = 0) =>
  Array.from({ length: count }, (_, i) => stand.deliver(String(i), stand.thread, stand.signers[i < count - bySecond ? 0 : 1]));

describe('a reply', () => {
  it('goes into its own mailbox and no other', async () => {
    const delivery = stand.deliver('ответ');
    await stand.put(delivery);
    await stand.round();
    expect(await stand.waiting()).toEqual([Buffer.from(delivery.reply)]);
    expect(await stand.waiting(newThread())).toEqual([]);
    expect(await stand.dropped()).toEqual({});
  });

  it("of a stranger, or of a signer that a new keyring leaves out, is dropped as 'signer'", async () => {
    await stand.put(stand.deliver('x', stand.thread, newSigner()));
    await stand.round();
    expect(await stand.dropped()).toEqual({ signer: '1' });
    await stand.bench.keyring(2, { signers: [toHex(newSigner().key)] });
    await stand.put(stand.deliver('y'));
    await stand.round();
    expect(await stand.dropped()).toEqual({ signer: '2' });
    expect(await stand.waiting()).toEqual([]);
  });

  it("moved to another mailbox, or with a broken signature, is dropped as 'signature'", async () => {
    const delivery = stand.deliver('x');
    const other = newThread();
    await stand.put({ ...delivery, mailbox: mailboxOf(other.address) }, { ...delivery, signature: randomBytes(64) });
    await stand.round();
    expect(await stand.dropped()).toEqual({ signature: '2' });
    expect([await stand.waiting(), await stand.waiting(other)]).toEqual([[], []]);
  });

  it("that is not an age file to one recipient is dropped as 'structure', whoever signed it", async () => {
    const { mailbox, signer, signature, reply } = stand.deliver('x');
    const kind = 2;
    const plaintext = new Uint8Array(PARCEL_PLAINTEXT_BYTES);
    plaintext.set([kind, ...mailbox, ...signer, ...signature, ...reply]);
    const whole = stand.sealed(plaintext);
    expect(openSealed(whole.sealed, [stand.bench.workerIdentity]).kind).toBe('reply');
    plaintext.fill(0, 1 + 32 + 32 + 64, 1 + 32 + 32 + 64 + 100);
    await stand.bench.put(stand.admin, stand.sealed(plaintext));
    await stand.round();
    expect(await stand.dropped()).toEqual({ structure: '1' });
    expect(await stand.admin.keys('replies:[0-9]*')).toEqual([]);
  });

  it('is kept once when it is sealed into two parcels, in one round or in two', async () => {
    const delivery = stand.deliver('x');
    await stand.put(delivery, delivery);
    await stand.round();
    await stand.put(delivery);
    await stand.round();
    expect(await stand.waiting()).toHaveLength(1);
  });

  it('in a parcel that was opened before is a replay, even after the reply was deleted', async () => {
    const delivery = stand.deliver('x');
    const parcel = stand.bench.parcel({ kind: 'reply', delivery });
    await stand.bench.put(stand.admin, parcel);
    await stand.round();
    await stand.remove([delivery.reply]);
    await stand.round();
    await stand.bench.put(stand.admin, parcel);
    await stand.round();
    expect(await stand.dropped()).toEqual({ replay: '1' });
    expect(await stand.waiting()).toEqual([]);
  });

  it("that is the seventeenth of a mailbox in a week is dropped as 'mailbox-full', and sixteen are kept", async () => {
    await stand.put(...several(REPLIES_A_WEEK + 1, 8));
    await stand.round();
    expect(await stand.dropped()).toEqual({ 'mailbox-full': '1' });
    expect(await stand.waiting()).toHaveLength(REPLIES_A_WEEK);
  });

  it('waits in the pool while no keyring is valid, and no round counts as a sweep', async () => {
    stand.later(WEEK_HOURS + 1);
    await stand.put(stand.deliver('x'));
    const { mix } = await stand.worker();
    await mix.round(running);
    expect(await stand.admin.hlen(keys.pool)).toBe(1);
    expect(mix.lastSweep).toBeNull();
    stand.later(-WEEK_HOURS - 1);
    await stand.round();
    expect(await stand.waiting()).toHaveLength(1);
  });

  it('of a worker that died is delivered once, by another', async () => {
    const parcel = stand.bench.parcel({ kind: 'reply', delivery: stand.deliver('x') });
    await stand.bench.put(stand.admin, parcel);
    const dead = stand.lease('dead');
    await dead.take([parcel.id]);
    await stand.admin.del(keys.lease('dead'));
    await stand.round();
    const bucket = bucketOf(mailboxOf(stand.thread.address), weekOf(stand.now));
    expect(await dead.commit([{ kind: 'reply', id: parcel.id, keyId: stand.bench.keyId(), reply: Buffer.from('x'), bucket }])).toBe(false);
    expect(await stand.waiting()).toHaveLength(1);
  });
});

describe('while the limit of waiting replies is reached, a reply', () => {
  const settings = () => ({ limits: { ...stand.bench.config.limits, replies: 1 } });
  const told = async () => (await readState(stand.admin)).mix;

  it('waits in the pool, no key is shredded, operators are told, and it is stored later', async () => {
    await stand.fill(1);
    await stand.put(stand.deliver('more'));
    const { mix } = await stand.worker({ settings: settings() });
    await mix.round(running);
    expect([await stand.admin.hlen(keys.pool), mix.lastSweep]).toEqual([1, null]);
    expect(await told()).toMatchObject({ held: 'replies-full', replies: '1-9' });
    await stand.round();
    expect(await stand.waiting()).toHaveLength(2);
    expect(await told()).toMatchObject({ held: '', replies: '1-9' });
  });

  it('no longer waits once its signer is revoked', async () => {
    await stand.fill(1);
    await stand.put(stand.deliver('more'));
    const { mix } = await stand.worker({ settings: settings() });
    await mix.round(running);
    await stand.bench.keyring(2, { signers: [toHex(stand.signers[1].key)] });
    await mix.round(running);
    expect([await stand.admin.hlen(keys.pool), await stand.dropped()]).toEqual([0, { signer: '1' }]);
    expect(mix.lastSweep).not.toBeNull();
  });
});

describe('one signer', () => {
  it("fills twelve places of a mailbox in a week; more are dropped as 'signer-full', and others can still answer", async () => {
    const { mix } = await stand.worker();
    await stand.put(...several(REPLIES_A_WEEK_BY_ONE + 1));
    await mix.round(running);
    expect(await stand.dropped()).toEqual({ 'signer-full': '1' });
    expect(await stand.waiting()).toHaveLength(REPLIES_A_WEEK_BY_ONE);
    const [elsewhere, colleague] = [stand.deliver('elsewhere', newThread()), stand.deliver('colleague', stand.thread, stand.signers[1])];
    await stand.put(elsewhere, colleague);
    await mix.round(running);
    expect(await stand.dropped()).toEqual({ 'signer-full': '1' });
    expect((await stand.waiting()).at(-1)).toEqual(Buffer.from(colleague.reply));
  });

  it('fills a tenth of the limit', async () => {
    const { mix } = await stand.worker({ settings: { limits: { ...stand.bench.config.limits, replies: 30 } } });
    await stand.put(...Array.from({ length: 4 }, () => stand.deliver('x', newThread())), stand.deliver('x', newThread(), stand.signers[1]));
    await mix.round(running);
    expect(await stand.dropped()).toEqual({ 'signer-full': '1' });
    expect(await stand.admin.hlen(keys.replies(weekOf(stand.now)))).toBe(4);
  });

  it('has its whole quota again in the next week', async () => {
    stand.later(-WEEK_HOURS);
    const { mix } = await stand.worker();
    await stand.put(...several(REPLIES_A_WEEK_BY_ONE + 1));
    await mix.round(running);
    stand.later(WEEK_HOURS);
    await stand.put(...several(REPLIES_A_WEEK_BY_ONE + 1));
    await mix.round(running);
    expect(await stand.dropped()).toEqual({ 'signer-full': '2' });
    expect(await stand.waiting()).toHaveLength(2 * REPLIES_A_WEEK_BY_ONE);
  });

  it('gets room back for what its reader deleted', async () => {
    const { mix } = await stand.worker();
    const deliveries = several(REPLIES_A_WEEK_BY_ONE);
    await stand.put(...deliveries);
    await mix.round(running);
    await stand.remove(deliveries.slice(0, 1).map(({ reply }) => reply));
    await mix.round(running);
    await stand.put(stand.deliver('in its place'), stand.deliver('one too many'));
    await mix.round(running);
    expect(await stand.dropped()).toEqual({ 'signer-full': '1' });
    expect(await stand.waiting()).toHaveLength(REPLIES_A_WEEK_BY_ONE);
  });
});

it('the first round stores what relays read in place of a missing reply', async () => {
  await stand.round();
  const [reply = Buffer.alloc(0)] = await stand.fill(1);
  expect((await stand.admin.hgetBuffer(keys.repliesBlank, BLANK_FIELD))?.length).toBe(reply.length);
});

it('housekeeping forgets whole weeks, at times that are the same for everyone', async () => {
  const { housekeeping } = await stand.worker();
  const oldest = weekOf(stand.now) - stand.bench.config.replyWeeks;
  for (const week of [oldest - 1, oldest]) await stand.admin.hset(keys.replies(week), 'place', 'x');
  await housekeeping.run();
  expect(await stand.admin.exists(keys.replies(oldest - 1))).toBe(0);
  expect(await stand.admin.exists(keys.replies(oldest))).toBe(1);
});

it('housekeeping forgets no week while no keyring is valid, so that a fast clock loses nothing', async () => {
  const replies = await stand.fill(2);
  const year = 52 * 7 * 24;
  stand.later(year);
  await (await stand.worker()).housekeeping.run();
  stand.later(-year);
  expect(await stand.waiting()).toEqual(replies);
});

it('no signer exceeds its quota by deleting in between, whatever is in one batch', async () => {
  const settings = { limits: { ...stand.bench.config.limits, replies: 100 } };
  const { mix } = await stand.worker({ settings });
  for (let time = 0; time < 6; time += 1) {
    const [first, second] = [newThread(), newThread()];
    const deliveries = [first, second].flatMap((thread) => Array.from({ length: 10 }, (_, i) => stand.deliver(String(i), thread)));
    await stand.put(...deliveries);
    await stand.remove(
      deliveries.map(({ reply }) => reply),
      first,
    );
    await mix.round(() => false);
    expect(await stand.admin.hlen(keys.replies(weekOf(stand.now)))).toBeLessThanOrEqual(10);
  }
});
