import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { PARTS } from '../../deploy/demo/parts.ts';
import { startSearchable, type Deployment } from '../support/deployment.ts';
import { bytesNeedle, filesIn, memoryOf, redisKeys, search, textNeedle, type Needle, type Place } from './search.ts';

/** An address of 127.0.0.0/8 that nothing else uses. */
const CLIENT = '127.45.67.89';
const FORWARDED_FOR = '203.0.113.77';
const random = randomBytes(8).toString('hex');
const MESSAGE = `canary-${random} Тайна ${random}`;
const CONTACT = `kanarejka-${random}@example.org`;
const USER_AGENT = `Browser-${random}`;

/** What must never be found anywhere. */
const secrets: Needle[] = [
  textNeedle('message', `canary-${random}`),
  textNeedle('message in Russian', `Тайна ${random}`),
  textNeedle('contact', CONTACT),
  textNeedle("client's address", CLIENT),
  textNeedle('forwarded address', FORWARDED_FOR),
];

let deployment: Deployment;
let admin: Redis;

beforeAll(async () => {
  ({ deployment, admin } = await startSearchable());
});
afterAll(async () => {
  admin.disconnect();
  await deployment.stop();
});

type Exchange = { port: number; sent: Buffer; received: Buffer };

/** One request on the wire, byte by byte, as an observer between browser and relay could record it. */
async function exchange(head: string, body: Uint8Array = new Uint8Array()): Promise<Exchange> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(deployment.url).port), localAddress: CLIENT });
  await once(socket, 'connect');
  const { port, address } = socket.address() as AddressInfo;
  expect(address).toBe(CLIENT);
  const attributes = `Host: relay\r\nUser-Agent: ${USER_AGENT}\r\nX-Forwarded-For: ${FORWARDED_FOR}\r\nConnection: close\r\n`;
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.write(`${head}\r\n${attributes}\r\n`);
  socket.write(body);
  await once(socket, 'close');
  return { port, sent: Buffer.from(body), received: Buffer.concat(received) };
}

async function sendRequest(): Promise<Exchange> {
  const unstamped = sealRequest({ topic: 'legal', language: 'ru', message: MESSAGE, contact: CONTACT }, deployment.keyring);
  const parcel = stampParcel(unstamped, 10);
  const head = `POST /parcel HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: ${String(parcel.length)}`;
  const done = await exchange(head, parcel);
  expect(done.received.toString('latin1')).toMatch(/^HTTP\/1\.1 202 /);
  return done;
}

async function stored(): Promise<Place[]> {
  return [...(await redisKeys(admin)), ...filesIn(deployment.dir)];
}

function memories(): Place[] {
  return PARTS.map((part) => memoryOf(part, deployment.pid(part)));
}

/** Bytes that identify a sealed part, and the client's address as the kernel writes it (struct sockaddr_in). */
function needlesOf({ sent, port }: Exchange): { sealed: Needle; socketAddress: Needle } {
  const address = Buffer.from([2, 0, port >> 8, port & 0xff, ...CLIENT.split('.').map(Number)]);
  return {
    sealed: bytesNeedle('sealed part', sent.subarray(12_000, 12_064)),
    socketAddress: bytesNeedle("client's socket address", address),
  };
}

type Sent = {
  readonly sealed: Needle;
  /** What must be nowhere, neither stored nor in memory. */
  readonly everywhere: readonly Needle[];
};

const attributes = textNeedle('user agent', USER_AGENT);
/** While a header is read it is in the relay's memory; it must not be in anybody else's. */
const neverInMemory = (needles: readonly Needle[]): Needle[] => needles.filter(({ name }) => name !== 'forwarded address');

