// A mail server: its settings, and the connection to it.
import { createTransport, type Transporter } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool';
import * as z from 'zod';
import { textOf } from '../../crypto/text-file.ts';
import { absolutePath } from '../../runtime/env.ts';
import { readRegularFile } from '../../runtime/files.ts';
import type { SocksAddress } from '../../runtime/socks.ts';
import { isLoopback, isOnion, throughTor, viaTor } from './mail-way.ts';

/** A password, or a list of certificate authorities. */
const MAX_FILE_BYTES = 1_048_576;
const CONNECT_TIMEOUT_MS = 30_000;
/** RFC 5321 §4.5.3.2 asks for minutes. Even over Tor a reply that takes one is late, and a repeat costs nothing. */
const REPLY_TIMEOUT_MS = 60_000;
/** Longer than the pause between two letters, far shorter than a round: no idle connection stays open. */
const IDLE_MS = 2_000;
/** Unlike the default, reveals nothing about this machine; mail programs made for Tor send this literal too. */
const GREETING = '[127.0.0.1]';
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** A host name or an address literal (RFC 5321 §4.1.1.1). */
const GREETING_FORMAT = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[(?:IPv6:)?[0-9A-Fa-f.:]{2,45}\\])$`);

/** Where mail is handed in, and from whom to whom. */
export const mailServerFields = {
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  tls: z.enum(['implicit', 'starttls', 'none']),
  user: z.string().min(1).optional(),
  passwordFile: absolutePath.optional(),
  /** PEM, for a server whose certificate was not signed by a public authority. */
  caFile: absolutePath.optional(),
  from: z.email(),
  to: z.email(),
  /** Through Tor's SOCKS port, or not; where it is left out, through Tor if there is a port. */
  via: z.enum(['tor', 'direct']).optional(),
  greeting: z.string().max(253).regex(GREETING_FORMAT, { error: 'expected a host name, or an address in brackets' }).default(GREETING),
};

const mailServer = z.object(mailServerFields);
type MailServer = z.output<typeof mailServer>;

/** Of several fields together: no password goes over a network in the clear, none is forgotten, and the way leads there. */
export function refineMailServer<Schema extends z.ZodType<Pick<MailServer, 'tls' | 'host' | 'user' | 'passwordFile' | 'via'>>>(
  schema: Schema,
): Schema {
  return schema
    .refine(({ tls, host }) => tls !== 'none' || isLoopback(host) || isOnion(host), {
      path: ['tls'],
      error: '"none" is allowed on loopback and to an onion only',
    })
    .refine(({ via, host }) => via !== 'tor' || !isLoopback(host), { path: ['via'], error: 'this machine is not reached through Tor' })
    .refine(({ via, host }) => via !== 'direct' || !isOnion(host), { path: ['via'], error: 'an onion is reached through Tor only' })
    .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
      path: ['passwordFile'],
      error: 'user and passwordFile go together',
    });
}

/**
 * Connects when the first mail is sent. Rejects when a file of the settings cannot be read.
 * @param tor Tor's SOCKS port, null: there is none
 */
export async function connectMailServer(settings: MailServer, tor: SocksAddress | null): Promise<Transporter<SMTPPool.SentMessageInfo>> {
  const { host, port, tls, user, passwordFile, caFile, greeting } = settings;
  const auth =
    user === undefined || passwordFile === undefined
      ? undefined
      : { user, pass: textOf(await readRegularFile(passwordFile, MAX_FILE_BYTES)).trimEnd() };
  return createTransport({
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
    ...(viaTor(settings, tor) ? throughTor(tor, { host, port }) : { connectionTimeout: CONNECT_TIMEOUT_MS }),
    greetingTimeout: REPLY_TIMEOUT_MS,
    socketTimeout: REPLY_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(auth && { auth }),
  });
}
