import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dearmor } from '../../crypto/age/armor.ts';
import { openLetter } from '../../crypto/letter.ts';
import { connect } from '../../redis/connection.ts';
import { functionName } from '../../redis/functions.ts';
import { keys, workerState } from '../../redis/keys.ts';
import { Beginning } from '../../worker/beginning.ts';
import { createWorker } from '../../worker/worker.ts';
import { oneRedis } from '../support/one-redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { maildirFiles, until, workerBench, type Bench } from '../support/worker.ts';
import type { Redis } from 'ioredis';

let redis: TestRedis;
let admin: Redis;
let bench: Bench;
const emptyRedis = oneRedis();

beforeEach(async () => {
  redis = await emptyRedis();
  admin = await redis.connect('admin');
  bench = await workerBench(redis);
});

afterEach(async () => {
  await redis.stop();
  await bench.remove();
});

describe('a worker', () => {
  it("gives Redis the relay's functions at start, in place of another version's, and in each round where they are missing", async () => {
    const loaded = async (): Promise<string[]> => {
      const [library] = (await admin.call('FUNCTION', 'LIST')) as [string, string, string, string, string, [string, string][]][];
      return (library?.[5] ?? []).map(([, name]) => name).toSorted();
    };
    const ours = (['ping', 'put', 'read'] as const).map(functionName);
    await admin.call('FUNCTION', 'LOAD', "#!lua name=relay\nredis.register_function('put_0', function() return 1 end)");
    // Without ticks: no round gives them to it.
    const client = connect(redis.target('worker'), 'worker');
    const beginning = new Beginning(client, bench.config, () => undefined);
    beginning.start();
    await until('the functions', async () => (await loaded()).join() === ours.join());
    await admin.function('FLUSH');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until('the functions after a break', async () => (await loaded()).join() === ours.join());
    beginning.destroy();
    client.disconnect();
    const worker = await createWorker(bench.config);
    await worker.start();
    await until('a round', async () => (await admin.exists(keys.alive)) === 1);
    await admin.function('FLUSH');
    await until('the functions of a round', async () => (await loaded()).join() === ours.join());
    await worker.destroy();
  });

  it('forwards a letter from the pool to a Maildir, where a volunteer opens it', async () => {
    await bench.put(
      admin,
      bench.parcel({ kind: 'letter', team: bench.team, letter: bench.letter('помогите') }),
      bench.parcel({ kind: 'decoy' }),
    );
    const worker = await createWorker(bench.config);
    await worker.start();
    const inbox = join(bench.dir, 'inbox');
    await until('delivery', async () => (await maildirFiles(inbox)).length === 1);
    const [name = ''] = await maildirFiles(inbox);
    const mail = await PostalMime.parse(await readFile(join(inbox, 'new', name)));
    const file = new Uint8Array(mail.attachments[0]?.content as ArrayBuffer);
    expect(openLetter(file, [bench.volunteer])).toMatchObject({ message: 'помогите' });
    expect(dearmor(mail.text ?? '')).toEqual(file);
    await until('empty outbox', async () => (await admin.hlen(keys.outbox('inbox-1'))) === 0);
    expect(await admin.hlen(keys.pool)).toBe(0);
    expect(await admin.hgetall(keys.dropped)).toEqual({ decoy: '1' });
    // On a busy machine this round may be late; the next one is not.
    await until('a round', async () => workerState(await admin.pttl(keys.alive), Number(await admin.get(keys.alive))) === 'working');
    await worker.destroy();
  });
});
