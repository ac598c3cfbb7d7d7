import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { worth } from '../../server/connections.ts';
import { Listener } from '../../server/listener.ts';
import { endInPieces } from '../../server/pieces.ts';

/** A connection that has sent this many bytes per second for this many seconds. */
const after = (seconds: number, bytesPerSecond: number) => worth({ sinceMs: 0, bytes: seconds * bytesPerSecond }, seconds * 1_000);

describe('the connection that gives way when all places are taken', () => {
  const PHONE = 512;
  const UPLOAD_SECONDS = Math.ceil(24_576 / PHONE);

  it('is one silent for five seconds, rather than a phone that sends half a kilobyte a second, at any moment of its upload', () => {
    for (let second = 1; second <= UPLOAD_SECONDS; second += 1) expect(after(second, PHONE)).toBeGreaterThan(after(5, 0));
  });

  it('is one that trickles, rather than such a phone or one whose first byte is two seconds away', () => {
    for (const seconds of [5, 20, 60]) {
      expect(after(seconds, 1)).toBeLessThan(after(UPLOAD_SECONDS, PHONE));
      expect(after(seconds, 1)).toBeLessThan(after(2, 0));
    }
  });

  it('is the oldest of the silent ones', () => {
    expect(after(3, 0)).toBeLessThan(after(2, 0));
    expect(Number.isFinite(after(0, 0))).toBe(true);
  });
});

describe('a client that reads a long answer', () => {
  /** Far more than the system buffers between the two ends of a socket. */
  const LONG = Buffer.from(randomBytes(8 * 2 ** 20));
  const MORE_THAN_KEPT = 2 ** 20;
  const STANDSTILL_MS = 400;
  const PLACES = 2;

  /** The paths requested over connections that have ended. */
  const ended: string[] = [];
  const app: RequestListener = (request, response) => {
    request.socket.once('close', () => ended.push(request.url ?? ''));
    endInPieces(response.setHeader('Content-Length', LONG.length), LONG);
  };

  let dir: string;
  let listener: Listener;
  let path: string;
  beforeEach(async () => {
    await ready;
    dir = await mkdtemp(join(tmpdir(), 'readers-'));
    path = join(dir, 'socket');
    ended.length = 0;
    listener = new Listener({ kind: 'unix', path }, app, { requestTimeoutMs: STANDSTILL_MS, maxConnections: PLACES });
    await listener.start();
  });
  afterEach(async () => {
    await listener.destroy();
    await rm(dir, { recursive: true });
  });

  /** A client that reads only what it is told to. */
  class Reader {
    readonly socket: Socket = connect(path)
      .on('error', () => undefined)
      .pause();
    readonly #chunks: Buffer[] = [];
    readonly connected = once(this.socket, 'connect');

    async ask(url: string): Promise<this> {
      await this.connected;
      this.socket.write(`GET ${url} HTTP/1.1\r\nConnection: close\r\n\r\n`);
      await this.take(1);
      return this;
    }

    /** Reads this many more bytes, or as many as arrive. */
    async take(count: number): Promise<void> {
      for (let left = count; left > 0;) {
        const chunk = this.socket.read() as Buffer | null;
        if (chunk !== null) this.#chunks.push(chunk);
        else if (this.socket.readableEnded || this.socket.destroyed) return;
        else await this.#something();
        left -= chunk?.length ?? 0;
      }
    }

    #something(): Promise<void> {
      return new Promise((resolve) => {
        const come = (): void => {
          this.socket.off('readable', come).off('close', come);
          resolve();
        };
        this.socket.on('readable', come).on('close', come);
      });
    }

    get body(): Buffer {
      const all = Buffer.concat(this.#chunks);
      return all.subarray(all.indexOf('\r\n\r\n') + 4);
    }
  }

  it('keeps its place with every piece it reads, against a later, silent one, and gets the whole answer', async () => {
    const reader = await new Reader().ask('/reader');
    const silent = new Reader();
    await silent.connected;
    await reader.take(MORE_THAN_KEPT);
    const next = await new Reader().ask('/next');
    await once(silent.socket.resume(), 'close');
    await reader.take(Infinity);
    expect(LONG.equals(reader.body)).toBe(true);
    next.socket.destroy();
  });

  it('gives way when it reads nothing', async () => {
    await new Reader().ask('/reader');
    const silent = new Reader();
    await silent.connected;
    const next = await new Reader().ask('/next');
    await expect.poll(() => ended).toEqual(['/reader']);
    await silent.ask('/silent');
    for (const { socket } of [silent, next]) socket.destroy();
  });

  it('may be slow for longer than one that reads nothing, whose connection is closed, may stand still', async () => {
    const slow = await new Reader().ask('/slow');
    await new Reader().ask('/idle');
    while (ended.length === 0) {
      await slow.take(1_000);
      await sleep(STANDSTILL_MS / 10);
    }
    await slow.take(Infinity);
    expect(LONG.equals(slow.body)).toBe(true);
    await expect.poll(() => ended).toEqual(['/idle', '/slow']);
  });
});
