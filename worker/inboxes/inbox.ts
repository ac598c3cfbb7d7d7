import * as z from 'zod';
import { hexPattern } from '../../crypto/schema.ts';
import { TEAM_ID_BYTES } from '../../crypto/wire.ts';

/** What the mix leaves in an outbox: ciphertext under a name that says nothing. */
export type Letter = {
  /** 16 bytes, keyed per inbox: the same on a repeat, unlinkable between inboxes. */
  readonly id: Uint8Array;
  /** `LETTER_BYTES` of age file. */
  readonly bytes: Uint8Array;
};

export interface Inbox {
  /**
   * Resolves once the letter is where a volunteer can find it, also when it already was there. Throws Refused otherwise.
   * @param signal when to give up
   */
  deliver(letter: Letter, signal?: AbortSignal): Promise<void>;
}

/**
 * An inbox did not take a letter. It is tried again for `giveUpAfterMs`, counted from the first refusal: 0 where asking again
 * with the same letter cannot help, infinity where nothing says so. `reason` is a word of ours for the log, never a reply's
 * text, a host or an address. About a `letter`: the others may pass.
 */
export class Refused extends Error {
  readonly giveUpAfterMs: number;
  readonly reason: string;
  readonly about: 'inbox' | 'letter';

  constructor(giveUpAfterMs: number, reason: string, about: 'inbox' | 'letter') {
    super(`letter refused: ${reason}`);
    this.name = 'Refused';
    this.giveUpAfterMs = giveUpAfterMs;
    this.reason = reason;
    this.about = about;
  }
}

/** For one letter: a server that answers a line a minute, or a disk that hangs, would hold up every letter behind it. */
const TIMEOUT_SECONDS = 300;

/** What every inbox has: an opaque name of its own, the team it serves, and how long one letter may take. */
export const inboxFields = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
  team: z.string().regex(hexPattern(TEAM_ID_BYTES)),
  timeoutSeconds: z.int().min(1).max(3_600).default(TIMEOUT_SECONDS),
};

/** One kind of inbox: its place in `inboxes.json` and how to open it. */
export type InboxKind<Schema extends z.ZodObject> = { readonly schema: Schema; open(settings: z.output<Schema>): Promise<Inbox> };
