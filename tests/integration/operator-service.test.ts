// The operator's service beside real programs: what it answers, to whom, and that it tells nothing within a round.
import { execFile } from 'node:child_process';
import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../runtime/root.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { OperatorProgram } from '../support/operator-program.ts';

const ROUND_SECONDS = 3;

let deployment: Deployment;
let operator: OperatorProgram;
beforeAll(async () => {
  deployment = await startDeployment({ roundSeconds: ROUND_SECONDS });
  operator = await OperatorProgram.start(deployment.layout);
});
afterAll(async () => {
  await operator?.stop();
  await deployment?.stop();
});

describe('the private listener', () => {
  it('answers its addresses, each with strict headers, and nothing else', async () => {
    const found = await Promise.all(['/', '/metrics', '/livez', '/readyz', '/door.json', '/constructor'].map((path) => operator.get(path)));
    expect(found.map(({ status, headers }) => [status, headers['content-type']])).toEqual([
      [200, 'text/html; charset=utf-8'],
      [200, 'text/plain; version=0.0.4; charset=utf-8'],
      [200, 'application/json; charset=utf-8'],
      [200, 'application/json; charset=utf-8'],
      [404, 'text/plain; charset=utf-8'],
      [404, 'text/plain; charset=utf-8'],
    ]);
    for (const { headers } of found) {
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/^default-src 'none';style-src 'sha256-[\w+/=]+';base-uri 'none'/) as unknown,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      expect(headers['date']).toBeUndefined();
    }
    expect(found[0]?.text).toContain('<h1>All is well</h1>');
    expect(found[3]?.text).toBe('{"ready":true,"reason":null}\n');
  });

  it('takes no other method, and a body of nobody', async () => {
    const [posted, head] = [await operator.get('/', { method: 'POST' }), await operator.get('/', { method: 'HEAD' })];
    expect([posted.status, posted.headers['allow'], head.status, head.text]).toEqual([405, 'GET, HEAD', 200, '']);
  });

  it.each([
    ['localhost', 200],
    ['localhost:8080', 200],
    ['127.0.0.1:8080', 200],
    ['[::1]:8080', 200],
    ['relay.example', 421],
    ['localhost.relay.example', 421],
  ])('asked for by the name "%s" answers %i: a foreign page reads nothing', async (host, status) => {
    expect((await operator.get('/metrics', { host })).status).toBe(status);
  });

  it('can be reached by its own user and group alone', async () => {
    expect((await stat(operator.socket)).mode & 0o777).toBe(0o660);
  });

  it.each(['0.0.0.0:8080', 'localhost:8080', '[::]:8080', '192.0.2.1:80', 'unix:relative'])('is not opened on %s', async (listen) => {
    const env = { OPERATOR_LISTEN: listen, OPERATOR_REDIS_SOCKET: '/x', OPERATOR_REDIS_PASSWORD_FILE: '/x' };
    const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
      execFile(process.execPath, [join(ROOT, 'dist/operator.js')], { env }, (error, _out, text) => resolve({ code: error?.code, text }));
    });
    expect([code, text.split('\n')[0]]).toEqual([78, 'configuration: OPERATOR_LISTEN: expected unix:/path or 127.0.0.1:PORT']);
  });
});

it('the listener for Prometheus has the metrics alone, on loopback for no foreign page', async () => {
  const asking = { port: operator.metricsPort, host: 'localhost:9464' };
  expect((await operator.get('/metrics', { ...asking, host: 'relay.example:9464' })).status).toBe(421);
  expect((await operator.get('/metrics', asking)).text).toContain('support_relay_door_open 1\n');
  const others = await Promise.all(['/', '/livez', '/readyz'].map((path) => operator.get(path, asking)));
  expect(others.map(({ status }) => status)).toEqual([404, 404, 404]);
});

describe('a round', () => {
  const VISITING = 'is being visited under its onion address';
  /** What is shown until the next look. Each is the same however often it is asked for. */
  async function shown(during: () => Promise<unknown> = () => Promise.resolve()): Promise<{ samples: string[]; next: string }> {
    const read = async (): Promise<string> => `${(await operator.get('/')).text}${(await operator.get('/metrics')).text}`;
    const roundOf = (text: string): string | undefined => /^support_relay_status_timestamp_seconds (\d+)$/m.exec(text)?.[1];
    const before = roundOf(await read());
    let sample = await read();
    while (roundOf(sample) === before) {
      await sleep(50);
      sample = await read();
    }
    const round = roundOf(sample);
    // Its page may be of the look before.
    sample = await read();
    const samples: string[] = [];
    const done = sleep((ROUND_SECONDS * 1000) / 4).then(during);
    while (roundOf(sample) === round) {
      // What the visit to the onion address finds is added to a look; no parcel has to do with that.
      if (!sample.includes(VISITING)) samples.push(sample);
      await sleep(25);
      sample = await read();
    }
    await done;
    return { samples, next: sample };
  }
  const withoutTime = (text: string): string =>
    text.replace(/<time.*?<\/time>/gs, '').replace(/^support_relay_status_timestamp_seconds .*$/m, '');

  it('in which a parcel comes shows nothing of it before its end', async () => {
    const quiet = await shown();
    const busy = await shown(() => deployment.post(deployment.seal('Здравствуйте')));
    expect(Math.min(quiet.samples.length, busy.samples.length)).toBeGreaterThan(4);
    const all = [...quiet.samples, ...busy.samples].map(withoutTime);
    expect(new Set(all).size).toBe(1);
    // Even the time of the look is the same throughout.
    expect([new Set(quiet.samples).size, new Set(busy.samples).size]).toEqual([1, 1]);
    // It is seen when the round has ended: in the pool when the next one began.
    expect(busy.next).toContain('support_relay_pool_parcels 1\n');
  });
});

it('Redis that ends is said, and that it is back', async () => {
  await deployment.kill('redis');
  await operator.until('Redis away', async () => (await operator.metric('redis_up')) === 0);
  const away = await Promise.all(['/', '/readyz', '/livez'].map((path) => operator.get(path)));
  expect(away.map(({ status }) => status)).toEqual([200, 503, 200]);
  expect(away[0]?.text).toContain('<h1>1 thing needs you</h1>');
  expect(away[0]?.text).toContain('docs/operations.md#redis_away');
  expect(await operator.metric('attention{code="REDIS_AWAY",severity="critical"}')).toBe(1);
  expect(await operator.metric('pool_parcels')).toBeNull();
  // What deploy/redis/start.sh leaves where the file does not load.
  const note = join(dirname(deployment.layout.redisSocket), 'damaged');
  await writeFile(note, '');
  await operator.until('the damage', async () => (await operator.metric('attention{code="REDIS_DAMAGED",severity="critical"}')) === 1);
  expect((await operator.get('/')).text).toContain('support-relay operator repair');
  await rm(note);
  deployment.start('redis');
  await operator.until('Redis back', async () => (await operator.get('/readyz')).status === 200);
});

it('ends when told to, and logs nothing but its own events', async () => {
  expect(await operator.stop()).toBe(0);
  const events = operator.output
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect([...new Set(events)].toSorted()).toEqual(['listening', 'redis away', 'redis back', 'started', 'starting', 'stopped', 'stopping']);
});
