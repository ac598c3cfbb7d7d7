// Puts replies into mailboxes and takes them out, round by round.
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { REPLY_BYTES, replyId, sealReply, type Delivery } from '../../crypto/reply.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { mailboxOf } from '../../crypto/thread.ts';
import { MailboxReader as Reader } from '../../server/mailboxes.ts';
import { keys } from '../../redis/keys.ts';
import { newThread } from './letters.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { startParts, WorkerStand } from './stand.ts';

/** As long as replies are kept, the keyring is valid. */
const KEYRING_HOURS = [-7 * 24 * 7, 7 * 24] as const;

export const newSigner = (): SigningKeyPair => signingKeyPair(randomBytes(32));

export class MailboxStand extends WorkerStand {
  /** The requester. */
  readonly thread = newThread();
  /** Two signers on the keyring. */
  readonly signers = [newSigner(), newSigner()] as const;

  static override async start(redis?: TestRedis): Promise<MailboxStand> {
    const stand = new MailboxStand(await startParts(redis ?? (await startRedis())));
    await stand.bench.keyring(1, { hours: KEYRING_HOURS, signers: stand.signers.map(({ key }) => toHex(key)) });
    return stand;
  }

  deliver(text: string, to = this.thread, by: SigningKeyPair = this.signers[0]): Delivery {
    return sealReply({ team: this.bench.team, text }, to.address, by);
  }

  put(...deliveries: Delivery[]): Promise<void> {
    return this.bench.put(this.admin, ...deliveries.map((delivery) => this.bench.parcel({ kind: 'reply', delivery })));
  }

  /** @param replies the replies or their ids */
  remove(replies: readonly Uint8Array[], of = this.thread): Promise<void> {
    const ids = replies.map((reply) => (reply.length === REPLY_BYTES ? replyId(reply) : reply));
    return this.bench.put(this.admin, this.bench.parcel({ kind: 'delete', thread: of, replies: ids }));
  }

  /** Puts this many into a mailbox, one per round, so that their order is known. */
  async fill(count: number, to = this.thread, by: SigningKeyPair = this.signers[0]): Promise<Buffer[]> {
    const deliveries = Array.from({ length: count }, (_, i) => this.deliver(String(i), to, by));
    for (const delivery of deliveries) {
      await this.put(delivery);
      await this.round();
    }
    return deliveries.map(({ reply }) => Buffer.from(reply));
  }

  /** All pages of a mailbox, as the relay shows them. */
  async waiting(of = this.thread): Promise<Buffer[]> {
    const reader = new Reader(await this.redis.connect('relay'), this.bench.config.replyWeeks, () => this.now);
    const mailbox = mailboxOf(of.address);
    const { total } = await reader.read(mailbox, 0);
    const pages = await Promise.all(Array.from({ length: Math.ceil(total / 2) }, (_, page) => reader.read(mailbox, page)));
    return pages.flatMap(({ places }) => places.map((place) => Buffer.from(place))).slice(0, total);
  }

  dropped(): Promise<Record<string, string>> {
    return this.admin.hgetall(keys.dropped);
  }
}
