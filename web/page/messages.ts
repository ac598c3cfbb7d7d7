// The messages between the page and its sealing worker.
import type { Answer } from '../../crypto/answer.ts';
import type { CodeProblem } from '../../crypto/code.ts';
import type { ErrorCode } from '../../crypto/errors.ts';
import type { Place } from '../../crypto/order.ts';
import type { Slot } from './slots.ts';

export type RequestFields = { topic?: string; language: string; message: string; contact?: string };
export type TopicName = { id: string; names: Record<string, string> };
/** What a keyring offers to those who write. `teams`: how many there are. */
export type Offered = { topics: TopicName[]; teams: number; answerTime: Record<string, string> };
/**
 * A reply that opened and is believed. `id`: by which it is deleted. `team`: where further words go, null when its signer does not belong
 * to the team that it names. `signature`: the same for a reply that was sealed twice. `place`: where it stands in the conversation.
 * `earlier`: short ids of the answers that its writer knew.
 */
export type ReadReply = { id: string; text: string; team: string | null; signature: string; place: Place; earlier: readonly string[] };
/** A reply that can be read, or why it cannot be shown. */
export type MailboxReply = ReadReply | { id: string; refused: FailureCode };
/** What further words carry: the team they go to, their number, and short ids of the answers that were read. */
export type FollowUp = { team?: string; number: number; read: string[] };
/** `total`: replies in the mailbox; `first`: how many of them come before those that are here. */
export type MailboxFound = { total: number; first: number; replies: MailboxReply[] };
export type MailboxPage = MailboxFound | { retryAfterSeconds: number };
export type SealingStage = 'sealing' | 'stamping';
export type FailureCode = ErrorCode | 'UNEXPECTED';
/** WORKER: the sealing worker could not be loaded, or died. KEYRING_NONE: the relay itself has no keyring that is valid now. */
export type SealerCode = FailureCode | 'WORKER' | 'KEYRING_NONE';

/** Everything that the sealing worker can be asked to do. */
export type Tasks = {
  /** Starts libsodium, with the bytes of /sodium.wasm where it runs on WebAssembly. */
  start: { input: { wasm: ArrayBuffer | null }; output: null };
  /** Verifies a keyring and keeps it for sealing. */
  verify: { input: { json: Uint8Array; signature: string }; output: Offered };
  /** Bytes that still fit into the letter; negative when it is too long. */
  room: { input: { request: RequestFields }; output: number };
  /** Seals and stamps a request, or with `followUp` further words in the current conversation. `wanted`: whether an answer is wanted. */
  seal: { input: { request: RequestFields; difficulty: number; wanted: boolean; followUp?: FollowUp }; output: Uint8Array };
  /** Makes an access code (positions in the language's word list); its conversation becomes the current one. */
  code: { input: { language: string }; output: readonly number[] };
  /** Reads an access code as somebody typed it. Null when it is valid; then its conversation becomes the current one. */
  enter: { input: { language: string; text: string; words: readonly string[] }; output: CodeProblem | null };
  /** Makes the question to the relay about a page (from 0) of the current conversation's mailbox. */
  look: { input: { page: number }; output: Uint8Array };
  /** Reads the relay's answer to that question. */
  replies: { input: { bytes: Uint8Array; page: number }; output: MailboxPage };
  /** Seals and stamps the removal of these replies (ids in hex) from that mailbox. */
  delete: { input: { replies: readonly string[]; difficulty: number }; output: Uint8Array };
  /** Seals and stamps a decoy, while there is nothing else to do. */
  decoy: { input: { difficulty: number }; output: Uint8Array };
  /** Stamps a parcel again at a higher difficulty. Its id stays the same, so it remains one request. */
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
