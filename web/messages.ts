// What the page and its sealing worker say to each other.
import type { Result } from '../crypto/answer.ts';
import type { ErrorCode } from '../crypto/errors.ts';
import type { Slot } from './moments.ts';

export type RequestFields = { topic?: string; language: string; message: string; contact?: string };
export type TopicName = { id: string; names: Record<string, string> };
export type Answer = { result: Result; difficulty: number; retryAfterSeconds: number };
export type Step = 'sealing' | 'stamping';
export type FailureCode = ErrorCode | 'UNEXPECTED';
/** WORKER: the sealing worker itself could not be loaded, or died. */
export type SealerCode = FailureCode | 'WORKER';
/** Why the relay takes nothing in, as /start.json says it. */
export type DoorReason = 'keyring' | 'pool' | 'redis' | 'worker';

/** Everything the worker can be asked, and what it gives back. */
export type Exchanges = {
  /** Starts libsodium, with the bytes of /sodium.wasm where it runs on WebAssembly. */
  start: { ask: { wasm: ArrayBuffer | null }; reply: null };
  /** Verifies a keyring and keeps it for sealing. */
  open: { ask: { json: Uint8Array; signature: string }; reply: { topics: TopicName[]; answerTime: Record<string, string> } };
  /** Bytes that still fit into the letter; negative when it is too long. */
  room: { ask: { request: RequestFields }; reply: number };
  seal: { ask: { request: RequestFields; difficulty: number }; reply: Uint8Array };
  /** A parcel without a request, sealed and stamped when there is nothing else to do. */
  decoy: { ask: { difficulty: number }; reply: Uint8Array };
  /** Stamps a parcel again, dearer; its id stays the same, so that it is still one request. */
  stamp: { ask: { parcel: Uint8Array; difficulty: number }; reply: Uint8Array };
  /** Reads the relay's answer to a parcel. */
  read: { ask: { answer: Uint8Array }; reply: Answer };
  /** Draws the next slot. */
  slot: { ask: { number: number; meanMs: number }; reply: Slot };
};
export type Kind = keyof Exchanges;

export type Ask = { [K in Kind]: { id: number; kind: K } & Exchanges[K]['ask'] }[Kind];
export type Tell =
  | { id: number; kind: 'done'; reply: Exchanges[Kind]['reply'] }
  | { id: number; kind: 'failed'; code: FailureCode }
  | { id: number; kind: 'progress'; step: Step; done: number; of: number };
