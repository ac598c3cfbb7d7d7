import { readFileSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Redis } from 'ioredis';
import { pageHeaders } from '../../cli/sending/page-requests.ts';
import { handIn } from '../../cli/sending/visit.ts';
import { EXIT } from '../../cli/errors.ts';
import { ANSWER_BYTES, encodeAnswer } from '../../crypto/answer.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { PARCEL_BYTES, parseParcel } from '../../crypto/parcel.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { INPUT_BYTES_MAX } from '../../cli/files.ts';
import { keys } from '../../redis/keys.ts';
import { cli, writeTo, type CliResult } from '../support/cli.ts';
import { DIFFICULTY, startRelay, type TestRelay } from '../support/relay.ts';

let relay: TestRelay;
let admin: Redis;
beforeAll(async () => {
  relay = await startRelay();
  admin = await relay.redis.connect('admin');
});
afterAll(() => relay.stop());
beforeEach(async () => {
  await admin.del(keys.pool);
});

const ingest = (argv: readonly string[], stdin: string | Uint8Array = ''): Promise<CliResult> =>
  cli(['operator', 'ingest', '--to', relay.url, ...argv], { stdin });
const text = (): string => encodeParcelText(relay.stamped());
const wrapped = (sealed: string, columns: number, before = ''): string =>
  (sealed.match(new RegExp(`.{1,${String(columns)}}`, 'g')) ?? []).map((line) => before + line).join('\r\n');