/** Stops the worker, so that nothing takes the parcel out of the pool. */
async function whileInThePool(): Promise<Sent> {
  deployment.signal('worker', 'SIGSTOP');
  const done = await sendRequest();
  const page = await exchange('GET / HTTP/1.1');
  const bodies: Place[] = [done, page].flatMap(({ sent, received }, index) => [
    { name: `body ${String(index)} sent`, chunks: [sent] },
    { name: `answer ${String(index)}`, chunks: [received] },
  ]);
  const { sealed, socketAddress } = needlesOf(done);
  const everywhere = [...secrets, socketAddress];

  expect(search(bodies, [...secrets, attributes])).toEqual([]);
  expect(search(bodies, [sealed])).toEqual(['sealed part in body 0 sent']);
  expect(search(await stored(), [...everywhere, attributes])).toEqual([]);
  const held = ['forwarded address in memory of relay', 'user agent in memory of relay'];
  expect(search(memories(), [...everywhere, attributes]).filter((hit) => !held.includes(hit))).toEqual([]);
  return { sealed, everywhere };
}

/** Control: the search finds what is there, in Redis, its append-only file and memory, in the relay and the worker. */
async function searchFinds(sealed: Needle): Promise<void> {
  const there = search(await stored(), [sealed]);
  expect(there).toContain('sealed part in Redis key pool');
  expect(there.some((hit) => /in redis\/data\/.+\.incr\.aof$/.test(hit))).toBe(true);
  const workerRecipient = textNeedle("worker's recipient", deployment.keyring.keyring.worker.slice(0, 60));
  const hits = search(memories(), [sealed, workerRecipient]);
  expect(hits).toContain('sealed part in memory of redis');
  expect(hits.filter((hit) => hit.startsWith("worker's recipient"))).toEqual([
    "worker's recipient in memory of relay",
    "worker's recipient in memory of worker",
  ]);
}

/** Opened and mixed, but the inbox takes nothing. Returns the letter's needle, and what lets the inbox take it. */
async function whileInTheOutbox({ everywhere }: Sent): Promise<{ letter: Needle; release: () => void }> {
  const tmp = join(deployment.inbox, 'tmp');
  rmdirSync(tmp);
  writeFileSync(tmp, '');
  deployment.signal('worker', 'SIGCONT');
  await expect.poll(() => admin.hlen('outbox:inbox-1'), { timeout: 60_000 }).toBe(1);
  const waiting = await stored();
  const [bytes] = await admin.hvalsBuffer('outbox:inbox-1');
  const letter = bytesNeedle('letter', (bytes ?? Buffer.alloc(0)).subarray(10_000, 10_064));
  expect(search(waiting, [...everywhere, attributes])).toEqual([]);
  expect(search(waiting, [letter])).toContain('letter in Redis key outbox:inbox-1');
  const hits = search(memories(), [...neverInMemory(everywhere), letter]);
  expect(hits).toContain('letter in memory of redis');
  // The worker may still hold it.
  expect(hits.filter((hit) => !['letter in memory of redis', 'letter in memory of worker'].includes(hit))).toEqual([]);
  const release = (): void => {
    rmSync(tmp);
    mkdirSync(tmp, { mode: 0o700 });
  };
  return { letter, release };
}

/** Once delivered, the letter is in the Maildir, and Redis has nothing of it or of the parcel. */
async function onceDelivered({ sealed, everywhere }: Sent, letter: Needle): Promise<void> {
  expect(await deployment.untilDelivered([MESSAGE])).toEqual([MESSAGE]);
  const delivered = await stored();
  expect(search(delivered, [...everywhere, attributes])).toEqual([]);
  expect(search(memories(), neverInMemory(everywhere))).toEqual([]);
  const name = readdirSync(join(deployment.inbox, 'new'))[0] ?? '';
  const armored =
    readFileSync(join(deployment.inbox, 'new', name), 'latin1')
      .split('\n')
      .find((line) => line.length === 64) ?? '';
  expect(search(delivered, [textNeedle('armor', armored)])).toContain(`armor in inbox/inbox-1/new/${name}`);
  // The next housekeeping rewrites the append-only file.
  await expect.poll(async () => search(await stored(), [sealed, letter]), { timeout: 15_000, interval: 500 }).toEqual([]);
}

test('a request and its sender are nowhere but in the ciphertext, wherever the parcel is', { timeout: 180_000 }, async () => {
  const sent = await whileInThePool();
  await searchFinds(sent.sealed);
  const { letter, release } = await whileInTheOutbox(sent);
  release();
  await onceDelivered(sent, letter);
  expect(await deployment.logs()).toMatch(/"msg":"started"/);
});
