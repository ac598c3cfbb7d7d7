// How `send` hands in parcels: with stamps, order, timing and connections like the page's, and a report on each.
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { pageHeaders } from '../../cli/sending/page-requests.ts';
import { encodeAnswer, type Result } from '../../crypto/answer.ts';
import { toHex } from '../../crypto/bytes.ts';
import { COUNTER_OFFSET, PARCEL_BYTES, PARCEL_HEADER_BYTES, parseParcel } from '../../crypto/parcel.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { keys } from '../../redis/keys.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';

type Heard = { readonly headers: string[]; readonly id: string; readonly parcel: Uint8Array };

/** Accepts every parcel, and records what it received. */
async function listeningRelay(difficulty: number): Promise<{ heard: Heard[]; server: Server }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.end(request.url === '/start.json' ? JSON.stringify({ door: { open: true, difficulty }, keyring: '{}', signature: '' }) : '');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const parcel = new Uint8Array(Buffer.concat(chunks));
      heard.push({ headers: request.rawHeaders, id: Buffer.from(parseParcel(parcel).id).toString('hex'), parcel });
      response.end(encodeAnswer({ result: 'accepted' satisfies Result, difficulty, retryAfterSeconds: 0 }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { heard, server };
}

describe('how parcels are sent', () => {
  let relay: TestRelay;
  let admin: Redis;
  let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
  beforeAll(async () => {
    dir = await temporaryDirectory();
    relay = await startRelay({ config: { difficulty: 14 } });
    admin = await relay.redis.connect('admin');
  });
  afterAll(async () => {
    await relay.stop();
    await dir.remove();
  });

  const files = (count: number): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, (_, index) => writeTo(dir.path(`p${String(index)}.txt`), `${encodeParcelText(relay.parcel())}\n`)),
    );

  test('with stamps of the difficulty the door asks for; a file that is not a parcel does not hold up the others', async () => {
    const bad = await writeTo(dir.path('bad.txt'), 'Help me');
    const { code, text } = await cli(['send', bad, 'tests/cases/parcel/7c-swapped.txt', ...(await files(3)), '--relay', relay.url]);
    expect([code, text]).toEqual([EXIT.input, expect.stringMatching(/bad\.txt, parcel 1: refused: there is no sealed parcel/)]);
    expect(text).toMatch(/swapped\.txt, parcel 1: refused: it was changed on its way; ask for it again.* \(PARCEL_CHECK\)/);
    expect(text.match(/accepted/g)).toHaveLength(6);
    expect(await admin.hlen(keys.pool)).toBe(3);
  });

  test('after waiting for a closed door', async () => {
    await admin.del(keys.pool);
    await relay.workerGone();
    await relay.untilDoor('worker');
    let waited = 0;
    const { code, err } = await cli(['send', ...(await files(1)), '--relay', relay.url], {
      pause: async (_ms, why) => {
        if (why === 'moment') return true;
        waited += 1;
        await relay.workerAlive();
        await relay.untilDoor(null);
        return true;
      },
    });
    expect([code, waited, err]).toEqual([
      EXIT.ok,
      1,
      expect.stringMatching(/^Sending .*\nSo that .*\nnot now: the door is closed; trying again in \d+ seconds \(Ctrl-C stops\)\n$/),
    ]);
    expect(await admin.hlen(keys.pool)).toBe(1);
  });

  test('one refused for good is reported, and the rest are sent', async () => {
    await admin.del(keys.pool);
    const old = await writeTo(dir.path('old.txt'), encodeParcelText(relay.parcel(4)));
    const { code, text } = await cli(['send', old, ...(await files(2)), '--relay', relay.url]);
    expect([code, text]).toEqual([EXIT.input, expect.stringContaining('no longer, or not yet, in use')]);
    expect(await admin.hlen(keys.pool)).toBe(2);
  });

  test(
    'in random order, each at its own time and on its own connections, ' + 'with the page’s stamp and headers, addressed to the onion',
    async () => {
      const moments: number[] = [];
      const { heard, server } = await listeningRelay(12);
      const proxy = await startSocksServer({ [ONION]: (server.address() as AddressInfo).port });
      // With stamps of a higher difficulty than this door asks for.
      const paths = await Promise.all(
        Array.from({ length: 4 }, (_, index) =>
          writeTo(dir.path(`dear${String(index)}.txt`), encodeParcelText(stampParcel(relay.parcel(), 14))),
        ),
      );
      const orders = new Set<string>();
      try {
        // There are 24 orders; a fixed one would come eight times in a row.
        for (let time = 0; time < 8; time += 1) {
          heard.length = 0;
          const argv = ['send', ...paths, '--relay', `http://${ONION}`, '--socks', `127.0.0.1:${String(proxy.port)}`];
          expect((await cli(argv, { pause: (ms) => Promise.resolve(moments.push(ms) > 0) })).code).toBe(EXIT.ok);
          orders.add(heard.map(({ id }) => id).join());
        }
      } finally {
        await proxy.stop();
        server.closeAllConnections();
        server.close();
      }
      expect(orders.size).toBeGreaterThan(1);
      expect(heard.map(({ headers }) => headers)).toEqual(Array.from({ length: 4 }, () => pageHeaders(PARCEL_BYTES, `http://${ONION}`)));
      // As on the page: the lowest counter that suffices, although these had better stamps before.
      for (const { parcel } of heard) {
        const unstamped = parcel.slice();
        unstamped.fill(0, COUNTER_OFFSET, PARCEL_HEADER_BYTES);
        expect(toHex(stampParcel(unstamped, 12))).toBe(toHex(parcel));
      }
      expect(moments).toHaveLength(8 * 4);
      for (const ms of moments) expect(ms).toBeLessThan(60_000);
      expect(new Set(moments).size).toBe(8 * 4);
      expect(new Set(proxy.visits.map(({ user }) => user)).size).toBe(8 * 4);
    },
  );

  test('a stamp beyond what the page would make: not sent a second time', async () => {
    let [posted, pauses] = [0, 0];
    const server = createServer((request, response) => {
      request.resume();
      posted += Number(request.method === 'POST');
      const start = JSON.stringify({ door: { open: true, difficulty: 0 }, keyring: '{}', signature: '' });
      const difficulty = HIGHEST_DIFFICULTY + 1;
      const answer =
        request.method === 'GET' ? start : encodeAnswer({ result: 'stamp' satisfies Result, difficulty, retryAfterSeconds: 0 });
      request.on('end', () => response.end(answer));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const argv = [
        'send',
        ...(await files(2)),
        '--at-once',
        '--relay',
        `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
      ];
      const { code, text } = await cli(argv, { pause: () => Promise.resolve((pauses += 1) > 0) });
      expect([code, text.match(/not now: the relay keeps raising the proof-of-work difficulty/g)]).toEqual([
        EXIT.unavailable,
        expect.objectContaining({ length: 2 }),
      ]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    expect([posted, pauses]).toEqual([1, 0]);
  });

  test('--delete: only files whose parcels were all accepted', async () => {
    await admin.del(keys.pool);
    const folder = dir.path('delete');
    await mkdir(folder);
    const [text, refused] = [encodeParcelText(relay.parcel()), encodeParcelText(relay.parcel(4))];
    const contents = {
      good: `${text}\n${encodeParcelText(relay.parcel())}\n`,
      again: text,
      half: `${encodeParcelText(relay.parcel())}\n${refused}\n`,
      old: refused,
      damaged: `${text.slice(0, -100)}!`,
    };
    for (const [name, content] of Object.entries(contents)) await writeTo(`${folder}/${name}.txt`, content);
    const { code, err } = await cli(['send', folder, `${folder}/again.txt`, '--relay', relay.url, '--delete']);
    expect([code, err], err).toEqual([EXIT.input, expect.stringMatching(/^Sending \(Ctrl-C stops\) …\nSo that [^\n]*\n$/)]);
    expect((await readdir(folder)).sort()).toEqual(['damaged.txt', 'half.txt', 'old.txt']);
    expect(await admin.hlen(keys.pool)).toBe(3);
  });

  test('--delete: no files while the relay accepts nothing; and without it none at all', async () => {
    const [file = ''] = await files(1);
    expect((await cli(['send', file, '--relay', `unix:${dir.path('nothing.sock')}`, '--delete'])).code).toBe(EXIT.unavailable);
    expect((await cli(['send', file, '--relay', relay.url])).code).toBe(EXIT.ok);
    expect(await readdir(dir.path())).toContain(basename(file));
  });

  test.each<readonly [string, string, () => Promise<string>, () => string]>([
    ['accepted', 'a parcel', () => files(1).then(([file = '']) => file), () => relay.url],
    ['serial', 'one of another keyring', () => writeTo(dir.path('serial.txt'), encodeParcelText(relay.parcel(4))), () => relay.url],
    ['unreadable', 'no parcel', () => writeTo(dir.path('words.txt'), 'words'), () => relay.url],
    ['unreachable', 'a relay that is away', () => files(1).then(([file = '']) => file), () => `unix:${dir.path('nothing.sock')}`],
  ])('--json: %s, for %s', async (result, _what, file, address) => {
    const source = await file();
    const { text } = await cli(['send', source, '--json', '--relay', address()]);
    expect(JSON.parse(text)).toEqual({ source, number: 1, result });
  });

  test('a folder with nothing to send, and a missing one', async () => {
    expect((await cli(['send', dir.path('missing'), '--relay', relay.url])).err).toContain('(INPUT_MISSING)');
    expect((await cli(['send', relay.dir, '--relay', relay.url])).err).toContain('there is nothing to send');
  });
});
