/**
 * The exit codes of the commands. They are documented in `support-relay --help` and scripts rely on them, so a number
 * never changes its meaning.
 */
export const EXIT = {
  ok: 0,
  notAuthentic: 1,
  usage: 2,
  input: 3,
  passphrase: 4,
  attention: 5,
  urgent: 6,
  unavailable: 69,
  internal: 70,
  output: 73,
  outputLost: 74,
  interrupted: 130,
} as const;

export type CliErrorCode =
  | 'USAGE'
  | 'INPUT_MISSING'
  | 'INPUT_FORMAT'
  | 'INPUT_TOO_LARGE'
  | 'INPUT_EMPTY'
  | 'OUTPUT_EXISTS'
  | 'FORM_SHRINKS'
  | 'OUTPUT_FAILED'
  | 'OUTPUT_TERMINAL'
  | 'OUTPUT_LOST'
  | 'PASSPHRASE_WRONG'
  | 'PASSPHRASE_UNASKABLE'
  | 'PASSPHRASE_EMPTY'
  | 'PASSPHRASE_WEAK'
  | 'PASSPHRASE_DIFFERS'
  | 'CONVERSATION_UNKNOWN'
  | 'READING_INCOMPLETE'
  | 'CONVERSATION_TAKEN'
  | 'MAILBOX_FULL'
  | 'ANSWER_UNWANTED'
  | 'ADDRESS_UNUSABLE'
  | 'SIGNER_UNKNOWN'
  | 'ALIAS_FORMAT'
  | 'ALIAS_DIFFERS'
  | 'NOT_SENT'
  | 'SERIAL_NOT_RISING'
  | 'FOLDER_MISSING'
  | 'FOLDER_DAMAGED'
  | 'FOLDER_DIVERGED'
  | 'FOLDER_CHANGED'
  | 'CARD_HOLDER'
  | 'CARD_ENDED'
  | 'CARD_SIGNER'
  | 'CARD_TAKEN'
  | 'CARD_OVERLAP'
  | 'CARD_GAP'
  | 'CARD_WORDS'
  | 'SIGNER_REVOKED'
  | 'ALIAS_UNKNOWN'
  | 'TEAM_FORMAT'
  | 'TEAM_UNKNOWN'
  | 'TEAM_FULL'
  | 'TEAM_EMPTY'
  | 'WORKER_MISSING'
  | 'WEEK_OVER'
  | 'CLOCK_BEHIND'
  | 'WEEK_GAP'
  | 'SHEET_FORMAT'
  | 'CONFIRMATION_UNASKABLE'
  | 'NOT_CONFIRMED'
  | 'KEYS_ENOUGH'
  | 'KEYS_HALF'
  | 'ROOT_KEY_DIFFERS'
  | 'RELEASE_KEY_DIFFERS'
  | 'RELEASE_OLD'
  | 'KEYS_UNKNOWN'
  | 'KEYS_KEPT'
  | 'KEYRING_FOREIGN'
  | 'NOTE_FOREIGN'
  | 'LETTER_MISSING'
  | 'IMAP_AWAY'
  | 'IMAP_CERTIFICATE'
  | 'IMAP_REFUSED'
  | 'REDIS_AWAY'
  | 'REDIS_RUNS'
  | 'AOF_DAMAGED'
  | 'REDIS_DAMAGED'
  | 'DATA_NEWER'
  | 'UPGRADE_WAITS'
  | 'UPGRADE_RUNS'
  | 'SETUP_MISSING'
  | 'SETUP_RUNS'
  | 'STATE_FOREIGN'
  | 'RELAY_AWAY'
  | 'INBOX_UNKNOWN'
  | 'DRAIN_ENDED'
  | 'BACKUP_RECIPIENT'
  | 'BACKUP_FILE'
  | 'BACKUP_FORMAT'
  | 'BACKUP_VERSION'
  | 'BACKUP_KEY'
  | 'BUILD_TOOL_MISSING'
  | 'INTERRUPTED';

