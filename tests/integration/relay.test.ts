import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswer } from '../../crypto/answer.ts';
import { NONCE_OFFSET, PARCEL_BYTES, PARCEL_HEADER_BYTES, parseParcel } from '../../crypto/parcel.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import { keys, SET_ANCHOR, rememberedId } from '../../redis/keys.ts';
import { keyId } from '../../runtime/key-id.ts';
import { DIFFICULTY, PAGE, startRelay, type TestRelay } from '../support/relay.ts';

let relay: TestRelay;
beforeAll(async () => {
  relay = await startRelay();
});
afterAll(() => relay.stop());

const OCTETS = 'application/octet-stream';

function post(body: Uint8Array, headers: Record<string, string> = {}) {
  return request(relay.url)
    .post('/parcel')
    .set({ 'Content-Type': OCTETS, ...headers })
    .buffer(true)
    .parse(binary)
    .send(Buffer.from(body));
}

function binary(response: request.Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  const stream = response as unknown as NodeJS.ReadableStream;
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => done(null, Buffer.concat(chunks)));
}

function changed(parcel: Uint8Array, offset: number): Uint8Array {
  const copy = parcel.slice();
  copy[offset] = (copy[offset] ?? 0) ^ 0x80;
  return copy;
}

describe('POST /parcel', () => {
  it('puts a parcel into the pool and answers 202', async () => {
    const parcel = relay.stamped();
    const response = await post(parcel);
    expect(response.status).toBe(202);
    expect(parseAnswer(response.body as Buffer)).toEqual({ result: 'accepted', difficulty: DIFFICULTY, retryAfterSeconds: 0 });
    const admin = await relay.redis.connect('admin');
    const { id, sealed } = parseParcel(parcel);
    expect((await admin.hgetBuffer(keys.pool, Buffer.from(id)))?.equals(sealed)).toBe(true);
    expect(await admin.sismember(keys.arrived(keyId(relay.keyring.worker)), rememberedId(id))).toBe(1);
    expect(await admin.sismember(keys.arrived(keyId(relay.keyring.worker)), SET_ANCHOR)).toBe(1);
  });

  it('answers the same parcel the same and keeps it once, even after it left the pool or was stamped again', async () => {
    const admin = await relay.redis.connect('admin');
    await admin.del(keys.pool);
    const parcel = relay.stamped();
    const restamped = stampParcel(parcel, DIFFICULTY + 6);
    expect((await post(parcel)).status).toBe(202);
    expect((await post(parcel)).status).toBe(202);
    expect(await admin.hlen(keys.pool)).toBe(1);
    await admin.del(keys.pool);
    expect((await post(parcel)).status).toBe(202);
    expect((await post(restamped)).status).toBe(202);
    expect(await admin.hlen(keys.pool)).toBe(0);
  });

  const refused = [
    ['another version', 400, 'version', () => changed(relay.stamped(), 0)],
    ['random bytes', 400, 'version', () => randomBytes(PARCEL_BYTES)],
    ['zeros', 400, 'version', () => new Uint8Array(PARCEL_BYTES)],
    ['no age file', 400, 'sealed', () => changed(relay.stamped(), PARCEL_HEADER_BYTES)],
    ['one changed byte', 400, 'damaged', () => changed(relay.stamped(), PARCEL_BYTES - 1)],
    ['another check', 400, 'damaged', () => changed(relay.stamped(), NONCE_OFFSET)],
    ['a serial it was not sealed under', 400, 'damaged', () => changed(relay.stamped(), NONCE_OFFSET - 1)],
    ['a dead serial', 400, 'serial', () => relay.stamped(4)],
    ['a serial to come that nobody signed', 400, 'serial', () => relay.stamped(6)],
    ['a cheap stamp', 422, 'stamp', () => cheap()],
  ] as const;

  it.each(refused)('refuses %s with %i (%s), without touching Redis', async (_what, status, result, make) => {
    const admin = await relay.redis.connect('admin');
    const before = await admin.hlen(keys.pool);
    const response = await post(make());
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toBe(OCTETS);
    expect(response.headers['retry-after']).toBeUndefined();
    expect(parseAnswer(response.body as Buffer)).toEqual({ result, difficulty: DIFFICULTY, retryAfterSeconds: 0 });
    expect(await admin.hlen(keys.pool)).toBe(before);
  });

  const unfit = [
    ['nothing', 400, 'PARCEL_SHORT', () => Buffer.alloc(0), {}],
    ['a byte too few', 400, 'PARCEL_SHORT', () => randomBytes(PARCEL_BYTES - 1), {}],
    ['a byte too many', 413, 'PARCEL_LONG', () => randomBytes(PARCEL_BYTES + 1), {}],
    ['10 MB', 413, 'PARCEL_LONG', () => Buffer.alloc(10_000_000, 7), {}],
    ['a form', 415, 'CONTENT_TYPE', () => Buffer.from('message=Help+me'), { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['text', 415, 'CONTENT_TYPE', () => Buffer.from('Help me'), { 'Content-Type': 'text/plain' }],
    ['a type with a parameter', 415, 'CONTENT_TYPE', () => relay.stamped(), { 'Content-Type': `${OCTETS}; charset=utf-8` }],
    ['a coded body', 415, 'CONTENT_ENCODING', () => relay.stamped(), { 'Content-Encoding': 'gzip' }],
    ['a body coded as itself', 415, 'CONTENT_ENCODING', () => relay.stamped(), { 'Content-Encoding': 'identity' }],
  ] as const;

  it.each(unfit)('answers %s with %i (%s), in a few words and without an echo', async (_what, status, error, make, headers) => {
    const body = make();
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    const text = (response.body as Buffer).toString();
    expect(JSON.parse(text)).toEqual({ error, message: expect.any(String) as unknown });
    expect(text).not.toContain('Help');
  });

  it('accepts no other method', async () => {
    for (const method of ['get', 'head', 'put', 'delete', 'options', 'patch'] as const) {
      const response = await request(relay.url)[method]('/parcel');
      expect(response.status).toBe(405);
      expect(response.headers['allow']).toBe('POST');
    }
  });

  it('answers with the same size and headers, whatever the result', async () => {
    const parcels = [relay.stamped(), cheap(), relay.stamped(4), randomBytes(PARCEL_BYTES)];
    const responses = [];
    for (const parcel of parcels) responses.push(await post(parcel));
    expect(responses.map(({ status }) => status)).toEqual([202, 422, 400, 400]);
    for (const response of responses) {
      expect((response.body as Buffer).length).toBe(PARCEL_BYTES);
      expect(response.headers).toEqual(responses[0]?.headers);
    }
  });
});

describe('every answer', () => {
  const paths = [
    '/',
    '/en/',
    '/en',
    '/form.js',
    '/nothing',
    '/start.json',
    '/door.json',
    '/keyring.json',
    '/keyring.json.minisig',
    '/parcel',
    '/%E0%A4%A',
    '/..%2f..%2fetc/passwd',
  ];

  it('has the same protective headers and nothing that distinguishes one machine or visit from another', async () => {
    const protective = (headers: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(headers).filter(
          ([name]) => !['content-type', 'content-length', 'content-encoding', 'vary', 'allow', 'location'].includes(name),
        ),
      );
    const first = protective((await request(relay.url).get('/')).headers as Record<string, string>);
    expect(first).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join(';'),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(first['permissions-policy']).toContain('geolocation=()');
    for (const absent of ['date', 'etag', 'last-modified', 'x-powered-by', 'server', 'set-cookie', 'strict-transport-security'])
      expect(first).not.toHaveProperty(absent);
    for (const path of paths) {
      const response = await request(relay.url).get(path).redirects(0);
      expect(protective(response.headers as Record<string, string>), path).toEqual(first);
    }
  });

  it('does not echo the request', async () => {
    for (const path of ['/canary', '/canary?canary', '/%E0%A4%Acanary', '/form.js/canary', '//canary', '/..%2fcanary']) {
      const response = await request(relay.url).get(path);
      expect(response.status).toBe(404);
      expect(JSON.stringify([response.headers, response.text])).not.toContain('canary');
    }
  });
});

describe('the form and what it needs', () => {
  it('is served from memory, the same with a query', async () => {
    for (const path of ['/', '/index.html', '/en/', '/?x=1']) {
      const response = await request(relay.url).get(path);
      expect(response.status).toBe(200);
      expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(response.text).toBe(PAGE);
    }
    expect((await request(relay.url).get('/form.js')).headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect((await request(relay.url).get('/unlisted.txt')).status).toBe(404);
    const moved = await request(relay.url).get('/en').redirects(0);
    expect([moved.status, moved.headers['location']]).toEqual([308, '/en/']);
  });

  it('is compressed as the client accepts', async () => {
    for (const [accepted, encoding] of [
      ['gzip, deflate', 'gzip'],
      ['gzip, deflate, br', 'br'],
      ['br;q=0, gzip', 'gzip'],
      ['identity', undefined],
      ['', undefined],
    ] as const) {
      const response = await request(relay.url).get('/').set('Accept-Encoding', accepted).buffer(true).parse(binary);
      expect(response.headers['content-encoding']).toBe(encoding);
      expect(response.headers['vary']).toBe('Accept-Encoding');
    }
    const response = await request(relay.url).get('/').set('Accept-Encoding', 'gzip, deflate, br');
    expect(response.text).toBe(PAGE);
    const tiny = await request(relay.url).get('/form.js').set('Accept-Encoding', 'gzip');
    expect(tiny.headers['content-encoding']).toBeUndefined();
  });

  it('answers HEAD with headers alone and other methods with 405', async () => {
    const head = await request(relay.url).head('/');
    expect([head.status, head.text]).toEqual([200, undefined]);
    for (const path of ['/', '/start.json', '/door.json', '/keyring.json', '/keyring.json.minisig']) {
      const response = await request(relay.url).post(path).send('message=x');
      expect(response.status, path).toBe(405);
      expect(response.headers['allow']).toBe('GET, HEAD');
    }
  });

  it('publishes the keyring byte for byte as signed', async () => {
    const json = await request(relay.url).get('/keyring.json');
    expect(json.body).toEqual(relay.keyring);
    const signature = await request(relay.url).get('/keyring.json.minisig');
    expect(signature.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(signature.text).toMatch(/^untrusted comment: .*\n/);
  });

  it('says that the door is open', async () => {
    const response = await request(relay.url).get('/door.json');
    expect(response.body).toEqual({ open: true, reason: null, difficulty: DIFFICULTY, roundSeconds: 60 });
  });

  it('gives the form all of it at once, in few bytes', async () => {
    const [door, keyring, signature] = await Promise.all(
      ['door.json', 'keyring.json', 'keyring.json.minisig'].map((path) => request(relay.url).get(`/${path}`)),
    );
    const start = await request(relay.url).get('/start.json').set('Accept-Encoding', 'gzip');
    expect(start.headers).toMatchObject({ 'content-type': door?.headers['content-type'], 'content-encoding': 'gzip' });
    expect(start.body).toEqual({ door: door?.body as unknown, keyring: keyring?.text, signature: signature?.text });
  });
});

describe('the private listener', () => {
  it('is not reachable through the public one', async () => {
    expect((await request(relay.url).get('/livez')).status).toBe(404);
    expect((await request(relay.url).get('/readyz')).status).toBe(404);
    expect((await request(relay.privateUrl).get('/')).status).toBe(404);
  });

  it('reports the state in coarse steps', async () => {
    expect((await request(relay.privateUrl).get('/livez')).body).toEqual({ live: true });
    const ready = await request(relay.privateUrl).get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body).toEqual({ ready: true, reason: null, redis: 'ok', pool: 'empty', worker: 'working', keyring: 'ok' });
  });
});

/** A parcel whose stamp is not good enough: one in 64 unstamped parcels would pass by chance. */
function cheap(): Uint8Array {
  for (;;) {
    const parcel = relay.parcel();
    if (stampBits(parseParcel(parcel)) < DIFFICULTY) return parcel;
  }
}
