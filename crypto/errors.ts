/** Everything that can be wrong with a value that this project parses, opens or makes. docs/protocol.md, § Error codes. */
export type ErrorCode =
  | 'AGE_HEADER'
  | 'AGE_MAC'
  | 'AGE_NO_MATCH'
  | 'AGE_PAYLOAD'
  | 'AGE_ARMOR'
  | 'AGE_WORK_FACTOR'
  | 'IDENTITY_FORMAT'
  | 'RECIPIENT_FORMAT'
  | 'LETTER_STRUCTURE'
  | 'LETTER_FORMAT'
  | 'LETTER_TOO_LONG'
  | 'LETTER_RECIPIENTS'
  | 'LETTER_THREAD'
  | 'LETTERS_TOO_MANY'
  | 'SIGNER_UNKNOWN'
  | 'SIGNER_SIGNATURE'
  | 'REPLY_STRUCTURE'
  | 'REPLY_FORMAT'
  | 'REPLY_TOO_LONG'
  | 'REPLY_THREAD'
  | 'MAILBOX_SIZE'
  | 'MAILBOX_VERSION'
  | 'MAILBOX_FORMAT'
  | 'PARCEL_SIZE'
  | 'PARCEL_VERSION'
  | 'PARCEL_SEALED'
  | 'PARCEL_CHECK'
  | 'PARCEL_FORMAT'
  | 'PARCEL_SIGNATURE'
  | 'PARCEL_TEXT'
  | 'STAMP_CHEAP'
  | 'ANSWER_FORMAT'
  | 'MINISIGN_FORMAT'
  | 'MINISIGN_KEY'
  | 'MINISIGN_SIGNATURE'
  | 'MINISIGN_PASSPHRASE'
  | 'KEYRING_FORMAT'
  | 'KEYRING_EXPIRED'
  | 'KEYRING_NOT_YET_VALID'
  | 'KEYRING_OLD'
  | 'KEYRING_TOPIC'
  | 'KEYRING_RECIPIENTS'
  | 'KEYRING_CROWDED'
  | 'KEYRING_SIGNERS'
  | 'KEYRING_CHAIN'
  | 'KEYRING_TWICE'
  | 'CARD_FORMAT'
  | 'CARD_WEEKS'
  | 'MANIFEST_FORMAT'
  | 'MANIFEST_DIFFERS';

/** The error that this folder throws. Its message says what was expected and what came, never the content. */
export class CodedError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'CodedError';
    this.code = code;
  }
}
