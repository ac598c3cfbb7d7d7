// Decides which connection to close when there are too many. One client can open as many as it likes, so with "first come, first
// served" anybody could lock out everybody else; and a phone behind Tor is slow without any bad intent.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Credit for a new connection: a few seconds before its speed counts. */
export const HEAD_START_BYTES = 2_048;
/** Minimum progress of a body in each period (RELAY_REQUEST_TIMEOUT_SECONDS). */
export const PROGRESS_BYTES = 1_024;

/** Bytes transferred since a moment. Says nothing about who is connected. */
export type Effort = { readonly sinceMs: number; readonly bytes: number };

/**
 * How much a connection deserves to stay: its bytes per second, including the head start. After four seconds a silent connection
 * ranks below one that sends half a kilobyte a second; one that sends a byte a second does so soon after.
 */
export function worth({ sinceMs, bytes }: Effort, nowMs: number): number {
  return ((HEAD_START_BYTES + bytes) * 1_000) / Math.max(nowMs - sinceMs, 1);
}

class Connection {
  readonly socket: Socket;
  #response: ServerResponse | null = null;
  /** When the awaited or arriving request could begin, and how many bytes had been read by then. */
  #since: Effort;
  /** When the client last read something. */
  #readAtMs = 0;
  #period: Effort;

  constructor(socket: Socket, nowMs: number) {
    this.socket = socket;
    this.#since = { sinceMs: nowMs, bytes: 0 };
    this.#period = this.#since;
  }

  /** True while the response to the previous request is still being sent. */
  get isResponding(): boolean {
    return this.#response !== null && !this.#response.writableFinished;
  }

  begin(response: ServerResponse, nowMs: number): void {
    this.#response = response;
    this.#readAtMs = nowMs;
    this.#period = { sinceMs: nowMs, bytes: this.socket.bytesRead };
    // 'drain' fires for each piece of a long response that was read (server/pieces.ts), 'prefinish' once a response is complete.
    for (const event of ['drain', 'prefinish']) response.on(event, () => (this.#readAtMs = performance.now()));
    response.once('finish', () => (this.#since = { sinceMs: performance.now(), bytes: this.socket.bytesRead }));
  }

  /** Null while the request is complete and we owe the response: such a connection must not be closed. */
  effort(): Effort | null {
    const { socket } = this;
    const arrived = { sinceMs: this.#since.sinceMs, bytes: socket.bytesRead - this.#since.bytes };
    const response = this.#response;
    if (response === null || response.writableFinished || !response.req.complete) return arrived;
    return response.writableEnded || response.headersSent ? { sinceMs: this.#readAtMs, bytes: 0 } : null;
  }

  /** True when a body is arriving but made next to no progress in the last period. */
  isStuck(periodMs: number, nowMs: number): boolean {
    const request: IncomingMessage | undefined = this.#response?.req;
    if (request === undefined || request.complete || nowMs - this.#period.sinceMs < periodMs) return false;
    const bytes = this.socket.bytesRead;
    const brought = bytes - this.#period.bytes;
    this.#period = { sinceMs: nowMs, bytes };
    return brought < PROGRESS_BYTES;
  }
}

/** The connections of a listener, up to a maximum. */
export class Connections {
  readonly #maxConnections: number;
  readonly #bySocket = new Map<object, Connection>();

  constructor(maxConnections: number) {
    this.#maxConnections = maxConnections;
  }

  /** At the maximum, closes the connection that deserves to stay least, but never one whose request is complete. */
  add(socket: Socket): void {
    if (this.#bySocket.size >= this.#maxConnections && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    this.#bySocket.set(socket, new Connection(socket, performance.now()));
    socket.once('close', () => this.#bySocket.delete(socket));
  }

  /**
   * Notes that a request has begun on `socket`.
   * @returns false, with the connection closed, when the previous response was not fully sent yet. No browser pipelines like that,
   * and a client that sends thousands of requests and reads nothing would have all of them processed.
   */
  begin(socket: Socket, response: ServerResponse): boolean {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined || socket.destroyed || connection.isResponding) {
      this.#close(socket);
      return false;
    }
    connection.begin(response, performance.now());
    return true;
  }

  /** Lists the sockets whose body makes too little progress. */
  stuck(periodMs: number): Socket[] {
    const nowMs = performance.now();
    return [...this.#bySocket.values()].filter((connection) => connection.isStuck(periodMs, nowMs)).map(({ socket }) => socket);
  }

  #makeRoom(): boolean {
    const nowMs = performance.now();
    let least: { socket: Socket; worth: number } | null = null;
    for (const connection of this.#bySocket.values()) {
      const effort = connection.effort();
      if (effort === null) continue;
      const candidate = { socket: connection.socket, worth: worth(effort, nowMs) };
      if (least === null || candidate.worth < least.worth) least = candidate;
    }
    if (least === null) return false;
    this.#close(least.socket);
    return true;
  }

  #close(socket: Socket): void {
    // Frees its place at once; 'close' comes later.
    this.#bySocket.delete(socket);
    socket.destroy();
  }
}
