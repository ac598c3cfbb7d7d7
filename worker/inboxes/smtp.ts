import type { Transporter } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool';
import * as z from 'zod';
import { inboxFields, type Inbox, type InboxKind, type Letter } from './inbox.ts';
import { connectMailServer, mailServerFields, refineMailServer } from './mail-server.ts';
import { composeMail, FORMS, SUBJECT, type Envelope } from './message.ts';
import { refusalOf } from './refusal.ts';

const DAY_MS = 86_400_000;

const schema = refineMailServer(
  z.strictObject({
    ...inboxFields,
    ...mailServerFields,
    kind: z.literal('smtp'),
    subject: SUBJECT.default('Message'),
    /** How long to retry a letter that the server refuses with a 5xx. */
    giveUpDays: z.int().min(1).max(60).default(5),
    form: z.enum(FORMS).default('both'),
  }),
);

/** An inbox at a mail server. */
class Smtp implements Inbox {
  readonly #envelope: Envelope;
  readonly #transport: Transporter<SMTPPool.SentMessageInfo>;
  readonly #giveUpAfterMs: number;

  constructor(envelope: Envelope, transport: Transporter<SMTPPool.SentMessageInfo>, giveUpAfterMs: number) {
    this.#envelope = envelope;
    this.#transport = transport;
    this.#giveUpAfterMs = giveUpAfterMs;
  }

  async deliver(letter: Letter, signal?: AbortSignal): Promise<void> {
    const { from, to } = this.#envelope;
    const raw = await composeMail(letter, this.#envelope, new Date(), 'windows');
    try {
      await this.#transport.sendMail({ raw, envelope: { from, to: [to] }, signal });
    } catch (error) {
      throw refusalOf(error, this.#giveUpAfterMs);
    }
  }
}

export const smtp: InboxKind<typeof schema> = {
  schema,
  async createInbox({ giveUpDays, from, to, subject, form, ...server }, tor) {
    const transport = await connectMailServer({ ...server, from, to }, tor);
    return new Smtp({ from, to, subject, form }, transport, giveUpDays * DAY_MS);
  },
};
