import { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { PARCEL_BYTES, PARCEL_HEADER_BYTES, parseParcel } from '../../crypto/parcel.ts';
import { keys } from '../../redis/keys.ts';
import { http, type HttpAnswer } from '../support/http.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';

const FORM = 'application/x-www-form-urlencoded';
const CANARY = 'Tajna-7c1f Помогите мне';

let relay: TestRelay;
beforeAll(async () => {
  relay = await startRelay();
});
afterAll(() => relay.stop());

function paste(
  text: string,
  { path = '/paste', type = FORM, more = {} }: { path?: string; type?: string; more?: Record<string, string> } = {},
): Promise<HttpAnswer> {
  return http(relay.url + path, { method: 'POST', headers: { 'content-type': type, ...more }, body: Buffer.from(text) });
}
const field = (value: string): string => `parcel=${encodeURIComponent(value)}`;
const shown = ({ status, headers, body }: HttpAnswer) => [status, headers['content-type'], Buffer.from(body).toString()];
const page = (status: number, name: string) => [status, 'text/html; charset=utf-8', name];

describe('POST /paste', () => {
  it('accepts a parcel as text as it does as bytes, and says so in the language of the form', async () => {
    const admin = await relay.redis.connect('admin');
    const parcel = relay.stamped();
    expect(shown(await paste(field(encodeParcelText(parcel))))).toEqual(page(202, 'accepted'));
    const { id, sealed } = parseParcel(parcel);
    expect((await admin.hgetBuffer(keys.pool, Buffer.from(id)))?.equals(sealed)).toBe(true);
    await admin.del(keys.pool);
    expect(shown(await paste(field(encodeParcelText(parcel)), { path: '/en/paste' }))).toEqual(page(202, 'en/accepted'));
    expect(await admin.hlen(keys.pool)).toBe(0);
    expect(
      shown(await paste(field(encodeParcelText(relay.stamped())), { type: `${FORM}; charset=UTF-8`, more: { origin: 'null' } })),
    ).toEqual(page(202, 'accepted'));
  });

  const changed = (offset: number): Uint8Array => {
    const parcel = relay.stamped();
    parcel[offset] = (parcel[offset] ?? 0) ^ 0x80;
    return parcel;
  };
  it.each([
    ['another version', () => changed(0), 400, 'unreadable'],
    ['no age file', () => changed(PARCEL_HEADER_BYTES), 400, 'unreadable'],
    ['a text that was changed on its way', () => changed(PARCEL_BYTES - 1), 400, 'damaged'],
    ['a dead serial', () => relay.stamped(4), 400, 'serial'],
  ] as const)('has a page for %s', async (_what, make, status, name) => {
    // Made by hand, since `encodeParcelText` refuses it.
    expect(shown(await paste(field(Buffer.from(make()).toString('base64url'))))).toEqual(page(status, name));
  });

  it('has a page for a cheap stamp', async () => {
    const texts = Array.from({ length: 4 }, () => encodeParcelText(relay.parcel()));
    const answers = await Promise.all(texts.map((text) => paste(field(text))));
    // One in 64 stamps is good enough by chance.
    expect(answers.map(shown)).toContainEqual(page(422, 'stamp'));
  });

  it('has a page for each closed door, and says when to retry', async () => {
    const text = field(encodeParcelText(relay.stamped()));
    await relay.workerGone();
    await relay.untilDoor('worker');
    const closed = await paste(text);
    expect(shown(closed)).toEqual(page(503, 'closed'));
    expect(closed.headers['retry-after']).toBe('300');
    await relay.workerAlive();
    await relay.untilDoor(null);
    expect(shown(await paste(text))).toEqual(page(202, 'accepted'));
  });

  it('has a page for a Redis that is away', async () => {
    const other = await startRelay();
    await other.redis.kill9();
    await other.untilDoor('redis');
    const answer = await http(`${other.url}/paste`, {
      method: 'POST',
      headers: { 'content-type': FORM },
      body: Buffer.from(field(encodeParcelText(other.stamped()))),
    });
    expect(shown(answer)).toEqual(page(503, 'away'));
    expect(answer.headers['retry-after']).toBe('30');
    await other.stop();
  });

  it('has a page for a full pool', async () => {
    const other = await startRelay({ config: { poolLimit: 1 } });
    const send = (parcel: Uint8Array) =>
      http(`${other.url}/en/paste`, {
        method: 'POST',
        headers: { 'content-type': FORM },
        body: Buffer.from(field(encodeParcelText(parcel))),
      });
    const [first, second] = [other.stamped(), other.stamped()];
    expect(shown(await send(first))).toEqual(page(202, 'en/accepted'));
    expect(shown(await send(second))).toEqual(page(503, 'en/full'));
    await other.stop();
  });

  const good = 'A'.repeat(32_768);
  const refused = [
    ['words', field(CANARY), {}],
    ['nothing', '', {}],
    ['an empty field', 'parcel=', {}],
    [
      'words as long as a parcel',
      `parcel=${CANARY.replaceAll(' ', '+')
        .padEnd(32_768 - 20, ' ')
        .slice(0, 32_700)}`.padEnd(32_775, '.'),
      {},
    ],
    ['one wrong character', `parcel=${good.slice(1)}.`, {}],
    ['a character too many', field(`${good}A`), {}],
    ['a character too few', field(good.slice(1)), {}],
    ['spaces around it', field(` ${good} `), {}],
    ['another field', `message=${encodeURIComponent(CANARY)}`, {}],
    ['two fields', `${field(good)}&more=${encodeURIComponent(CANARY)}`, {}],
    ['a megabyte', field(CANARY.repeat(30_000)), {}],
    [
      'a form of another type',
      `--x\r\nContent-Disposition: form-data; name="parcel"\r\n\r\n${CANARY}\r\n--x--\r\n`,
      { type: 'multipart/form-data; boundary=x' },
    ],
    ['plain text', `parcel=${CANARY}`, { type: 'text/plain' }],
    ['JSON', JSON.stringify({ parcel: CANARY }), { type: 'application/json' }],
    ['a coded body', field(good), { more: { 'content-encoding': 'gzip' } }],
  ] as const;
  it.each(refused)('warns of %s: 422, no echo, nothing kept', async (_what, body, options) => {
    const admin = await relay.redis.connect('admin');
    const before = await admin.hlen(keys.pool);
    const answer = await paste(body, options);
    expect(shown(answer)).toEqual(page(422, 'plaintext'));
    expect(shown(await paste(body, { ...options, path: '/en/paste' }))).toEqual(page(422, 'en/plaintext'));
    expect(JSON.stringify(answer.headers)).not.toContain('Tajna');
    expect(await admin.hlen(keys.pool)).toBe(before);
    for (const key of await admin.keys('*')) {
      const kept = key === keys.pool ? JSON.stringify(await admin.hgetall(key)) : (await admin.dumpBuffer(key)).toString('latin1');
      expect(kept, key).not.toContain('Tajna');
    }
  });

  it('has the same headers as every other answer', async () => {
    const own = ({ headers }: HttpAnswer) =>
      Object.fromEntries(
        Object.entries(headers).filter(([name]) => !['content-type', 'content-length', 'vary', 'connection', 'keep-alive'].includes(name)),
      );
    const first = own(await http(`${relay.url}/`));
    expect(own(await paste(field(encodeParcelText(relay.stamped()))))).toEqual(first);
    expect(own(await paste('Help'))).toEqual(first);
  });

  it('leads a visitor with GET back to the field', async () => {
    for (const [path, folder] of [
      ['/paste', '/'],
      ['/en/paste', '/en/'],
    ] as const) {
      const { status, headers } = await http(relay.url + path);
      expect([status, headers['location']]).toEqual([308, folder]);
    }
    const { status, headers } = await http(`${relay.url}/paste`, { method: 'PUT', body: Buffer.from('x') });
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD, POST']);
  });
});

describe('whatever was read is overwritten', () => {
  const BODY_BYTES = 32_775;
  afterEach(() => vi.restoreAllMocks());

  /** Every chunk of a body that Node hands over, and every buffer in which bodies are collected. */
  function watched(): { pieces: Buffer[]; gathered: Buffer[] } {
    const pieces: Buffer[] = [];
    const push = vi.spyOn(IncomingMessage.prototype, 'push');
    push.mockImplementation(function (this: IncomingMessage, chunk: unknown, ...rest) {
      if (this.method === 'POST' && Buffer.isBuffer(chunk)) pieces.push(chunk);
      return Reflect.apply(Readable.prototype.push, this, [chunk, ...rest]) as boolean;
    });
    const gathered: Buffer[] = [];
    const alloc = Buffer.alloc.bind(Buffer);
    vi.spyOn(Buffer, 'alloc').mockImplementation((size, ...rest) => {
      const made = alloc(size, ...rest);
      if (size === BODY_BYTES) gathered.push(made);
      return made;
    });
    return { pieces, gathered };
  }
  const bytesOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);
  const isBlank = (buffers: readonly Buffer[]): boolean => buffers.every((buffer) => buffer.every((byte) => byte === 0));

  const long = CANARY.repeat(2_000);
  it.each([
    ['less than a parcel', field(CANARY), FORM, {}],
    ['as much as a parcel', `parcel=${'.'.repeat(32_768)}`, FORM, {}],
    ['more than a parcel', field(long), FORM, {}],
    ['less, of a length that is not announced', field(CANARY), FORM, { 'transfer-encoding': 'chunked' }],
    ['more, of a length that is not announced', field(long), FORM, { 'transfer-encoding': 'chunked' }],
    ['another type', CANARY, 'text/plain', {}],
    ['a parcel', field('A'.repeat(32_768)), FORM, {}],
  ])('%s', async (_what, body, type, more) => {
    const { pieces, gathered } = watched();
    await paste(body, { type, more });
    await expect.poll(() => bytesOf(pieces)).toBe(Buffer.byteLength(body));
    await expect.poll(() => isBlank(pieces)).toBe(true);
    expect(isBlank(gathered)).toBe(true);
  });

  it('even what was sent before its sender left', async () => {
    const { pieces, gathered } = watched();
    const socket = connect(Number(new URL(relay.url).port), '127.0.0.1');
    socket.write(`POST /paste HTTP/1.1\r\nContent-Type: ${FORM}\r\nContent-Length: ${String(BODY_BYTES)}\r\n\r\n${field(CANARY)}`);
    await expect.poll(() => bytesOf(pieces)).toBe(field(CANARY).length);
    expect(gathered).toHaveLength(1);
    socket.destroy();
    await expect.poll(() => isBlank([...pieces, ...gathered])).toBe(true);
  });

  it('even what another address refused', async () => {
    const { pieces } = watched();
    await paste(CANARY, { path: '/parcel' });
    await expect.poll(() => bytesOf(pieces)).toBe(Buffer.byteLength(CANARY));
    await expect.poll(() => isBlank(pieces)).toBe(true);
  });
});

