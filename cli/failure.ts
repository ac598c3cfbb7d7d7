import { CodedError } from '../crypto/errors.ts';
import type { ErrorCode } from '../crypto/errors.ts';
import { Unread } from '../volunteer/finding/unread.ts';
import { CliError, EXIT } from './errors.ts';
import { visible } from './terminal/terminal.ts';

const ASK_ADMINISTRATOR = 'ask the administrator for it again';
const NOT_FOR_YOU = 'it is for others, or its week has another key, which may be shredded';
const DAMAGED = 'it is damaged or forged: get it again from where it came';

/** What each error code of crypto/ means to the person at the keyboard: the exit code, and what to do. */
const MEANING: Record<ErrorCode, { exitCode: number; advice: string }> = {
  AGE_HEADER: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  AGE_MAC: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  AGE_NO_MATCH: { exitCode: EXIT.notAuthentic, advice: NOT_FOR_YOU },
  AGE_PAYLOAD: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  AGE_ARMOR: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  AGE_WORK_FACTOR: { exitCode: EXIT.input, advice: 'make the file again with support-relay keygen or age -p' },
  IDENTITY_FORMAT: { exitCode: EXIT.input, advice: 'give the identity file that support-relay keygen made' },
  RECIPIENT_FORMAT: { exitCode: EXIT.input, advice: 'give the whole line that begins with age1pq1' },
  LETTER_STRUCTURE: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  LETTER_FORMAT: { exitCode: EXIT.notAuthentic, advice: 'do not trust it; tell the administrator' },
  LETTER_TOO_LONG: { exitCode: EXIT.input, advice: 'shorten the text (a Cyrillic letter is 2 bytes, a Latin one 1)' },
  LETTER_RECIPIENTS: { exitCode: EXIT.input, advice: 'a team has 1 to 8 recipients' },
  LETTER_THREAD: { exitCode: EXIT.notAuthentic, advice: 'do not answer it: somebody else may want the answer; tell the administrator' },
  LETTERS_TOO_MANY: { exitCode: EXIT.input, advice: 'save the messages one by one, or in smaller files' },
  SIGNER_UNKNOWN: { exitCode: EXIT.notAuthentic, advice: 'do not trust it; check that you have the newest keyring' },
  SIGNER_SIGNATURE: { exitCode: EXIT.notAuthentic, advice: 'do not trust it; tell the administrator' },
  REPLY_STRUCTURE: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  REPLY_FORMAT: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  REPLY_TOO_LONG: { exitCode: EXIT.input, advice: 'shorten the answer (a Cyrillic letter is 2 bytes, a Latin one 1)' },
  REPLY_THREAD: { exitCode: EXIT.notAuthentic, advice: 'give the answer to this conversation' },
  MAILBOX_SIZE: { exitCode: EXIT.input, advice: DAMAGED },
  MAILBOX_VERSION: { exitCode: EXIT.input, advice: DAMAGED },
  MAILBOX_FORMAT: { exitCode: EXIT.input, advice: DAMAGED },
  PARCEL_SIGNATURE: { exitCode: EXIT.notAuthentic, advice: DAMAGED },
  PARCEL_SIZE: { exitCode: EXIT.input, advice: DAMAGED },
  PARCEL_VERSION: { exitCode: EXIT.input, advice: DAMAGED },
  PARCEL_SEALED: { exitCode: EXIT.input, advice: DAMAGED },
  PARCEL_CHECK: { exitCode: EXIT.input, advice: 'ask for it again: the whole text, or better a file' },
  PARCEL_FORMAT: { exitCode: EXIT.input, advice: DAMAGED },
  PARCEL_TEXT: { exitCode: EXIT.input, advice: 'copy the whole of it again' },
  STAMP_CHEAP: { exitCode: EXIT.input, advice: 'raise --difficulty' },
  ANSWER_FORMAT: {
    exitCode: EXIT.unavailable,
    advice: 'the server is not a support-relay of this version: check the address and run this again',
  },
  MINISIGN_FORMAT: { exitCode: EXIT.input, advice: 'check that this is the right file' },
  MINISIGN_KEY: { exitCode: EXIT.notAuthentic, advice: 'check that key and signature belong together; do not use the file' },
  MINISIGN_SIGNATURE: { exitCode: EXIT.notAuthentic, advice: 'do not use the file; tell the administrator' },
  MINISIGN_PASSPHRASE: { exitCode: EXIT.passphrase, advice: 'try again; capital letters and the keyboard language matter' },
  KEYRING_FORMAT: { exitCode: EXIT.input, advice: ASK_ADMINISTRATOR },
  KEYRING_EXPIRED: { exitCode: EXIT.notAuthentic, advice: "get this week's keyring from the administrator" },
  KEYRING_NOT_YET_VALID: { exitCode: EXIT.notAuthentic, advice: "check this computer's clock, or use the keyring of this week" },
  CARD_FORMAT: { exitCode: EXIT.input, advice: 'ask for the card file once more, as it was made' },
  CARD_WEEKS: { exitCode: EXIT.input, advice: 'have the card made once more, by `support-relay volunteer keys`' },
  KEYRING_OLD: { exitCode: EXIT.notAuthentic, advice: 'get the newest keyring from the administrator' },
  KEYRING_RECIPIENTS: { exitCode: EXIT.input, advice: 'have the administrator sign a keyring that lists each recipient of a team once' },
  KEYRING_CROWDED: { exitCode: EXIT.input, advice: 'have the administrator sign a keyring with at most eight recipients for each team' },
  KEYRING_SIGNERS: { exitCode: EXIT.input, advice: 'have the administrator sign a keyring with a signer for each team' },
  KEYRING_CHAIN: { exitCode: EXIT.notAuthentic, advice: 'do not use it: have the administrator sign it anew, after the one before it' },
  KEYRING_TWICE: { exitCode: EXIT.notAuthentic, advice: 'do not use it: have the administrator sign one anew, with a higher serial' },
  KEYRING_TOPIC: { exitCode: EXIT.usage, advice: "choose one of the keyring's topics" },
  MANIFEST_FORMAT: { exitCode: EXIT.input, advice: 'build the form again' },
  MANIFEST_DIFFERS: { exitCode: EXIT.notAuthentic, advice: 'do not use it: build the form again' },
};

export type Failure = { line: string; code: string; message: string; advice: string; exitCode: number };

/** `line`: one line for people, "what is wrong; what to do (CODE)". Never a stack trace, never content. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof CliError) return failure(error.code, error.message, error.advice, error.exitCode);
  if (error instanceof Unread) return failure(error.code, error.message, error.advice, EXIT.notAuthentic);
  if (error instanceof CodedError) {
    const { advice, exitCode } = MEANING[error.code];
    return failure(error.code, error.message, advice, exitCode);
  }
  if (isDiskFull(error)) return failure('OUTPUT_FAILED', 'the disk is full', 'make room and run this again', EXIT.output);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown failure';
  return failure('INTERNAL', message, 'this is a fault of the program: please report it', EXIT.internal);
}

/** By its words too: esbuild, another program, says it in no other way. */
const isDiskFull = (error: unknown): boolean => error instanceof Error && /\bno space left on device\b/.test(error.message);

function failure(code: string, message: string, advice: string, exitCode: number): Failure {
  // File names and the like come from outside: they must not move the cursor or break the line.
  const line = visible(`${message}; ${advice} (${code})`).replaceAll('\n', ' ');
  return { line, code, message, advice, exitCode };
}