describe('what is handed in', () => {
  test.each([
    ['a text as it was copied', () => readFileSync('tests/cases/parcel/p2.txt'), 1],
    ['a text with a line end', () => `${text()}\n`, 1],
    ['a mail with greetings, broken into lines', () => `Hello,\n\nthis came yesterday:\n\n${wrapped(text(), 76)}\n\n-- \nAnna\n`, 1],
    ['a quoted mail', () => `On Monday Anna wrote:\n> Look at this\n>\n${wrapped(text(), 72, '> ')}\n>\n> Anna\n`, 1],
    ['several texts one after the other', () => `${text()}\n${text()}\n\n${text()}`, 3],
    ['several without anything between', () => text() + text(), 2],
    ['a word right before it', () => `Text\n${text()}`, 1],
    ['the bytes of a parcel', () => relay.stamped(), 1],
    ['the bytes of several', () => new Uint8Array(Buffer.concat([relay.stamped(), relay.stamped()])), 2],
  ] as const)('%s', async (_what, make, count) => {
    const { code, text: out, err } = await ingest([], make());
    expect(err).toBe('');
    expect(out).toBe(
      Array.from({ length: count }, (_, index) => `standard input, parcel ${String(index + 1)}: accepted, or accepted before\n`).join(''),
    );
    expect(code).toBe(EXIT.ok);
    expect(await admin.hlen(keys.pool)).toBe(count);
  });

  test('from files, twice, is stored once', async () => {
    const one = await writeTo(join(relay.dir, 'one.txt'), text());
    const two = await writeTo(join(relay.dir, 'two.bin'), relay.stamped());
    for (let time = 0; time < 2; time += 1) {
      const { code, text: out } = await ingest([one, two, '--json']);
      expect(code).toBe(EXIT.ok);
      expect(
        out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual([
        { source: one, number: 1, result: 'accepted' },
        { source: two, number: 1, result: 'accepted' },
      ]);
    }
    expect(await admin.hlen(keys.pool)).toBe(2);
  });
});

describe('what is refused', () => {
  function cut(): string {
    return text().slice(0, -1);
  }
  const file = (name: string): Uint8Array => readFileSync(`tests/cases/parcel/${name}`);
  test.each<readonly [string, () => string | Uint8Array, string]>([
    ['words', () => 'Help me', 'there is no sealed parcel in standard input'],
    ['nothing', () => '', 'there is no sealed parcel in standard input'],
    ['a text that was cut', cut, 'characters, expected 32768'],
    ['bytes that were cut', () => relay.stamped().subarray(0, -1), 'bytes, expected 24576'],
    ['a text that is no parcel', () => 'A'.repeat(32_768), 'something in it was changed on its way'],
    ['a text that was changed on its way', () => file('flipped.txt'), 'it was changed on its way; ask for it again'],
    ['pieces of a text in another order', () => file('7c-swapped.txt'), 'it was changed on its way; ask for it again'],
    [
      'pieces of a text, the first not at the beginning',
      () =>
        text()
          .match(/.{4096}/g)
          ?.reverse()
          .join('\n') ?? '',
      'its pieces are out of order; ask for it again',
    ],
    [
      'pieces of a text, one of them missing',
      () =>
        text()
          .match(/.{4096}/g)
          ?.map((piece, index) => `Anna, 12:0${String(index)}\n${piece}\n`)
          .filter((_, index) => index !== 4)
          .join('') ?? '',
      '28672 characters, expected 32768; copy the whole of it again',
    ],
    ['one sealed too long ago', () => encodeParcelText(relay.stamped(4)), 'no longer, or not yet, in use'],
  ])('%s: exit 3, and nothing of it in the output', async (_what, make, why) => {
    const { code, text: out } = await ingest([], make());
    expect(code).toBe(EXIT.input);
    expect(out).toContain(why);
    expect(out.length).toBeLessThan(300);
    expect(await admin.hlen(keys.pool)).toBe(0);
  });

  test('good ones among bad ones are still handed in', async () => {
    const { code, text: out } = await ingest([], `${text()}\n\n${cut()}\n\n${text()}`);
    expect(code).toBe(EXIT.input);
    expect(out.match(/accepted/g)).toHaveLength(4);
    expect(await admin.hlen(keys.pool)).toBe(2);
  });

  test('unreadable files, while those after them are still handed in', async () => {
    const large = await writeTo(join(relay.dir, 'large.txt'), '');
    await truncate(large, INPUT_BYTES_MAX + 1);
    const first = await writeTo(join(relay.dir, 'first.txt'), text());
    const last = await writeTo(join(relay.dir, 'last.txt'), text());
    const missing = join(relay.dir, 'typo.txt');
    const { code, text: out, err } = await ingest([first, missing, relay.dir, large, last]);
    expect([code, err]).toEqual([EXIT.input, '']);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(/^\S+first\.txt, parcel 1: accepted/);
    expect(lines[1]).toMatch(/^\S+typo\.txt, parcel 1: refused: .*does not exist.*\(INPUT_MISSING\)$/);
    expect(lines[2]).toMatch(/refused: .*it is a directory.*\(INPUT_MISSING\)$/);
    expect(lines[3]).toMatch(/^\S+large\.txt, parcel 1: refused: .*\(INPUT_TOO_LARGE\)$/);
    expect(lines[4]).toMatch(/^\S+last\.txt, parcel 1: accepted/);
    expect(await admin.hlen(keys.pool)).toBe(2);
    const json = (await ingest([missing, last, '--json'])).text;
    expect(
      json
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { result: string }).result),
    ).toEqual(['unreadable', 'accepted']);
  });

  test('standard input that is too large', async () => {
    const { code, text: out } = await ingest([], new Uint8Array(INPUT_BYTES_MAX + 1));
    expect([code, out]).toEqual([EXIT.input, expect.stringContaining('(INPUT_TOO_LARGE)') as unknown]);
  });

  // A pattern that starts over at each place of a long run would take hours over these.
  test.each([
    ['spaces within a line', ' '],
    ['spaces of another kind', '\u00a0'],
    ['quoting', '> '],
    ['words', 'a, '],
  ])('a megabyte of %s does not hold up the parcel after it', async (_what, piece) => {
    const { code, text: out } = await ingest([], `x${piece.repeat(1_000_000 / piece.length)}x\n${text()}\n`);
    expect([code, out]).toEqual([EXIT.ok, 'standard input, parcel 1: accepted, or accepted before\n']);
  });

  test('a terminal, which would cut what is pasted; files are accepted there as anywhere', async () => {
    const { code, text: out, err } = await cli(['operator', 'ingest', '--to', relay.url], { stdin: text(), terminal: { answers: [] } });
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(/a terminal takes only the beginning .*; save the text in a file and give its name, or pipe it in \(USAGE\)\n$/);
    const file = await writeTo(join(relay.dir, 'pasted.txt'), text());
    expect((await cli(['operator', 'ingest', '--to', relay.url, file], { terminal: { answers: [] } })).code).toBe(EXIT.ok);
    expect(await admin.hlen(keys.pool)).toBe(1);
  });

  test('exit 69 for a closed door, an absent relay, and a server that is not a relay', async () => {
    await relay.workerGone();
    await relay.untilDoor('worker');
    const closed = await ingest([], text());
    expect([closed.code, closed.text]).toEqual([EXIT.unavailable, expect.stringContaining('the door is closed') as unknown]);
    await relay.workerAlive();
    await relay.untilDoor(null);
    const away = await cli(['operator', 'ingest', '--to', `unix:${join(relay.dir, 'nothing.sock')}`], { stdin: text() });
    expect(away.code).toBe(EXIT.unavailable);
    expect(away.err).toMatch(/there is no socket \S+nothing\.sock; see that the relay runs, .*nothing was sent \(RELAY_AWAY\)\n$/);
    const other = await cli(['operator', 'ingest', '--to', relay.privateUrl], { stdin: text() });
    expect([other.code, other.err]).toEqual([EXIT.unavailable, expect.stringContaining('the server is not a support-relay') as unknown]);
  });

  test.each([
    'http://example.org/',
    'http://127.0.0.1/',
    'https://127.0.0.1:80',
    'unix:relative',
    '127.0.0.1:80',
    'http://127.0.0.1:99999',
  ])('an address such as %s', async (address) => {
    const { code, err } = await cli(['operator', 'ingest', '--to', address], { stdin: text() });
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('--to must be unix:/path or http://127.0.0.1:PORT');
  });
});

