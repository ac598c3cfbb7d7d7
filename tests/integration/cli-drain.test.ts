// Planned maintenance: the door closes for all, what was accepted is delivered, and only then the operator hears that parts may be stopped.
import { rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { parseAnswer } from '../../crypto/answer.ts';
import { isClosed } from '../../redis/drain.ts';
import { keys } from '../../redis/keys.ts';
import { publishMix } from '../../redis/state.ts';
import { cli, type CliInput, type CliResult } from '../support/cli.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { toolsCommands } from '../support/documents.ts';
import { http, postParcel } from '../support/http.ts';
import { OPEN, OperatorStand, WELL } from '../support/operator-stand.ts';
import { until } from '../support/worker.ts';

describe('a deployment', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment({ flushProbability: 0.5 });
  });
  afterAll(() => deployment.end());

  const operator = (words: readonly string[], input: CliInput = {}): Promise<CliResult> => {
    const { redisSocket, passwordFile } = deployment.layout;
    const env = { OPERATOR_REDIS_SOCKET: redisSocket, OPERATOR_REDIS_PASSWORD_FILE: passwordFile('operator') };
    return cli(['operator', ...words], { env, pause: async (ms) => (await sleep(ms), true), ...input });
  };
  const drain = (more: readonly string[], input: CliInput = {}): Promise<CliResult> => operator(['drain', ...more], input);
  const status = async (): Promise<string> => (await operator(['status'])).text;
  const reason = async (): Promise<string | null> => {
    const { body } = await http(new URL('door.json', deployment.url).href);
    return (JSON.parse(Buffer.from(body).toString()) as { reason: string | null }).reason;
  };
  const logged = async (event: string): Promise<number> => (await deployment.logs()).split(`"${event}"`).length - 1;
  const post = async (): Promise<string> => {
    const { body } = await postParcel(deployment.url, deployment.seal('late'));
    return parseAnswer(body).result;
  };

  test('is emptied behind a closed door, which restarts do not open', async () => {
    const texts = Array.from({ length: 8 }, (_, index) => `request ${String(index)}`);
    for (const text of texts) await deployment.post(deployment.seal(text));
    const [drains = [], ends = []] = await toolsCommands('Planned maintenance');
    // Something is still on its way when the drain first looks.
    deployment.signal('worker', 'SIGSTOP');
    const draining = operator(drains.slice(1), {
      pause: async (ms) => {
        deployment.signal('worker', 'SIGCONT');
        await sleep(ms);
        return true;
      },
    });
    await until('closed', async () => (await reason()) === 'maintenance');
    expect(await post()).toBe('closed');
    const { code, text, err } = await draining;
    expect([code, text]).toEqual([EXIT.ok, expect.stringContaining('the parts may be stopped')]);
    expect(err).toMatch(
      /^closing the door …\n(?:still on its way at the last round: pool (?:not known yet|[\d-]+).*, a round every 1 s\n)*$/,
    );
    expect((await deployment.letters()).map(({ message }) => message).toSorted()).toEqual(texts);

    await deployment.kill('redis');
    await until('the relay', async () => (await logged('redis away')) > 0);
    // Nobody is told that something failed while the parts are stopped.
    expect([await reason(), await post()]).toEqual(['maintenance', 'closed']);
    deployment.start('redis');
    await deployment.restart('worker');
    await deployment.restart('relay');
    await until('the relay', async () => (await reason().catch(() => null)) === 'maintenance');
    await until('the worker', async () => (await logged('maintenance begun')) === 2);
    expect((await drain(['--json'])).text).toBe('{"maintenance":"emptied"}\n');

    const opened = await operator(ends.slice(1));
    expect([opened.code, opened.text]).toEqual([EXIT.ok, 'The door is open.\n']);
    expect([await reason(), await post()]).toEqual([null, 'accepted']);
    await until('the worker', async () => (await logged('maintenance over')) === 1);
  });

  test('with an inbox that takes nothing says so, and goes on when it is mended', async () => {
    const aside = `${deployment.inbox}.aside`;
    await rename(deployment.inbox, aside);
    await writeFile(deployment.inbox, '');
    expect((await deployment.post(deployment.seal('waits'))).answer.result).toBe('accepted');
    const redis = await deployment.connect('operator');
    const found: boolean[] = [];
    const held = await drain([], {
      pause: async (ms) => {
        await sleep(ms);
        // Until the door is closed the drain says nothing of inboxes.
        found.push((await status()).includes('INBOX_FAILING') && isClosed(await redis.get(keys.drain)));
        return !found.slice(0, -1).includes(true);
      },
    });
    redis.disconnect();
    expect(held.code).toBe(EXIT.interrupted);
    expect(held.err).toMatch(/\nstill on its way at the last round: pool .*, a round every 1 s\n/);
    expect(held.err).toMatch(/! inbox \S+ takes nothing at the moment [^]+outlasts a stop/);
    expect(held.err).toContain('the door stays closed; nothing is lost: run the same again to wait on');
    await rm(deployment.inbox);
    await rename(aside, deployment.inbox);
    expect((await drain([])).code).toBe(EXIT.ok);
    expect((await deployment.letters()).map(({ message }) => message)).toContain('waits');
  });
});

