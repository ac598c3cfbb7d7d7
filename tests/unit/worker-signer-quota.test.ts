import { beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { shortReplyId } from '../../crypto/removal.ts';
import { replyId, type Delivery } from '../../crypto/reply.ts';
import { ready } from '../../crypto/sodium.ts';
import { REPLIES_A_WEEK_BY_ONE } from '../../redis/mailboxes.ts';
import { SignerQuota } from '../../worker/signer-quota.ts';

beforeAll(() => ready);

const someone = () => randomBytes(32);
const delivery = (signer: Uint8Array, mailbox: Uint8Array, reply = randomBytes(100)): Delivery => {
  return { signer, mailbox, reply, signature: randomBytes(64) };
};
const take = (quota: SignerQuota, all: readonly Delivery[]) => all.map((one) => quota.tryAdd(one));

describe('the quota of a signer', () => {
  it('of one mailbox is twelve; other mailboxes and other signers have theirs', () => {
    const quota = new SignerQuota(1_000);
    const [signer, mailbox] = [someone(), someone()];
    const all = Array.from({ length: REPLIES_A_WEEK_BY_ONE + 1 }, () => delivery(signer, mailbox));
    expect(take(quota, all)).toEqual([...Array.from({ length: REPLIES_A_WEEK_BY_ONE }, () => true), false]);
    expect(take(quota, [delivery(signer, someone()), delivery(someone(), mailbox)])).toEqual([true, true]);
  });

  it.each([
    [1_000, 100],
    [39, 3],
    [1, 1],
  ])('of %d in all is %d', (all, most) => {
    const quota = new SignerQuota(all);
    const signer = someone();
    const taken = take(
      quota,
      Array.from({ length: most + 1 }, () => delivery(signer, someone())),
    );
    expect(taken).toEqual([...Array.from({ length: most }, () => true), false]);
  });

  it('is not used up by a reply that comes again, even when nothing is left', () => {
    const quota = new SignerQuota(20);
    const signer = someone();
    const [one, two] = [delivery(signer, someone()), delivery(signer, someone())];
    expect(take(quota, [one, one, one, two, one, two, delivery(signer, someone())])).toEqual([true, true, true, true, true, true, false]);
  });

  it('is used by a sealed reply once for each mailbox it goes to', () => {
    const [signer, reply] = [someone(), randomBytes(100)];
    expect(
      take(
        new SignerQuota(20),
        [1, 2, 3].map(() => delivery(signer, someone(), reply)),
      ),
    ).toEqual([true, true, false]);
  });

  it('is whole again in another week', () => {
    const quota = new SignerQuota(10);
    const signer = someone();
    const taken = [2_900, 2_900, 2_901, 2_901].map((week) => {
      quota.begin(week);
      return quota.tryAdd(delivery(signer, someone()));
    });
    expect(taken).toEqual([true, false, true, false]);
  });

  it('gets room for as many as their reader deleted, in this mailbox alone', () => {
    const quota = new SignerQuota(30);
    const [signer, mailbox] = [someone(), someone()];
    const [one, two, three] = [delivery(signer, mailbox), delivery(signer, mailbox), delivery(signer, someone())];
    const idOf = ({ reply }: typeof one): Uint8Array => shortReplyId(replyId(reply));
    const free = () => {
      let count = 0;
      while (quota.tryAdd(delivery(signer, someone()))) count += 1;
      return count;
    };
    take(quota, [one, two, three]);
    quota.free({ mailbox, replies: [idOf(three)] });
    quota.free({ mailbox: someone(), replies: [idOf(one), idOf(two)] });
    expect(free()).toBe(0);
    quota.free({ mailbox, replies: [idOf(one)] });
    expect(free()).toBe(1);
    take(quota, [one]);
    quota.free({ mailbox, replies: [idOf(one), idOf(two)] });
    expect(free()).toBe(1);
  });
});
