// What was accepted, who had to be able to read it, and who did.
import { expect } from 'vitest';
import type { LetterContent } from '../../crypto/letter.ts';
import type { Thread } from '../../crypto/thread.ts';

export type Team = 'psych' | 'legal';
/** Who is in which team, by alias. */
export type Roster = Readonly<Record<Team, readonly string[]>>;

/** A request, or the note that an answer makes for the team. */
export type Entry = {
  readonly text: string;
  readonly team: Team;
  /** Of the keyring that it is sealed under. */
  readonly serial: number;
  readonly acceptedAt: number;
  /** What the relay accepted, without the stamp; a command keeps that of its note to itself. */
  readonly sealed: Uint8Array | null;
  readonly thread: Thread | null;
  /** The volunteer who wrote a note; null: a request. */
  readonly by: string | null;
  letter: Uint8Array | null;
  deliveredAt: number;
  readonly readBy: Set<string>;
};

export function textOf(content: LetterContent): string {
  if (content.kind === 'cover') throw new Error('nobody wrote a cover');
  return content.kind === 'note' ? content.note.text : content.message;
}

export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly #rosters: { from: number; roster: Roster }[] = [];

  /** From keyring `from` on these are the teams. */
  teams(from: number, roster: Roster): void {
    this.#rosters.push({ from, roster });
  }

  /** Who is to read what is sealed to a team under a keyring. */
  readersOf({ serial, team }: Pick<Entry, 'serial' | 'team'>): readonly string[] {
    return this.#rosters.findLast(({ from }) => from <= serial)?.roster[team] ?? [];
  }

  accepted(entry: Omit<Entry, 'letter' | 'deliveredAt' | 'readBy'>): Entry {
    expect(this.entries.has(entry.text)).toBe(false);
    const whole: Entry = { ...entry, letter: null, deliveredAt: Number.POSITIVE_INFINITY, readBy: new Set() };
    this.entries.set(entry.text, whole);
    return whole;
  }

  named(text: string): Entry {
    const entry = this.entries.get(text);
    if (entry === undefined) throw new Error(`nobody wrote "${text}"`);
    return entry;
  }

  all(isWanted: (entry: Entry) => boolean = () => true): Entry[] {
    return [...this.entries.values()].filter(isWanted);
  }
}