describe('with relays that answer', () => {
  let stand: OperatorStand;
  beforeAll(async () => {
    stand = await OperatorStand.start();
  });
  afterEach(() => stand.reset());
  afterAll(() => stand.stop());

  const flag = (): Promise<string | null> => stand.admin.get(keys.drain);

  test('a relay that may still take something is waited for', async () => {
    await stand.reset();
    const flags: (string | null)[] = [];
    const { code } = await stand.operator(['drain'], {
      pause: async () => {
        flags.push(await flag());
        stand.condition = { ...OPEN, door: flags.length < 3 ? 'pool' : 'maintenance' };
        return flags.length < 5;
      },
    });
    expect(code).toBe(EXIT.interrupted);
    expect(flags.slice(0, 4)).toEqual(['closing', 'closing', 'closing', 'closing']);
    expect(isClosed(flags[4] ?? null)).toBe(true);
  });

  test('a flag that no drain of ours has set, which the worker would repeat in each round, is not closed', () => {
    expect(['closed-1', 'closed-', `closed-${'f'.repeat(17)}`, 'closed-x', 'x', null].map(isClosed)).toEqual([
      true,
      ...Array<boolean>(5).fill(false),
    ]);
  });

  test('what was found empty in an earlier drain does not count', async () => {
    await stand.admin.set(keys.drain, 'closed-2');
    await publishMix(stand.admin, { ...WELL, emptied: 'closed-1' });
    stand.condition = { ...OPEN, door: 'maintenance' };
    const { code, status } = await stand.status();
    expect([code, status.maintenance, status.attention.map((each) => each.code)]).toEqual([EXIT.attention, 'draining', ['MAINTENANCE']]);
    expect((await stand.operator(['drain'])).code).toBe(EXIT.interrupted);
    await publishMix(stand.admin, { ...WELL, emptied: 'closed-2' });
    expect((await stand.status()).status.maintenance).toBe('emptied');
    expect((await stand.operator(['status'])).text).toContain(
      'drain     the door is closed for maintenance, and nothing is on its way any more\n',
    );
    expect((await stand.operator(['drain'])).code).toBe(EXIT.ok);
  });

  test('a door that stays closed for another reason is named at the end', async () => {
    await stand.admin.set(keys.drain, 'closed-1');
    stand.condition = { ...OPEN, door: 'keyring' };
    const { code, text } = await stand.operator(['drain', '--end', '--json']);
    expect([code, text, await flag()]).toEqual([EXIT.attention, '{"maintenance":"no","doors":["keyring"]}\n', null]);
    expect((await stand.operator(['drain', '--end'])).text).toContain('the door is not open (keyring)');
  });

  test('just after a start, --end waits for relays and for the worker’s first round', async () => {
    await stand.admin.set(keys.drain, 'closed-1');
    await stand.admin.del(keys.alive);
    await stand.stopRelays();
    let pauses = 0;
    const pause = async (): Promise<boolean> => {
      pauses += 1;
      if (pauses === 2) await stand.startRelay();
      stand.condition = { ...OPEN, door: pauses < 5 ? 'worker' : null };
      return true;
    };
    const { code, text, err } = await stand.operator(['drain', '--end'], { pause });
    expect([code, text, pauses]).toEqual([EXIT.ok, 'The door is open.\n', 5]);
    expect(err).toBe('the door opens when the worker has done its first round, within 300 s; Ctrl-C ends the waiting alone\n');
  });

  test('a worker that does no round is not waited for without end', async () => {
    await stand.admin.set(keys.drain, 'closed-1');
    await stand.admin.set(keys.alive, '2', 'EX', 60);
    stand.condition = { ...OPEN, door: 'worker' };
    let waitedMs = 0;
    const env = { OPERATOR_INSTALLATION: 'docker' };
    const { code, text } = await stand.operator(['drain', '--end'], { env, pause: (ms) => Promise.resolve((waitedMs += ms) > 0) });
    expect([code, waitedMs]).toEqual([EXIT.attention, 12_000]);
    expect(text).toMatch(/it opens by itself when the worker has done a round.*: docker compose logs --tail 50 worker\n$/);
  });

  test('somebody who opens the door meanwhile ends the waiting', async () => {
    await stand.admin.set(keys.drain, 'closed-1');
    const { code, err } = await stand.operator(['drain'], { pause: async () => (await stand.admin.del(keys.drain)) === 1 });
    expect([code, err]).toEqual([EXIT.attention, expect.stringMatching(/the door was opened while this waited.*\(DRAIN_ENDED\)\n$/)]);
  });
});
