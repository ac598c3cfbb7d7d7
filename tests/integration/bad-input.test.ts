// Every kind of bad input gets its own defined result, at the first layer that can see it, and none of the real programs ends.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeyring } from '../../cli/keys/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { parseAnswer, type Result } from '../../crypto/answer.ts';
import { concat, fromHex, randomBytes } from '../../crypto/bytes.ts';
import { encodeKeyring } from '../../crypto/keyring.ts';
import { LETTER_BYTES, LETTER_PLAINTEXT_BYTES, sealLetter } from '../../crypto/letter.ts';
import { generateKeyPair, sign } from '../../crypto/minisign.ts';
import {
  frameParcel,
  KIND_BYTES,
  PARCEL_BYTES,
  PARCEL_HEADER_BYTES,
  PARCEL_PLAINTEXT_BYTES,
  parseParcel,
  ROUTE_BYTES,
  SEALED_BYTES,
  sealParcel,
} from '../../crypto/parcel.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import { program } from '../../deploy/state/layout.ts';
import { PARTS } from '../../deploy/demo/parts.ts';
import type { Prepared } from '../../deploy/setup/trial.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { http, postParcel, type HttpRequest } from '../support/http.ts';

const DIFFICULTY = 10;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The worker keeps a parcel that none of its keys opens for a minute: the key may still arrive. */
const PATIENCE_MS = 60_000;
/** Most of the file waits for that minute: with rounds of a second it would take sixty of them. */
const ROUND_SECONDS = 5;

let deployment: Deployment;
let operator: Redis;
let pids: number[];

beforeAll(async () => {
  deployment = await startDeployment({ roundSeconds: ROUND_SECONDS, environment: { relay: { RELAY_REQUEST_TIMEOUT_SECONDS: '2' } } });
  pids = PARTS.map((part) => deployment.pid(part));
  operator = await deployment.connect('operator');
});
afterAll(async () => {
  operator.disconnect();
  await deployment.stop();
});

/** A parcel with a valid check and stamp around any sealed part. */
const framed = (sealed: Uint8Array, serial = deployment.keyring.keyring.serial): Uint8Array =>
  stampParcel(frameParcel(sealed, serial), DIFFICULTY);
const sealedOf = (message: string): Uint8Array => parseParcel(deployment.seal(message)).sealed;

/** A stamped parcel with any plaintext, sealed to this worker or another. */
function parcelWith(
  plaintext: Uint8Array,
  worker = deployment.keyring.keyring.worker,
  serial = deployment.keyring.keyring.serial,
): Uint8Array {
  return framed(encrypt(plaintext, [worker]), serial);
}

function plaintextWith(kind: number, team: string, content: Uint8Array): Uint8Array {
  const plaintext = new Uint8Array(PARCEL_PLAINTEXT_BYTES);
  plaintext[0] = kind;
  plaintext.set(fromHex(team), KIND_BYTES);
  plaintext.set(content, KIND_BYTES + ROUTE_BYTES);
  return plaintext;
}

const team = (): string => deployment.keyring.keyring.teams[0]?.id ?? '';

function letter(message = 'x'): Uint8Array {
  const { keyring, digest } = deployment.keyring;
  const content = {
    version: 1,
    kind: 'request',
    serial: keyring.serial,
    keyring: digest,
    topic: 'legal',
    language: 'ru',
    message,
  } as const;
  return sealLetter(content, keyring.teams[0]?.recipients ?? []);
}

