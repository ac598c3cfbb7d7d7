import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { textOf } from '../crypto/text-file.ts';
import { absolutePath, integer, poolLimit, readEnv, secretFile, seenLimit } from '../runtime/env.ts';
import { readRegularFileSync } from '../runtime/files.ts';
import { errorCode } from '../runtime/log.ts';
import { parseSocks, type SocksAddress } from '../runtime/socks.ts';
import { MAX_REPLY_WEEKS, REPLY_LIMIT, REPLY_WEEKS } from '../redis/mailboxes.ts';
import type { RedisTarget } from '../redis/connection.ts';
import type { RelayLimits } from '../redis/state.ts';
import { administratorSchema, type AdministratorSettings } from './administrator.ts';
import { inboxesSchema, type InboxSettings } from './inboxes/kinds.ts';
import { needsTor } from './inboxes/mail-way.ts';
import type { Limits } from './obstacles.ts';

const HOUR_MS = 3_600_000;
/** Three rounds must be well within the lifetime of `worker:alive` (redis/keys.ts). */
const MAX_ROUND_SECONDS = 900;
const MAX_JSON_BYTES = 1_048_576;

export type WorkerConfig = {
  readonly redis: RedisTarget;
  readonly keyrings: string;
  readonly rootKeyFile: string;
  readonly identities: string;
  readonly inboxesFile: string;
  /** As the file was when the worker started. */
  readonly inboxes: readonly InboxSettings[];
  /** The mail server by which the administrator is told what a coming week lacks; null: none. */
  readonly administrator: AdministratorSettings | null;
  /** Through which mail goes that is not to go directly; null: all goes directly. */
  readonly torSocks: SocksAddress | null;
  readonly roundSeconds: number;
  /** For a shallow pool (worker/mixing.ts). */
  readonly flushProbability: number;
  /** The version to which the operator agreed to bring what is in Redis (worker/upgrade.ts). */
  readonly upgradeTo: number | null;
  readonly backlogMs: number;
  /** How many full weeks a reply is kept. */
  readonly replyWeeks: number;
  readonly limits: Limits;
  /** The relay reads the same variables; `operator status` reports a difference. */
  readonly relay: RelayLimits;
};

/** A file of JSON. Problems are reported by their path in it, never by their value. */
function jsonFile<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema>, string> {
  return absolutePath.transform((path, context): z.output<Schema> => {
    try {
      const result = schema.safeParse(JSON.parse(textOf(readRegularFileSync(path, MAX_JSON_BYTES))));
      if (result.success) return result.data;
      for (const issue of result.error.issues) context.addIssue({ code: 'custom', message: `${issue.path.join('.')}: ${issue.message}` });
    } catch (error) {
      const message = error instanceof SyntaxError ? 'not valid JSON' : `the file cannot be read (${errorCode(error)})`;
      context.addIssue({ code: 'custom', message });
    }
    return z.NEVER;
  });
}

const flushProbability = z
  .string()
  .transform(Number)
  .pipe(z.number().gt(0, { error: 'expected a probability above 0' }).lte(1, { error: 'expected a probability of at most 1' }));

const socksAddress = z.string().transform((text, context): SocksAddress => {
  const address = parseSocks(text);
  if (address !== null) return address;
  context.addIssue({ code: 'custom', message: 'expected unix:/path or HOST:PORT' });
  return z.NEVER;
});

const variables = z.object({
  WORKER_REDIS_SOCKET: absolutePath,
  WORKER_REDIS_USER: z.string().min(1).default('worker'),
  WORKER_REDIS_PASSWORD_FILE: secretFile,
  WORKER_KEYRINGS: absolutePath,
  WORKER_ROOT_KEY: absolutePath,
  WORKER_IDENTITIES: absolutePath,
  WORKER_INBOXES: jsonFile(inboxesSchema),
  WORKER_ADMINISTRATOR: jsonFile(administratorSchema.nullable()).optional(),
  WORKER_TOR_SOCKS: socksAddress.optional(),
  WORKER_ROUND_SECONDS: integer(1, MAX_ROUND_SECONDS).default(300),
  WORKER_SHARE: flushProbability.default(0.5),
  // From .env, which names it for all parts: '' where nobody has agreed to anything.
  SUPPORT_RELAY_UPGRADE: z.union([z.literal('').transform(() => null), integer(1, 999_999_999)]).default(null),
  WORKER_BACKLOG_HOURS: integer(1, 24 * 60).default(72),
  WORKER_OUTBOX_LIMIT: integer(1, 1_000_000).default(2_000),
  WORKER_DEAD_LIMIT: integer(1, 1_000_000).default(2_000),
  WORKER_REPLY_LIMIT: integer(1, 1_000_000).default(REPLY_LIMIT),
  WORKER_REPLY_WEEKS: integer(1, MAX_REPLY_WEEKS).default(REPLY_WEEKS),
  // The relay's own variables: Redis must have room for whatever the relay accepts.
  RELAY_POOL_LIMIT: poolLimit,
  RELAY_SEEN_LIMIT: seenLimit,
});

export const workerEnv = variables.superRefine((read, context) => {
  if (read.WORKER_TOR_SOCKS !== undefined) return;
  const lacks = (path: keyof typeof read, who: string): void => {
    context.addIssue({ code: 'custom', path: [path], message: `${who} is reached through Tor: set WORKER_TOR_SOCKS` });
  };
  for (const inbox of read.WORKER_INBOXES) if ('host' in inbox && needsTor(inbox)) lacks('WORKER_INBOXES', inbox.id);
  if (read.WORKER_ADMINISTRATOR && needsTor(read.WORKER_ADMINISTRATOR)) lacks('WORKER_ADMINISTRATOR', 'the mail server');
});

export function readWorkerConfig(env: NodeJS.ProcessEnv = process.env): WorkerConfig {
  const read = readEnv(workerEnv, env);
  return {
    redis: { socketPath: read.WORKER_REDIS_SOCKET, username: read.WORKER_REDIS_USER, password: read.WORKER_REDIS_PASSWORD_FILE },
    keyrings: read.WORKER_KEYRINGS,
    rootKeyFile: read.WORKER_ROOT_KEY,
    identities: read.WORKER_IDENTITIES,
    inboxesFile: env['WORKER_INBOXES'] ?? '',
    inboxes: read.WORKER_INBOXES,
    administrator: read.WORKER_ADMINISTRATOR ?? null,
    torSocks: read.WORKER_TOR_SOCKS ?? null,
    roundSeconds: read.WORKER_ROUND_SECONDS,
    flushProbability: read.WORKER_SHARE,
    upgradeTo: read.SUPPORT_RELAY_UPGRADE,
    backlogMs: read.WORKER_BACKLOG_HOURS * HOUR_MS,
    replyWeeks: read.WORKER_REPLY_WEEKS,
    limits: { outbox: read.WORKER_OUTBOX_LIMIT, dead: read.WORKER_DEAD_LIMIT, replies: read.WORKER_REPLY_LIMIT },
    relay: { pool: read.RELAY_POOL_LIMIT, seen: read.RELAY_SEEN_LIMIT },
  };
}

/** Whether a worker that started now would have other inboxes, or none that it could use. */
export function haveInboxesChanged({ inboxesFile, inboxes }: Pick<WorkerConfig, 'inboxesFile' | 'inboxes'>): boolean {
  const read = jsonFile(inboxesSchema).safeParse(inboxesFile);
  return !read.success || !isDeepStrictEqual(read.data, inboxes);
}