it('serves the offline form as a download', async () => {
  expect((await http(`${relay.url}/form.html`)).headers['content-disposition']).toBe('attachment');
  expect((await http(`${relay.url}/`)).headers['content-disposition']).toBeUndefined();
});

describe('the difficulty', () => {
  it(
    'rises and falls with the pool, is announced by the door and in answers, and makes earlier stamps insufficient',
    { timeout: 120_000 },
    async () => {
      const small = await startRelay({ config: { poolLimit: 40 }, roundSeconds: 1 });
      const admin = await small.redis.connect('admin');
      const told = async (): Promise<number> =>
        ((await (await fetch(`${small.url}/door.json`)).json()) as { difficulty: number }).difficulty;
      const post = (parcel: Uint8Array) =>
        http(`${small.url}/parcel`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: parcel });
      try {
        expect(await told()).toBe(6);
        for (let i = 0; i < 10; i += 1) await admin.hset(keys.pool, `filler-${String(i)}`, 'x');
        await expect.poll(told, { timeout: 20_000 }).toBe(10);
        const answers = await Promise.all(Array.from({ length: 6 }, () => post(small.stamped())));
        // One stamp in 16 for 6 bits has 10 by chance.
        expect(answers.map(({ status }) => status)).toContain(422);
        for (const { body } of answers) expect(Buffer.from(body).readUInt32BE(8)).toBe(10);
        await admin.del(keys.pool);
        await expect.poll(told, { timeout: 20_000 }).toBe(6);
      } finally {
        await small.stop();
      }
    },
  );
});