function changed(bytes: Uint8Array, at: number, to?: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = to ?? (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A good parcel without a stamp; hardly any has enough zero bits by chance. */
function unstamped(): Uint8Array {
  for (;;) {
    const parcel = sealParcel({ kind: 'decoy' }, { serial: deployment.keyring.keyring.serial, worker: deployment.keyring.keyring.worker });
    if (stampBits(parseParcel(parcel)) < DIFFICULTY) return parcel;
  }
}

describe('the relay refuses with a short answer whatever is not an exchange', () => {
  const octets = { 'content-type': 'application/octet-stream' };
  test.each<[string, HttpRequest & { path?: string }, number, string]>([
    ['an empty body', { body: new Uint8Array() }, 400, 'PARCEL_SHORT'],
    ['a byte less', { body: new Uint8Array(PARCEL_BYTES - 1) }, 400, 'PARCEL_SHORT'],
    ['a byte more', { body: new Uint8Array(PARCEL_BYTES + 1) }, 413, 'PARCEL_LONG'],
    ['10 MB', { body: new Uint8Array(10_000_000) }, 413, 'PARCEL_LONG'],
    [
      '10 MB of unannounced length',
      { body: new Uint8Array(10_000_000), headers: { ...octets, 'transfer-encoding': 'chunked' } },
      413,
      'PARCEL_LONG',
    ],
    ['another content type', { body: new Uint8Array(PARCEL_BYTES), headers: { 'content-type': 'text/plain' } }, 415, 'CONTENT_TYPE'],
    [
      'a form',
      { body: new Uint8Array(PARCEL_BYTES), headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'CONTENT_TYPE',
    ],
    [
      'a content encoding',
      { body: new Uint8Array(PARCEL_BYTES), headers: { ...octets, 'content-encoding': 'gzip' } },
      415,
      'CONTENT_ENCODING',
    ],
    ['another method', { method: 'PUT', body: new Uint8Array(PARCEL_BYTES) }, 405, 'METHOD'],
    ['another path', { path: '../parcels' }, 404, 'NOT_FOUND'],
    ['long headers', { body: new Uint8Array(PARCEL_BYTES), headers: { ...octets, 'x-long': 'x'.repeat(20_000) } }, 431, 'HEADERS_LONG'],
  ])('%s', async (_name, { path = 'parcel', ...request }, status, error) => {
    const answer = await http(new URL(path, deployment.url).href, { method: 'POST', headers: octets, ...request });
    expect([answer.status, JSON.parse(Buffer.from(answer.body).toString())]).toMatchObject([status, { error }]);
  });

  test('a body that arrives too slowly', async () => {
    const received = await raw('POST /parcel HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: 24576\r\n\r\nslow');
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(received).toContain('"TIMEOUT"');
  });

  test('bytes that are not HTTP', async () => {
    expect(await raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

/** Sends these bytes and waits until the relay closes the connection. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(deployment.url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return received;
}

test.each<[string, () => Uint8Array, number, Result]>([
  ['random bytes', () => changed(randomBytes(PARCEL_BYTES), 0, 0xff), 400, 'version'],
  ['another version', () => changed(unstamped(), 3, 2), 400, 'version'],
  ['random bytes for a sealed part', () => concat(unstamped().subarray(0, PARCEL_HEADER_BYTES), randomBytes(SEALED_BYTES)), 400, 'sealed'],
  ['an age header to two recipients', () => twoRecipients(), 400, 'sealed'],
  ['a parcel that was changed on its way', () => changed(deployment.seal('one bit'), PARCEL_BYTES - 1), 400, 'damaged'],
  ['a serial that never was', () => parcelWith(new Uint8Array(PARCEL_PLAINTEXT_BYTES), undefined, 999), 400, 'serial'],
  ['no stamp', unstamped, 422, 'stamp'],
])('the relay refuses, with an answer of 24,576 bytes: %s', async (_name, make, status, result) => {
  const answer = await postParcel(deployment.url, make());
  expect(answer.status).toBe(status);
  expect(parseAnswer(answer.body)).toEqual({ result, difficulty: DIFFICULTY, retryAfterSeconds: 0 });
});

function twoRecipients(): Uint8Array {
  const stranger = identityToRecipient(generateIdentity());
  const file = encrypt(new Uint8Array(PARCEL_PLAINTEXT_BYTES), [deployment.keyring.keyring.worker, stranger]);
  return concat(unstamped().subarray(0, PARCEL_HEADER_BYTES), file.subarray(0, SEALED_BYTES));
}

test('the worker drops and counts by reason what only it can see', { timeout: PATIENCE_MS + 60_000 }, async () => {
  const cases: [reason: string, parcel: Uint8Array][] = [
    ['unopenable', parcelWith(new Uint8Array(PARCEL_PLAINTEXT_BYTES), identityToRecipient(generateIdentity()))],
    // A truncated age file, padded to the right length again.
    ['damaged', framed(concat(sealedOf('truncated').subarray(0, SEALED_BYTES - 5_000), randomBytes(5_000)))],
    ['damaged', framed(changed(sealedOf('one bit'), SEALED_BYTES - 1))],
    ['format', parcelWith(plaintextWith(9, team(), new Uint8Array()))],
    ['format', parcelWith(changed(plaintextWith(1, team(), letter()), PARCEL_PLAINTEXT_BYTES - 1))],
    ['structure', parcelWith(plaintextWith(1, team(), randomBytes(LETTER_BYTES)))],
    ['structure', parcelWith(plaintextWith(1, team(), shortLetter()))],
    ['team', parcelWith(plaintextWith(1, '00000000000000ff', letter()))],
    ['decoy', parcelWith(new Uint8Array(PARCEL_PLAINTEXT_BYTES))],
  ];
  for (const [reason, parcel] of cases) expect([reason, (await deployment.post(parcel)).status]).toEqual([reason, 202]);
  const dropped = async () =>
    Object.fromEntries(Object.entries(await operator.hgetall('dropped')).map(([reason, count]) => [reason, Number(count)]));
  const expected = { unopenable: 1, damaged: 2, format: 2, structure: 2, team: 1, decoy: 1 };
  await expect.poll(dropped, { timeout: PATIENCE_MS + 30_000, interval: 500 }).toEqual(expected);
  expect(await deployment.letters()).toEqual([]);
});

/** An age file to one recipient instead of eight, padded to a letter's length. */
function shortLetter(): Uint8Array {
  const file = encrypt(new Uint8Array(LETTER_PLAINTEXT_BYTES), deployment.keyring.keyring.teams[0]?.recipients ?? []);
  return concat(file, randomBytes(LETTER_BYTES - file.length));
}

test('the relay ignores a forged keyring, and whoever would seal under it refuses it', async () => {
  const { keyrings } = deployment.layout;
  const stranger = generateKeyPair();
  const json = encodeKeyring({ ...deployment.keyring.keyring, serial: 2, worker: identityToRecipient(generateIdentity()) });
  const file = join(keyrings, 'keyring-2.json');
  writeFileSync(`${file}.minisig`, sign(json, stranger, 'forged'));
  writeFileSync(file, json);
  deployment.signal('relay', 'SIGHUP');
  await expect.poll(() => deployment.logs(), { timeout: 60_000 }).toMatch(/(?=.*"keyring ignored")(?=.*keyring-2\.json).*MINISIGN_KEY/);
  const served = await http(new URL('keyring.json', deployment.url).href);
  expect(JSON.parse(Buffer.from(served.body).toString())).toMatchObject({ serial: 1 });
  const refused = sealWith(file);
  expect([refused.status, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toMatch(/root key|signed/);
  rmSync(file);
  rmSync(`${file}.minisig`);
});

function sealWith(keyring: string) {
  const args = [program('support-relay'), 'seal', '--keyring', keyring, '--root-key', deployment.rootKey];
  return spawnSync(process.execPath, args, { input: 'text', encoding: 'utf8' });
}

test('after all that, the same three processes accept and deliver a request', async () => {
  const parcel = deployment.seal('после всего');
  expect((await deployment.post(parcel)).status).toBe(202);
  expect((await deployment.post(parcel)).status).toBe(202);
  expect(await deployment.untilDelivered(['после всего'], 60_000)).toEqual(['после всего']);
  expect(PARTS.map((part) => deployment.pid(part))).toEqual(pids);
  expect(PARTS.map((part) => deployment.isRunning(part))).toEqual([true, true, true]);
  expect(await deployment.logs()).not.toContain('crashed');
});

test('with an expired keyring the door is closed and says why', async () => {
  const expired = await startDeployment({ adjust: expire, untilOpen: false });
  try {
    const door = async () => JSON.parse(Buffer.from((await http(new URL('door.json', expired.url).href)).body).toString()) as unknown;
    await expect.poll(() => door().catch(() => null), { timeout: 60_000 }).toMatchObject({ open: false, reason: 'keyring' });
    const keyring = await http(new URL('keyring.json', expired.url).href);
    expect([keyring.status, JSON.parse(Buffer.from(keyring.body).toString())]).toMatchObject([503, { error: 'NO_KEYRING' }]);
    expect(await expired.post(expired.seal('too late'))).toMatchObject({ status: 503, answer: { result: 'closed' } });
    expect(sealWith(expired.keyringFile).status).not.toBe(0);
    expect(PARTS.every((part) => expired.isRunning(part))).toBe(true);
  } finally {
    await expired.stop();
  }
});

/** The same keyring, signed by the same key, half a day expired: its parcels would still be accepted if another keyring followed. */
async function expire({ layout, keyring, keyringFile }: Prepared): Promise<void> {
  const root = await readRootKey(layout.rootSecretKey, () => Promise.reject(new Error('no passphrase')));
  for (const file of [keyringFile, `${keyringFile}.minisig`]) rmSync(file);
  const { serial, worker, teams } = keyring.keyring;
  await createKeyring({ serial, worker, teams, from: new Date(Date.now() - 7.5 * DAY_MS), days: 7 }, root, layout.keyrings);
}
