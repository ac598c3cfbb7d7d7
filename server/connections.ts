// Who gives way when there are more connections than places. One client can open as many as it likes, so "first come" would
// be a door that anybody can hold shut; and somebody on a phone behind Tor is slow without meaning it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What a connection is credited with from the beginning: it gets a few seconds before its speed counts. */
export const HEAD_START_BYTES = 2_048;
/** What a body must bring in each period (RELAY_REQUEST_TIMEOUT_SECONDS) to go on. */
export const PROGRESS_BYTES = 1_024;

/** What is going on: bytes since a moment. Nothing in it tells who is connected. */
export type Effort = { readonly sinceMs: number; readonly bytes: number };

/**
 * How much a connection deserves its place: its bytes a second, with the head start. One that is silent falls below one that
 * brings half a kilobyte a second after four seconds; one that brings a byte a second soon after.
 */
export function worth({ sinceMs, bytes }: Effort, nowMs: number): number {
  return ((HEAD_START_BYTES + bytes) * 1_000) / Math.max(nowMs - sinceMs, 1);
}

class Connection {
  readonly socket: Socket;
  #response: ServerResponse | null = null;
  /** When the request that is awaited or arriving now could begin, and what had been read by then. */
  #since: Effort;
  /** When the reader last took something off. */
  #readAtMs = 0;
  #period: Effort;

  constructor(socket: Socket, nowMs: number) {
    this.socket = socket;
    this.#since = { sinceMs: nowMs, bytes: 0 };
    this.#period = this.#since;
  }

  /** Whether the answer to the request before is still on its way. */
  get isAnswering(): boolean {
    return this.#response !== null && !this.#response.writableFinished;
  }

  begin(response: ServerResponse, nowMs: number): void {
    this.#response = response;
    this.#readAtMs = nowMs;
    this.#period = { sinceMs: nowMs, bytes: this.socket.bytesRead };
    // Of a long answer each piece that was taken (server/pieces.ts); of a short one when it was there.
    for (const event of ['drain', 'prefinish']) response.on(event, () => (this.#readAtMs = performance.now()));
    response.once('finish', () => (this.#since = { sinceMs: performance.now(), bytes: this.socket.bytesRead }));
  }

  /** Null while the request is all there and the answer is ours to give: nothing may end it then. */
  effort(): Effort | null {
    const { socket } = this;
    const arrived = { sinceMs: this.#since.sinceMs, bytes: socket.bytesRead - this.#since.bytes };
    const response = this.#response;
    if (response === null || response.writableFinished || !response.req.complete) return arrived;
    return response.writableEnded || response.headersSent ? { sinceMs: this.#readAtMs, bytes: 0 } : null;
  }

  /** Whether a body arrives that brought next to nothing in the last period. */
  isStuck(periodMs: number, nowMs: number): boolean {
    const request: IncomingMessage | undefined = this.#response?.req;
    if (request === undefined || request.complete || nowMs - this.#period.sinceMs < periodMs) return false;
    const bytes = this.socket.bytesRead;
    const brought = bytes - this.#period.bytes;
    this.#period = { sinceMs: nowMs, bytes };
    return brought < PROGRESS_BYTES;
  }
}

/** The open connections of a listener, at most `places` of them. */
export class Connections {
  readonly #places: number;
  readonly #open = new Map<object, Connection>();

  constructor(places: number) {
    this.#places = places;
  }

  /** Where there is no place for it, the one that deserves its place least is ended, and never one whose request is all there. */
  add(socket: Socket): void {
    if (this.#open.size >= this.#places && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    this.#open.set(socket, new Connection(socket, performance.now()));
    socket.once('close', () => this.#open.delete(socket));
  }

  /**
   * A request has begun on `socket`.
   * @returns false when it must not be looked at, and its connection has ended: it came before the answer to the one before it
   * was gone. No browser does that; who sends thousands at once and reads nothing would have all of them answered.
   */
  begin(socket: Socket, response: ServerResponse): boolean {
    const connection = this.#open.get(socket);
    if (connection === undefined || socket.destroyed || connection.isAnswering) {
      this.#end(socket);
      return false;
    }
    connection.begin(response, performance.now());
    return true;
  }

  /** Those whose body does not come on. */
  stuck(periodMs: number): Socket[] {
    const nowMs = performance.now();
    return [...this.#open.values()].filter((connection) => connection.isStuck(periodMs, nowMs)).map(({ socket }) => socket);
  }

  #makeRoom(): boolean {
    const nowMs = performance.now();
    let least: { socket: Socket; worth: number } | null = null;
    for (const connection of this.#open.values()) {
      const effort = connection.effort();
      if (effort === null) continue;
      const candidate = { socket: connection.socket, worth: worth(effort, nowMs) };
      if (least === null || candidate.worth < least.worth) least = candidate;
    }
    if (least === null) return false;
    this.#end(least.socket);
    return true;
  }

  #end(socket: Socket): void {
    // Its place is free at once; 'close' comes later.
    this.#open.delete(socket);
    socket.destroy();
  }
}