const EXIT_OF: Record<CliErrorCode, number> = {
  USAGE: EXIT.usage,
  INPUT_MISSING: EXIT.input,
  INPUT_FORMAT: EXIT.input,
  INPUT_TOO_LARGE: EXIT.input,
  INPUT_EMPTY: EXIT.input,
  OUTPUT_EXISTS: EXIT.output,
  FORM_SHRINKS: EXIT.output,
  OUTPUT_FAILED: EXIT.output,
  OUTPUT_TERMINAL: EXIT.usage,
  OUTPUT_LOST: EXIT.outputLost,
  PASSPHRASE_WRONG: EXIT.passphrase,
  PASSPHRASE_UNASKABLE: EXIT.passphrase,
  PASSPHRASE_EMPTY: EXIT.passphrase,
  PASSPHRASE_WEAK: EXIT.passphrase,
  PASSPHRASE_DIFFERS: EXIT.passphrase,
  SERIAL_NOT_RISING: EXIT.input,
  FOLDER_MISSING: EXIT.input,
  FOLDER_DAMAGED: EXIT.input,
  FOLDER_DIVERGED: EXIT.input,
  FOLDER_CHANGED: EXIT.input,
  CARD_HOLDER: EXIT.input,
  CARD_ENDED: EXIT.input,
  CARD_SIGNER: EXIT.notAuthentic,
  CARD_TAKEN: EXIT.input,
  CARD_OVERLAP: EXIT.input,
  CARD_GAP: EXIT.input,
  CARD_WORDS: EXIT.notAuthentic,
  SIGNER_REVOKED: EXIT.notAuthentic,
  ALIAS_UNKNOWN: EXIT.input,
  TEAM_FORMAT: EXIT.input,
  TEAM_UNKNOWN: EXIT.input,
  TEAM_FULL: EXIT.input,
  TEAM_EMPTY: EXIT.input,
  WORKER_MISSING: EXIT.input,
  WEEK_OVER: EXIT.input,
  CLOCK_BEHIND: EXIT.input,
  WEEK_GAP: EXIT.input,
  SHEET_FORMAT: EXIT.input,
  CONFIRMATION_UNASKABLE: EXIT.usage,
  NOT_CONFIRMED: EXIT.interrupted,
  KEYS_ENOUGH: EXIT.input,
  KEYS_HALF: EXIT.input,
  ROOT_KEY_DIFFERS: EXIT.notAuthentic,
  RELEASE_KEY_DIFFERS: EXIT.notAuthentic,
  RELEASE_OLD: EXIT.input,
  KEYS_UNKNOWN: EXIT.input,
  KEYS_KEPT: EXIT.input,
  KEYRING_FOREIGN: EXIT.notAuthentic,
  NOTE_FOREIGN: EXIT.notAuthentic,
  LETTER_MISSING: EXIT.notAuthentic,
  IMAP_AWAY: EXIT.unavailable,
  IMAP_CERTIFICATE: EXIT.notAuthentic,
  IMAP_REFUSED: EXIT.passphrase,
  CONVERSATION_UNKNOWN: EXIT.input,
  READING_INCOMPLETE: EXIT.input,
  CONVERSATION_TAKEN: EXIT.input,
  MAILBOX_FULL: EXIT.input,
  ANSWER_UNWANTED: EXIT.input,
  ADDRESS_UNUSABLE: EXIT.input,
  SIGNER_UNKNOWN: EXIT.notAuthentic,
  ALIAS_FORMAT: EXIT.usage,
  ALIAS_DIFFERS: EXIT.input,
  NOT_SENT: EXIT.interrupted,
  DATA_NEWER: EXIT.input,
  UPGRADE_WAITS: EXIT.attention,
  UPGRADE_RUNS: EXIT.unavailable,
  SETUP_MISSING: EXIT.input,
  SETUP_RUNS: EXIT.unavailable,
  STATE_FOREIGN: EXIT.notAuthentic,
  REDIS_AWAY: EXIT.unavailable,
  REDIS_RUNS: EXIT.input,
  AOF_DAMAGED: EXIT.input,
  REDIS_DAMAGED: EXIT.unavailable,
  RELAY_AWAY: EXIT.unavailable,
  INBOX_UNKNOWN: EXIT.input,
  DRAIN_ENDED: EXIT.attention,
  BACKUP_RECIPIENT: EXIT.notAuthentic,
  BACKUP_FILE: EXIT.input,
  BACKUP_FORMAT: EXIT.notAuthentic,
  BACKUP_VERSION: EXIT.input,
  BACKUP_KEY: EXIT.notAuthentic,
  BUILD_TOOL_MISSING: EXIT.unavailable,
  INTERRUPTED: EXIT.interrupted,
};

/** A failure that the person at the keyboard can do something about: `what` is wrong, and what to do (`advice`). */
export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly advice: string;

  constructor(code: CliErrorCode, what: string, advice: string) {
    super(what);
    this.name = 'CliError';
    this.code = code;
    this.advice = advice;
  }

  get exitCode(): number {
    return EXIT_OF[this.code];
  }
}

export class UsageError extends CliError {
  constructor(what: string, command?: string) {
    super('USAGE', what, `see support-relay ${command === undefined ? '' : `${command} `}--help`);
    this.name = 'UsageError';
  }
}
