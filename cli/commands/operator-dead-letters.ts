import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { toHex } from '../../crypto/bytes.ts';
import { deadIds, deadLetters, dropDead, inboxes, listDead, retryDead, type DeadStatus } from '../../operator/dead-letters.ts';
import { magnitude } from '../../redis/state.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { writeNewFiles, type NewFile } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { REDIS_HELP, REDIS_OPTIONS, redisOptionsFrom, unknownInbox, withRedis, type RedisValues } from '../operating/redis.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'operator dead-letters';
/** How many letters are in memory at once. */
const BATCH = 200;

type Values = RedisValues & { out?: string | undefined; yes?: boolean | undefined; json?: boolean | undefined };
type Call = { redis: Redis; inbox: string; values: Values; io: Io };

const ACTIONS: Record<string, { needsInbox: boolean; run: (call: Call) => Promise<number> }> = {
  list: { needsInbox: false, run: list },
  retry: { needsInbox: true, run: retry },
  export: { needsInbox: true, run: exportAll },
  drop: { needsInbox: true, run: drop },
};

export const operatorDeadLetters = defineCommand({
  name: NAME,
  summary: 'List, retry, export or drop the letters that an inbox refused for good',
  usage: 'list|retry|export|drop [INBOX] [--redis-socket PATH] [--out DIR] [--yes] [options]',
  examples: ['support-relay operator dead-letters list --redis-socket /run/support-relay/redis.sock'],
  details: `
  list [INBOX]      how many dead letters there are, in coarse steps, and why
  retry INBOX       has the worker try them again from its next round on: repair the inbox first
  export INBOX      writes each into the folder --out, as a file that a volunteer can open; they stay dead letters
  drop INBOX        deletes them for good, after asking

Dead letters hold back no others. Retry and export can be stopped and run again at any time: no letter is lost.

${REDIS_HELP}
  --out DIR             where export writes; no file is overwritten
  --yes                 drop without asking, for scripts
  --json                list: a line of JSON for each inbox (inbox, dead, reasons); others: one line with inbox and retried,
                        exported or dropped (a coarse step)`,
  options: { ...REDIS_OPTIONS, out: { type: 'string' }, yes: { type: 'boolean' }, json: { type: 'boolean' } },
  arguments: [1, 2],
  run: async (values, [name = '', inbox = ''], io) => {
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) throw new UsageError(`"${name}" is none of ${Object.keys(ACTIONS).join(', ')}`, NAME);
    if (action.needsInbox && inbox === '') throw new UsageError(`${name} needs the name of an INBOX`, NAME);
    if (name === 'export') required(values.out, 'out', NAME);
    return withRedis(redisOptionsFrom(values, io, NAME), async (redis) => {
      if (inbox !== '') await requireInbox(redis, inbox);
      return action.run({ redis, inbox, values, io });
    });
  },
});

/** Throws INBOX_UNKNOWN for an inbox that no worker has named. */
async function requireInbox(redis: Redis, inbox: string): Promise<void> {
  const known = await inboxes(redis);
  if (!known.includes(inbox)) throw unknownInbox(inbox, known);
}

async function list({ redis, inbox, values, io }: Call): Promise<number> {
  const statuses = await listDead(redis, inbox === '' ? await inboxes(redis) : [inbox]);
  for (const each of statuses) io.out(values.json === true ? `${visibleJson(each)}\n` : describe(each));
  return EXIT.ok;
}

function describe({ inbox, dead, reasons }: DeadStatus): string {
  return [`${inbox}: ${dead} dead letters`, ...reasons.map(({ reason, count }) => `  ${reason}: ${count}`)]
    .map((line) => `${visibleLine(line)}\n`)
    .join('');
}

async function exportAll(call: Call): Promise<number> {
  const { redis, inbox, values } = call;
  const folder = values.out ?? '';
  let batch: NewFile[] = [];
  let written = 0;
  const write = async (): Promise<void> => {
    await writeNewFiles(batch);
    written += batch.length;
    batch = [];
  };
  for await (const { id, letter } of deadLetters(redis, inbox)) {
    batch.push({ path: join(folder, `${toHex(id)}.age`), content: letter, secret: true });
    if (batch.length === BATCH) await write();
  }
  await write();
  tell(call, 'exported', written, `letters written to ${folder}; they stay dead letters until you drop them`);
  return EXIT.ok;
}

async function drop(call: Call): Promise<number> {
  const { redis, inbox, values, io } = call;
  // Only these are deleted: others may come while the question waits.
  const ids = await deadIds(redis, inbox);
  if (values.yes !== true && ids.length > 0) {
    if (!io.stdinIsTerminal) throw new UsageError('drop deletes letters for good: it asks at a terminal, or needs --yes', NAME);
    const typed = await io.ask(
      `Delete ${magnitude(ids.length)} dead letters of ${visibleLine(inbox)} for good? Nobody can read them afterwards. [y/N] `,
    );
    if (!/^\s*(?:y|yes)\s*$/i.test(typed)) {
      throw new CliError('INTERRUPTED', 'nothing was deleted', 'export them first if a volunteer is to read them');
    }
  }
  tell(call, 'dropped', await dropDead(redis, inbox, ids), 'dead letters deleted');
  return EXIT.ok;
}

async function retry(call: Call): Promise<number> {
  tell(call, 'retried', await retryDead(call.redis, call.inbox), "letters go out again from the worker's next round on");
  return EXIT.ok;
}

/** @param field the field of JSON that holds the number @param what what follows the number in text */
function tell({ io, values, inbox }: Call, field: 'exported' | 'dropped' | 'retried', count: number, what: string): void {
  const number = magnitude(count);
  io.out(values.json === true ? `${visibleJson({ inbox, [field]: number })}\n` : `${visibleLine(`${inbox}: ${number} ${what}`)}\n`);
}
