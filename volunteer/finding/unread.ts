// What may hold a letter and could not be read completely. Each kind is declared once, with what somebody can do about it.

export const UNREAD_ADVICE = {
  /** Compressed in a way that is not supported, or not whole. */
  UNREAD_COMPRESSED: 'unpack it and give the file that was in it',
  UNREAD_ARCHIVE: 'unpack it and give the files that were in it',
  UNREAD_ENCRYPTED: 'open it in the program that it was made for, save what it holds as a file, and give that',
  UNREAD_OUTLOOK: 'in Outlook save the attachment itself, or have the message forwarded as plain text, and give that',
  UNREAD_CODING: 'save it once more as plain text in UTF-8',
  UNREAD_DOCUMENT: 'if there is a letter in it, copy its text into a text file, or have the attachment itself sent, and give that',
  UNREAD_MAIL: 'save the message once more, or copy its text into a text file, and give that',
  UNREAD_UNKNOWN: 'if a letter may be in it, have it sent once more; if not, move it out of the way',
  /** The message breaks off. */
  UNREAD_CUT: 'save the whole message once more',
  UNREAD_LIMIT: 'save the messages or attachments in it one by one, and give those',
} as const;

export type UnreadCode = keyof typeof UNREAD_ADVICE;

/** Says what was not read. A file's name in the message comes from outside. */
export class Unread extends Error {
  readonly code: UnreadCode;

  constructor(code: UnreadCode, what: string) {
    super(what);
    this.name = 'Unread';
    this.code = code;
  }

  get advice(): string {
    return UNREAD_ADVICE[this.code];
  }
}
