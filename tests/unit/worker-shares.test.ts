import { beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { shortReplyId } from '../../crypto/removal.ts';
import { replyId, type Delivery } from '../../crypto/reply.ts';
import { ready } from '../../crypto/sodium.ts';
import { REPLIES_A_WEEK_BY_ONE } from '../../redis/mailboxes.ts';
import { Shares } from '../../worker/shares.ts';

beforeAll(() => ready);

const someone = () => randomBytes(32);
const delivery = (signer: Uint8Array, mailbox: Uint8Array, reply = randomBytes(100)): Delivery => ({ signer, mailbox, reply, signature: randomBytes(64) });
const take = (shares: Shares, all: readonly Delivery[]) => all.map((one) => shares.take(one));

describe('the share of a signer', () => {
  it('of one mailbox is twelve; other mailboxes and other signers have theirs', () => {
    const shares = new Shares(1_000);
    const [signer, mailbox] = [someone(), someone()];
    const all = Array.from({ length: REPLIES_A_WEEK_BY_ONE + 1 }, () => delivery(signer, mailbox));
    expect(take(shares, all)).toEqual([...Array.from({ length: REPLIES_A_WEEK_BY_ONE }, () => true), false]);
    expect(take(shares, [delivery(signer, someone()), delivery(someone(), mailbox)])).toEqual([true, true]);
  });

  it.each([[1_000, 100], [39, 3], [1, 1]])('of %d in all is %d', (all, share) => {
    const shares = new Shares(all);
    const signer = someone();
    const taken = take(shares, Array.from({ length: share + 1 }, () => delivery(signer, someone())));
    expect(taken).toEqual([...Array.from({ length: share }, () => true), false]);
  });

  it('is not used up by a reply that comes again, also when nothing is left', () => {
    const shares = new Shares(20);
    const signer = someone();
    const [one, two] = [delivery(signer, someone()), delivery(signer, someone())];
    expect(take(shares, [one, one, one, two, one, two, delivery(signer, someone())])).toEqual([true, true, true, true, true, true, false]);
  });

  it('is used up by one sealed reply that goes to several mailboxes', () => {
    const [signer, reply] = [someone(), randomBytes(100)];
    expect(take(new Shares(20), [1, 2, 3].map(() => delivery(signer, someone(), reply)))).toEqual([true, true, false]);
  });

  it('is whole again in another week', () => {
    const shares = new Shares(10);
    const signer = someone();
    const taken = [2_900, 2_900, 2_901, 2_901].map((week) => {
      shares.begin(week);
      return shares.take(delivery(signer, someone()));
    });
    expect(taken).toEqual([true, false, true, false]);
  });

  it('has room for as many as their reader removed, from this mailbox alone', () => {
    const shares = new Shares(30);
    const [signer, mailbox] = [someone(), someone()];
    const [one, two, three] = [delivery(signer, mailbox), delivery(signer, mailbox), delivery(signer, someone())];
    const idOf = ({ reply }: typeof one): Uint8Array => shortReplyId(replyId(reply));
    const free = () => {
      let count = 0;
      while (shares.take(delivery(signer, someone()))) count += 1;
      return count;
    };
    take(shares, [one, two, three]);
    shares.free({ mailbox, replies: [idOf(three)] });
    shares.free({ mailbox: someone(), replies: [idOf(one), idOf(two)] });
    expect(free()).toBe(0);
    shares.free({ mailbox, replies: [idOf(one)] });
    expect(free()).toBe(1);
    take(shares, [one]);
    shares.free({ mailbox, replies: [idOf(one), idOf(two)] });
    expect(free()).toBe(1);
  });
});
