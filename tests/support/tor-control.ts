import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A connection to a tor's control socket (control-spec): commands with their replies, and events. */
export class TorControl {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (lines: string[]) => void; reject: (error: Error) => void }[] = [];
  readonly #events: string[] = [];
  #reply: string[] = [];
  #inData = false;
  #rest = '';
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\r\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('tor closed its control connection'));
      this.#wake();
    });
  }

  /** Waits for the socket, which tor creates some time after its start. */
  static async open(path: string, deadlineMs: number): Promise<TorControl> {
    for (;;) {
      const socket = connect(path);
      const error = await Promise.race([
        once(socket, 'connect').then(() => null),
        once(socket, 'close').then(() => new Error(`nobody answers at ${path}`)),
      ]).catch((cause: unknown) => cause);
      if (error === null) {
        const control = new TorControl(socket);
        await control.command('AUTHENTICATE');
        return control;
      }
      if (performance.now() > deadlineMs) throw error;
      await sleep(50);
    }
  }

  /** @returns the lines of the reply. Throws tor's message unless it is well (250 to 252). */
  async command(text: string): Promise<string[]> {
    if (this.#socket.destroyed) throw new Error('tor closed its control connection');
    this.#socket.write(`${text}\r\n`);
    const lines = await new Promise<string[]>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    const last = lines.at(-1) ?? '';
    if (!/^25[0-2]/.test(last)) throw new Error(`tor answered ${text.split(' ', 1).join('')} with: ${last}`);
    return lines;
  }

  /** The next event that matches; earlier ones are dropped. */
  async event(pattern: RegExp, deadlineMs: number): Promise<string> {
    for (;;) {
      const index = this.#events.findIndex((line) => pattern.test(line));
      if (index >= 0) return this.#events.splice(0, index + 1).at(-1) ?? '';
      const leftMs = deadlineMs - performance.now();
      if (this.#socket.destroyed) throw new Error('tor closed its control connection');
      if (leftMs <= 0) throw new Error(`tor did not say ${String(pattern)} in time`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** All events not taken yet. */
  takeEvents(): string[] {
    return this.#events.splice(0);
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(line: string): void {
    if (this.#inData) {
      if (line === '.') this.#inData = false;
      else this.#reply.push(line);
      return;
    }
    if (line.startsWith('650')) {
      this.#events.push(line);
      return;
    }
    this.#reply.push(line);
    if (line[3] === '+') this.#inData = true;
    if (line[3] !== ' ') return;
    this.#waiting.shift()?.resolve(this.#reply);
    this.#reply = [];
  }
}
