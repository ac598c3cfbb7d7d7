import { createTransport, type Transporter } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool';
import * as z from 'zod';
import { textOf } from '../../crypto/text-file.ts';
import { absolutePath } from '../../runtime/env.ts';
import { readRegularFile } from '../../runtime/files.ts';
import { inboxFields, type Inbox, type InboxKind, type Letter } from './inbox.ts';
import { composeMail, FORMS, type Envelope } from './message.ts';
import { refusalOf } from './refusal.ts';

/** A password, or a list of certificate authorities. */
const MAX_FILE_BYTES = 1_048_576;
const CONNECT_TIMEOUT_MS = 30_000;
/** RFC 5321 §4.5.3.2 asks for minutes. Even over Tor a reply that takes one is late, and a repeat costs nothing. */
const REPLY_TIMEOUT_MS = 60_000;
/** Longer than the pause between two letters, far shorter than a round: no idle connection stays open. */
const IDLE_MS = 2_000;
const DAY_MS = 86_400_000;
/** Unlike the default, reveals nothing about this machine; mail programs made for Tor send this literal too. */
const GREETING = '[127.0.0.1]';
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** A host name or an address literal (RFC 5321 §4.1.1.1). */
const GREETING_FORMAT = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[(?:IPv6:)?[0-9A-Fa-f.:]{2,45}\\])$`);
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;

const schema = z
  .strictObject({
    ...inboxFields,
    kind: z.literal('smtp'),
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    tls: z.enum(['implicit', 'starttls', 'none']),
    user: z.string().min(1).optional(),
    passwordFile: absolutePath.optional(),
    /** PEM, for a server whose certificate was not signed by a public authority. */
    caFile: absolutePath.optional(),
    from: z.email(),
    to: z.email(),
    subject: z
      .string()
      .regex(/^[\x20-\x7e]{1,78}$/)
      .default('Message'),
    greeting: z.string().max(253).regex(GREETING_FORMAT, { error: 'expected a host name, or an address in brackets' }).default(GREETING),
    /** How long to retry a letter that the server refuses with a 5xx. */
    giveUpDays: z.int().min(1).max(60).default(5),
    form: z.enum(FORMS).default('both'),
  })
  .refine(({ tls, host }) => tls !== 'none' || LOOPBACK.test(host), { path: ['tls'], error: '"none" is allowed on loopback only' })
  .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
    path: ['passwordFile'],
    error: 'user and passwordFile go together',
  });

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
  async createInbox({ host, port, tls, user, passwordFile, caFile, greeting, giveUpDays, ...envelope }) {
    const auth =
      user === undefined || passwordFile === undefined
        ? undefined
        : { user, pass: textOf(await readRegularFile(passwordFile, MAX_FILE_BYTES)).trimEnd() };
    const transport = createTransport({
      pool: true,
      maxConnections: 1,
      maxRequeues: 1,
      idleTimeout: IDLE_MS,
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      tls: {
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        ...(caFile !== undefined && { ca: await readRegularFile(caFile, MAX_FILE_BYTES) }),
      },
      name: greeting,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: REPLY_TIMEOUT_MS,
      socketTimeout: REPLY_TIMEOUT_MS,
      dnsTimeout: CONNECT_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(auth && { auth }),
    });
    return new Smtp(envelope, transport, giveUpDays * DAY_MS);
  },
};
