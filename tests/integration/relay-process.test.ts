import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { PARCEL_BYTES } from '../../crypto/parcel.ts';
import { choosePort } from '../../deploy/demo/port.ts';
import { keys } from '../../redis/keys.ts';
import { http, postParcel } from '../support/http.ts';
import { startRelay } from '../support/relay.ts';
import { environmentOf, launchRelay, type RelayProcess } from '../support/relay-process.ts';

/** The client's address and words: neither may be found anywhere. */
const FROM = '127.45.67.89';
const CANARY = 'canary-7c1f';

const launched: RelayProcess[] = [];
afterEach(() => Promise.all(launched.splice(0).map((relay) => relay.stop())));

function launch(env: Record<string, string>): RelayProcess {
  const relay = launchRelay(env);
  launched.push(relay);
  return relay;
}

it('the program says when it starts and stops, and nothing about any request between', async () => {
  const relay = await startRelay();
  const port = await choosePort(null);
  const url = `http://127.0.0.1:${String(port)}/`;
  const { child, output } = launch({ ...(await environmentOf(relay)), RELAY_LISTEN: `127.0.0.1:${String(port)}` });
  await expect.poll(output, { timeout: 60_000 }).toContain('"msg":"started"');
  const before = output();

  const headers = { 'user-agent': CANARY, 'x-forwarded-for': FROM, cookie: CANARY, 'content-type': 'application/octet-stream' };
  const bodies = [
    relay.stamped(),
    relay.stamped(4),
    relay.parcel(),
    randomBytes(PARCEL_BYTES),
    Buffer.from(CANARY),
    Buffer.alloc(1_000_000),
  ];
  const statuses = [];
  for (const body of bodies) statuses.push((await postParcel(url, body, { headers, from: FROM })).status);
  expect(statuses).toEqual([202, 400, expect.any(Number), 400, 400, 413]);
  for (const path of ['', 'en/', `${CANARY}?${CANARY}`, 'keyring.json', 'door.json', '%E0%A4%A'])
    await http(url + path, { headers, from: FROM });
  expect(output()).toBe(before);

  // Node itself warns about this one, and would quote it.
  const raw = connect(port, '127.0.0.1').end(`GET http://[${CANARY}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  raw.resume();
  await once(raw, 'close');
  expect(output().slice(before.length)).toMatch(/^(\{.*"msg":"runtime warning".*\}\n)?$/);

  const admin = await relay.redis.connect('admin');
  for (const key of await admin.keys('*')) {
    const content = key === keys.pool ? await admin.hgetall(key) : await admin.dumpBuffer(key);
    expect(JSON.stringify([key, content.toString()])).not.toMatch(new RegExp(`${CANARY}|${FROM}`));
  }

  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(output().slice(before.length)).toMatch(
    /^(\{.*"msg":"runtime warning".*\}\n)?\{.*"msg":"stopping".*\}\n\{.*"msg":"stopped".*\}\n$/,
  );
  expect(output()).not.toMatch(new RegExp(`${CANARY}|${FROM}|${relay.redis.passwords.relay}`));
  await relay.stop();
});

it('every wrong setting is named, without its value, and the exit code is 78', async () => {
  const { child, output } = launch({
    RELAY_LISTEN: '0.0.0.0:80',
    RELAY_DIFFICULTY: CANARY,
    RELAY_REDIS_PASSWORD_FILE: `/nonexistent/${CANARY}`,
  });
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(78);
  const named = output()
    .split('\n')
    .map((line) => /^configuration: (\w+): /.exec(line)?.[1]);
  for (const name of [
    'RELAY_LISTEN',
    'RELAY_DIFFICULTY',
    'RELAY_REDIS_PASSWORD_FILE',
    'RELAY_PRIVATE_LISTEN',
    'RELAY_REDIS_SOCKET',
    'RELAY_KEYRINGS',
    'RELAY_ROOT_KEY',
    'RELAY_WEB',
  ])
    expect(named).toContain(name);
  expect(output()).not.toContain(CANARY);
});
