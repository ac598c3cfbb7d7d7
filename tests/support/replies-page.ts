// Drives the replies page in a test, and the volunteers who answer.
import { expect } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { replyId, sealReply } from '../../crypto/reply.ts';
import { signingKeyPair, signParts } from '../../crypto/sign.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import type { Thread } from '../../crypto/thread.ts';
import { repliesWaiting, type Conversation } from './conversation.ts';
import { DIFFICULTY } from './deployment.ts';
import type { PageBench } from './page-bench.ts';

export const READY = '#read:not(:disabled)';

export class RepliesPage {
  readonly #bench: PageBench;
  /** Of the last reply, by thread. */
  readonly #numbers = new Map<string, number>();

  constructor(bench: PageBench) {
    this.#bench = bench;
  }

  async open(path = 'replies'): Promise<void> {
    await this.#bench.open(path, { until: READY });
  }

  async read(code: string): Promise<void> {
    await this.#bench.tab.paste('#typed-code', code);
    await this.#bench.tab.page.click('#read');
  }

  async openMailbox({ words }: Conversation, path = 'replies'): Promise<void> {
    await this.open(path);
    await this.read(words.join(' '));
    await this.#bench.tab.until('#conversation');
  }

  /** Adds replies in turn, each by somebody who knows the earlier ones. */
  async reply(conversation: Conversation, ...texts: string[]): Promise<void> {
    for (const text of texts) await this.replyFrom(conversation, text);
  }

  /** @param team the id of the team that gets further words */
  async replyFrom({ thread }: Conversation, text: string, team?: string): Promise<void> {
    const number = (this.#numbers.get(thread.address.key) ?? 0) + 1;
    this.#numbers.set(thread.address.key, number);
    await this.pass(await this.#bench.deployment.sealReply(text, thread.address, team, { number, earlier: [] }), thread);
  }

  /** A reply that the worker lets through but no page may show: its inner signature is by somebody who is not a volunteer. */
  async forge({ thread }: Conversation, text: string): Promise<void> {
    const { deployment } = this.#bench;
    const signer = await deployment.signingKey();
    const forged = sealReply(
      { team: deployment.keyring.keyring.teams[0]?.id ?? '', text },
      thread.address,
      signingKeyPair(randomBytes(32)),
    );
    const delivery = { ...forged, signer: signer.key, signature: signParts('delivery', [forged.mailbox, replyId(forged.reply)], signer) };
    await this.pass(stampParcel(sealParcel({ kind: 'reply', delivery }, deployment.keyring.keyring), DIFFICULTY), thread);
  }

  async pass(parcel: Uint8Array, thread: Thread): Promise<void> {
    const before = await repliesWaiting(this.#bench.deployment, thread);
    expect((await this.#bench.deployment.post(parcel)).status).toBe(202);
    await expect.poll(() => repliesWaiting(this.#bench.deployment, thread)).toBe(before + 1);
  }

  readonly shown = async (): Promise<unknown> =>
    this.#bench.tab.page.evaluate("[...document.querySelectorAll('.reply .text')].map((text) => text.textContent)");

  /** How often the mailbox was read. */
  readonly lookedUp = (): number => this.#bench.front.seen.filter(({ path }) => path === '/mailbox').length;
}
