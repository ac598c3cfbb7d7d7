// Standard output and standard error. Either can stop taking anything at any moment (a full disk, a reader that has gone
// away): that must neither end a command in the middle of its work nor go unnoticed at its end.
import { fstatSync, writeSync } from 'node:fs';
import { CliError, EXIT } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { reason } from '../files.ts';

type Stream = 'standard output' | 'standard error';
type Writable = Pick<NodeJS.WriteStream, 'write' | 'on'>;

const DESCRIPTORS: Record<Stream, number> = { 'standard output': 1, 'standard error': 2 };

export class Output {
  readonly #streams: Record<Stream, Writable>;
  readonly #lost = new Map<Stream, unknown>();
  /** Something was written to standard output for a program to read: a line of ours would spoil it. */
  #isData = false;

  constructor(stdout: Writable, stderr: Writable) {
    this.#streams = { 'standard output': stdout, 'standard error': stderr };
    for (const [name, stream] of Object.entries(this.#streams) as [Stream, Writable][]) {
      stream.on('error', (error: unknown) => this.#lose(name, error));
    }
  }

  out(data: string | Uint8Array): void {
    this.#isData ||= typeof data !== 'string' || /^\s*\{/.test(data);
    this.#write('standard output', data);
  }

  err(text: string): void {
    this.#write('standard error', text);
  }

  /** A stream that takes nothing any more, if there is one. */
  get lost(): Stream | null {
    return [...this.#lost.keys()][0] ?? null;
  }

  /** Throws OUTPUT_LOST when a question could not be seen, so that none is asked. */
  insistOnQuestions(): void {
    const error = this.#lost.get('standard error');
    if (error === undefined) return;
    throw new CliError(
      'OUTPUT_LOST',
      `a question cannot be shown: ${whyOf('standard error', error)}`,
      'run this again at a terminal; nothing more was done',
    );
  }

  /**
   * Says on the other stream that one was lost, if it can. @returns the exit code: that of the loss
   * only when all else went well
   */
  finish(exitCode: number): number {
    for (const [name, error] of this.#lost) this.#tell(name, error);
    return exitCode === EXIT.ok && this.#lost.size > 0 ? EXIT.outputLost : exitCode;
  }

  #tell(name: Stream, error: unknown): void {
    const other: Stream = name === 'standard output' ? 'standard error' : 'standard output';
    if (this.#lost.has(other) || (other === 'standard output' && this.#isData)) return;
    const advice = 'the command itself went on to its end: do not send or write anything a second time because of this';
    const { line } = describeFailure(new CliError('OUTPUT_LOST', whyOf(name, error), advice));
    try {
      // Synchronously: the event loop may have ended.
      writeSync(DESCRIPTORS[other], `support-relay: ${line}\n`);
    } catch {
      // The other stream is lost as well: there is nowhere left to say it.
    }
  }

  #write(name: Stream, data: string | Uint8Array): void {
    if (this.#lost.has(name)) return;
    try {
      if (isFile(DESCRIPTORS[name])) writeWhole(DESCRIPTORS[name], data);
      else this.#streams[name].write(data);
    } catch (error) {
      this.#lose(name, error);
    }
  }

  #lose(name: Stream, error: unknown): void {
    if (!this.#lost.has(name)) this.#lost.set(name, error);
  }
}

/** A file on a disk that gets full takes the beginning. Node's stream for a file takes that for the whole. */
function writeWhole(descriptor: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

function whyOf(name: Stream, error: unknown): string {
  return `${name} cannot be written: ${reason(error)}`;
}