describe('a stamp that is too cheap', () => {
  test('is replaced here, whatever difficulty the relay asks for', async () => {
    const dear = await startRelay({ config: { difficulty: 16 } });
    try {
      const sealed = encodeParcelText(dear.stamped());
      for (let time = 0; time < 2; time += 1) {
        const { code, text: out } = await cli(['operator', 'ingest', '--to', dear.url], { stdin: sealed });
        expect([code, out]).toEqual([EXIT.ok, 'standard input, parcel 1: accepted, or accepted before\n']);
      }
      expect(await (await dear.redis.connect('admin')).hlen(keys.pool)).toBe(1);
    } finally {
      await dear.stop();
    }
  });

  test.each([
    ['asked for once more: it is left at that', DIFFICULTY + 4, 2],
    ['dearer than the form would make it: not at all', HIGHEST_DIFFICULTY + 1, 1],
  ])('%s, and is left for later', async (_what, difficulty, times) => {
    const bits: number[] = [];
    const { port, close } = await answering((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bits.push(stampBits(parseParcel(new Uint8Array(Buffer.concat(chunks)))));
        response.end(encodeAnswer({ result: 'stamp', difficulty, retryAfterSeconds: 0 }));
      });
    });
    const { code, text: out } = await cli(['operator', 'ingest', '--to', `http://127.0.0.1:${String(port)}`], { stdin: text() });
    expect([code, out]).toEqual([
      EXIT.unavailable,
      'standard input, parcel 1: not now: the relay keeps raising the proof-of-work difficulty; run this again later\n',
    ]);
    expect(bits).toHaveLength(times);
    if (times > 1) expect(bits[1]).toBeGreaterThanOrEqual(difficulty);
    close();
  });
});

test('the requests have the headers of the page and none of Node’s', async () => {
  let heard: string[] = [];
  const { port, close } = await answering((request, response) => {
    heard = request.rawHeaders;
    request.resume();
    response.end(Buffer.alloc(ANSWER_BYTES));
  });
  await expect(handIn(relay.stamped(), { port })).rejects.toMatchObject({ code: 'ANSWER_FORMAT' });
  expect(heard).toEqual(pageHeaders(PARCEL_BYTES));
  close();
});

/** A server that answers parcels in place of the relay. */
async function answering(listener: RequestListener): Promise<{ port: number; close: () => void }> {
  const start = JSON.stringify({ door: { open: true, difficulty: DIFFICULTY }, keyring: '{}', signature: '' });
  const server = createServer((request, response) => {
    if (request.method === 'GET') response.end(start);
    else listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
