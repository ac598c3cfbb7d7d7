// What the page and its sealing worker say to each other.
import type { Answer } from '../../crypto/answer.ts';
import type { CodeProblem } from '../../crypto/code.ts';
import type { ErrorCode } from '../../crypto/errors.ts';
import type { Place } from '../../crypto/order.ts';
import type { Slot } from './slots.ts';

export type RequestFields = { topic?: string; language: string; message: string; contact?: string };
export type TopicName = { id: string; names: Record<string, string> };
/** What a keyring offers to those who write. */
export type Offered = { topics: TopicName[]; teams: number; answerTime: Record<string, string> };
/**
 * A reply that is what it says; `id` is what it is deleted by. `team`: where further words go, null when its signer is none of that
 * team. The same reply sealed twice has one `signature`. `place`, `earlier`: where it stands in the conversation, and which answers
 * its writer knew (short ids).
 */
export type ReadReply = { id: string; text: string; team: string | null; signature: string; place: Place; earlier: readonly string[] };
/** One that is read, or why it is not shown. */
export type MailboxReply = ReadReply | { id: string; refused: FailureCode };
/** Further words: to which team, and where they stand. */
export type FollowUp = { team?: string; number: number; read: string[] };
/** `total`: replies in the mailbox; `first`: how many of them come before those that are here. */
export type MailboxFound = { total: number; first: number; replies: MailboxReply[] };
export type MailboxPage = MailboxFound | { retryAfterSeconds: number };
export type SealingStage = 'sealing' | 'stamping';
export type FailureCode = ErrorCode | 'UNEXPECTED';
/** WORKER: the sealing worker itself could not be loaded, or died. */
export type SealerCode = FailureCode | 'WORKER';

/** Everything the worker can be asked, and what it gives back. */
export type Tasks = {
  /** Starts libsodium, with the bytes of /sodium.wasm where it runs on WebAssembly. */
  start: { input: { wasm: ArrayBuffer | null }; output: null };
  /** Verifies a keyring and keeps it for sealing. `teams`: how many there are. */
  verify: { input: { json: Uint8Array; signature: string }; output: Offered };
  /** Bytes that still fit into the letter; negative when it is too long. */
  room: { input: { request: RequestFields }; output: number };
  /** Seals a request, or with `followUp` further words in the conversation at hand. `answer`: whether one is wanted. */
  seal: { input: { request: RequestFields; difficulty: number; wanted: boolean; followUp?: FollowUp }; output: Uint8Array };
  /** Makes an access code, and with it the conversation at hand: places in the word list of this language. */
  code: { input: { language: string }; output: readonly number[] };
  /** Takes an access code as somebody wrote it. Null: it is one, and its conversation is at hand. */
  enter: { input: { language: string; text: string; words: readonly string[] }; output: CodeProblem | null };
  /** What to ask the relay about a page (from 0) of the mailbox at hand. */
  look: { input: { page: number }; output: Uint8Array };
  /** Reads what the relay answered to that. */
  replies: { input: { bytes: Uint8Array; page: number }; output: MailboxPage };
  /** A parcel that removes these replies (their ids, hex) from the mailbox at hand. */
  delete: { input: { replies: readonly string[]; difficulty: number }; output: Uint8Array };
  /** A parcel without a request, sealed and stamped when there is nothing else to do. */
  decoy: { input: { difficulty: number }; output: Uint8Array };
  /** Stamps a parcel again, dearer; its id stays the same, so that it is still one request. */
  stamp: { input: { parcel: Uint8Array; difficulty: number }; output: Uint8Array };
  /** Reads the relay's answer to a parcel. */
  read: { input: { bytes: Uint8Array }; output: Answer };
  /** Draws the next slot. */
  slot: { input: { number: number; meanMs: number }; output: Slot };
};
export type Kind = keyof Tasks;

export type AskOf<K extends Kind> = { [Each in K]: { id: number; kind: Each } & Tasks[Each]['input'] }[K];
export type Ask = AskOf<Kind>;
export type Tell =
  | { id: number; kind: 'done'; output: Tasks[Kind]['output'] }
  | { id: number; kind: 'failed'; code: FailureCode }
  | { id: number; kind: 'progress'; stage: SealingStage; done: number; of: number };
