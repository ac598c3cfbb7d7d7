/** A file, a part of a mail, or an entry of an archive, as it is found. */
export type Piece = {
  /** The name that its sender gave it; empty when it has none. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The media type that the mail gives it, in lower case. */
  readonly type?: string;
  readonly charset?: string;
  /** It is the file itself, whose name the volunteer knows. */
  readonly isGiven?: boolean;
  /** It came as an attachment, so somebody put it there on purpose. */
  readonly isAttached?: boolean;
  /** Nothing says that it is of any use: if it is not text and holds no letter, it is passed over. */
  readonly isAside?: boolean;
};
