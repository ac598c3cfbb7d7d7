import * as z from 'zod';
import { hexPattern } from '../../crypto/schema.ts';
import { TEAM_ID_BYTES } from '../../crypto/wire.ts';
import type { SocksAddress } from '../../runtime/socks.ts';

/** A letter as the mix leaves it in an outbox: ciphertext under an opaque id. */
export type Letter = {
  /** 16 bytes, keyed per inbox: the same for a repeat, unlinkable between inboxes. */
  readonly id: Uint8Array;
  /** `LETTER_BYTES` of age file. */
  readonly bytes: Uint8Array;
};

export interface Inbox {
  /**
   * Resolves once the letter is where a volunteer can find it and would survive a power cut, even if it already was there.
   * Throws Refused otherwise.
   * @param signal aborts the attempt
   */
  deliver(letter: Letter, signal?: AbortSignal): Promise<void>;
}

/**
 * An inbox did not take a letter. The letter is retried for `giveUpAfterMs` after its first refusal: 0 if retrying the same letter
 * cannot help, Infinity if nothing limits it. `reason` is a word of ours for the log, never a server's text, a host or an
 * address. `about` is `letter` when other letters may still pass.
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

/** For one letter: a server that sends a line a minute, or a disk that hangs, would hold up all letters behind it. */
const TIMEOUT_SECONDS = 300;

/** Settings of every inbox: an opaque name, the team it serves, and how long one letter may take. */
export const inboxFields = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
  team: z.string().regex(hexPattern(TEAM_ID_BYTES)),
  timeoutSeconds: z.int().min(1).max(3_600).default(TIMEOUT_SECONDS),
};

/** One kind of inbox: the schema of its settings in `inboxes.json`, and how to set one up. */
export type InboxKind<Schema extends z.ZodObject> = {
  readonly schema: Schema;
  /** @param tor Tor's SOCKS port, for what is not on this machine; null: there is none */
  createInbox(settings: z.output<Schema>, tor: SocksAddress | null): Promise<Inbox>;
};
