/** A file, a part of a mail, or something in an archive, as it is found. */
export type Piece = {
  /** What it is called, as those who sent it say; empty when it has no name. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Lower case, as the mail says. */
  readonly type?: string;
  readonly charset?: string;
  /** Whoever gave it knows its name. */
  readonly isGiven?: boolean;
  /** It came as an attachment, so it is there for something. */
  readonly isAttached?: boolean;
  /** It is not known to be anything: what is no text and holds no letter is passed over. */
  readonly isAside?: boolean;
};
