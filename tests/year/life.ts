// What happens every week: people write, the worker mixes and delivers, volunteers read and answer, people read the answers.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { signersOf, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { PARCEL_HEADER_BYTES } from '../../crypto/parcel.ts';
import { openReply } from '../../crypto/reply.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import { readMailbox } from '../support/conversation.ts';
import { attachedLetters } from '../support/maildir.ts';
import { contentWith } from '../support/seized-folder.ts';
import { dayOf, HOUR_MS, hourOf, weekOf, type Day } from './calendar.ts';
import { textOf, type Entry, type Ledger, type Team } from './ledger.ts';
import type { Machine } from './machine.ts';
import type { Organisation } from './organisation.ts';
import { mailIn, type Sitting, type Volunteer } from './volunteer.ts';

const TOPICS: Readonly<Record<Team, string>> = { psych: 'psychological', legal: 'legal' };
const LATE_MS = 14 * 24 * HOUR_MS;
const WRITING: Readonly<Partial<Record<Day, readonly Team[]>>> = { Mon: ['psych', 'legal'], Thu: ['psych'] };

/** Somebody who can open letters by what is in a folder, and who that is for what was sealed under a keyring. */
export type Reader = Readonly<{ alias: (serial: number) => string; identities: () => Promise<string[]> }>;

export class Life {
  readonly organisation: Organisation;
  readonly machine: Machine;
  readonly ledger: Ledger;
  /** Everybody whose folder is tried on every letter. */
  readers: Reader[] = [];
  nowMs: number;
  /** While the relay takes nothing, and rightly so. */
  closedFor: string | null = null;
  turnedAway = 0;
  /** Whose signer nobody believes any more. */
  readonly revoked = new Set<string>();
  answered = 0;
  /** What was said to a volunteer at the last sitting. */
  readonly sittings = new Map<string, Sitting>();
  readonly #promised: { thread: Thread; text: string; atMs: number }[] = [];
  /** Answers that were seen more than two weeks after they were sent. */
  readonly late: string[] = [];
  /** By the file name of mail: what is in it. */
  readonly #delivered = new Map<string, Entry>();
  #written = 0;

  constructor(organisation: Organisation, machine: Machine, ledger: Ledger, nowMs: number) {
    this.organisation = organisation;
    this.machine = machine;
    this.ledger = ledger;
    this.nowMs = nowMs;
  }

  /** Answers that nobody has read yet. */
  get promised(): string[] {
    return this.#promised.map(({ text }) => text);
  }

  /** Somebody who is new. Mail that came before is not theirs to fetch. */
  async watches(reader: Volunteer): Promise<void> {
    await reader.ignores(this.inbox(reader.team));
    this.watchesFolder(reader.name, () => reader.identities());
  }

  watchesFolder(name: string, identities: Reader['identities']): void {
    this.readers.push({ alias: () => name, identities });
  }

  /** From now on somebody else has what opens a volunteer's letters. */
  replaceReader(name: string, alias: Reader['alias'], identities: Reader['identities']): void {
    this.readers = this.readers.map((reader) => (reader.alias(1) === name ? { alias, identities } : reader));
  }

  /** Goes on until this time, doing what belongs to each hour. */
  async until(timeMs: number): Promise<void> {
    while (this.nowMs < timeMs) {
      const next = Math.min(timeMs, this.nowMs + HOUR_MS);
      this.machine.passes(this.nowMs, next);
      this.nowMs = next;
      if (this.machine.isUp) await this.#hour(dayOf(next), hourOf(next));
    }
  }

  async #hour(day: Day, hour: number): Promise<void> {
    if (day === 'Mon' && hour === 10 && this.closedFor === null) await this.readAnswers();
    if (hour === 11) for (const team of WRITING[day] ?? []) await this.writes(team);
    // Half of the parcels leave in a round; on Tuesdays there are as many as it takes.
    if (hour === 17) await (day === 'Tue' ? this.machine.drain() : this.machine.wholeRound());
    if ((day === 'Tue' || day === 'Fri') && hour === 20) {
      await this.checkReaders();
      await this.#sittings(day);
    }
  }

  /** Somebody opens the form, and writes if it lets them. */
  async writes(team: Team): Promise<Entry | null> {
    const { open, reason, keyring } = await this.machine.page();
    expect([weekOf(this.nowMs), reason]).toEqual([weekOf(this.nowMs), this.closedFor]);
    if (open && keyring !== null) return this.seals(team, keyring);
    this.turnedAway += 1;
    return null;
  }

  /** Somebody seals a request on a page that was opened with this keyring. Null: the relay does not take it any more. */
  async seals(team: Team, keyring: VerifiedKeyring): Promise<Entry | null> {
    this.#written += 1;
    const text = `Request ${String(this.#written)} to ${team}, week ${String(weekOf(this.nowMs))}`;
    const thread = threadOf(randomBytes(32));
    const parcel = sealRequest({ topic: TOPICS[team], language: 'en', message: text }, keyring, { thread });
    const result = await this.machine.post(parcel);
    if (result !== 'accepted') return null;
    const sealed = parcel.subarray(PARCEL_HEADER_BYTES);
    return this.ledger.accepted({ text, team, serial: keyring.keyring.serial, acceptedAt: this.nowMs, sealed, thread, by: null });
  }

  /** Tries every folder on every letter that came: it opens for the team of its keyring, and for nobody else. */
  async checkReaders(): Promise<void> {
    const keys = await Promise.all(this.readers.map(async (reader) => ({ ...reader, identities: await reader.identities() })));
    for (const team of ['psych', 'legal'] as const) {
      const inbox = this.inbox(team);
      for (const name of await mailIn(inbox)) {
        if (this.#delivered.has(name)) continue;
        const [letter = new Uint8Array(), ...more] = await attachedLetters(await readFile(join(inbox, 'new', name)));
        expect(more).toEqual([]);
        const opened = keys.map(({ alias, identities }) => ({ alias, content: contentWith(letter, identities) }));
        const content = opened.find((each) => each.content !== null)?.content;
        if (!content) throw new Error(`week ${String(weekOf(this.nowMs))}: nobody can read a letter to ${team}`);
        const entry = this.ledger.named(textOf(content));
        expect(entry.letter).toBeNull();
        Object.assign(entry, { letter, deliveredAt: this.nowMs });
        this.#delivered.set(name, entry);
        const openers = opened.filter((each) => each.content !== null).map(({ alias }) => alias(entry.serial));
        expect([entry.text, openers.toSorted()]).toEqual([entry.text, this.ledger.readersOf(entry).toSorted()]);
      }
    }
  }

  inbox(team: Team): string {
    return this.machine.path('inboxes', team);
  }

  async #sittings(day: Day): Promise<void> {
    const { volunteers } = this.organisation;
    const sitting = [...volunteers.values()].filter(
      ({ isAway, reads }) => !isAway && reads.from <= this.nowMs && this.nowMs <= reads.until,
    );
    const serial = this.closedFor === null ? (await this.machine.page()).keyring?.keyring.serial : undefined;
    const answering =
      serial === undefined ? [] : sitting.filter(({ name, team }) => this.ledger.readersOf({ serial, team }).includes(name));
    const turn = day === 'Tue' ? answering[weekOf(this.nowMs) % answering.length] : undefined;
    for (const volunteer of sitting) await this.#sits(volunteer, volunteer === turn);
  }

  /** A volunteer reads what came, and answers one request if it is their turn. */
  async #sits(volunteer: Volunteer, answers: boolean): Promise<void> {
    const sitting = await volunteer.sits(this.inbox(volunteer.team));
    this.sittings.set(volunteer.name, sitting);
    for (const text of sitting.texts) this.ledger.named(text).readBy.add(volunteer.name);
    for (const { file, code } of sitting.unopened) {
      const entry = this.#delivered.get(file);
      if (entry === undefined) throw new Error(`nobody looked at ${file}`);
      const isTheirs = this.ledger.readersOf(entry).includes(volunteer.name);
      // A note of somebody who was revoked meanwhile opens, and is not believed.
      const expected = isTheirs && this.revoked.has(entry.by ?? '') ? 'SIGNER_UNKNOWN' : isTheirs ? 'none' : 'AGE_NO_MATCH';
      expect([volunteer.name, entry.text, code]).toEqual([volunteer.name, entry.text, expected]);
      if (isTheirs) entry.readBy.add(volunteer.name);
    }
    const open = sitting.listed.find(
      ({ answered, letters }) => answered.length === 0 && letters.some(({ message }) => message !== undefined),
    );
    if (answers && open !== undefined) await this.#answers(volunteer, open.id, open.letters[0]?.message ?? '');
    await volunteer.putsAway();
  }

  async #answers(volunteer: Volunteer, id: string, request: string): Promise<void> {
    const { thread } = this.ledger.named(request);
    if (thread === null) throw new Error('notes are not answered');
    expect(await volunteer.opens(id)).toContain(request);
    const text = `Answer of ${volunteer.name} to: ${request}`;
    await volunteer.answers(this.machine.url, id, text);
    const serial = (await this.machine.page()).keyring?.keyring.serial ?? 0;
    this.ledger.accepted({ text, team: volunteer.team, serial, acceptedAt: this.nowMs, sealed: null, thread: null, by: volunteer.name });
    this.#promised.push({ thread, text, atMs: this.nowMs });
    this.answered += 1;
  }

  /** The last sitting of the year, for what came since Friday, and the last look for answers. */
  async finish(): Promise<void> {
    await this.#sittings('Fri');
    await this.readAnswers();
  }

  /** Of all letters, those that somebody's folder opens. */
  async openedBy(volunteer: Volunteer): Promise<Entry[]> {
    const identities = await volunteer.identities();
    return this.ledger.all(({ letter }) => letter !== null && contentWith(letter, identities) !== null);
  }

  /** People come back with their access codes; what is not there yet they look for the next time. */
  async readAnswers(): Promise<void> {
    for (const promise of this.#promised.splice(0)) {
      const texts = await this.answersTo(promise.thread);
      expect(texts.filter((text) => text !== promise.text)).toEqual([]);
      if (texts.length === 0) this.#promised.push(promise);
      else if (this.nowMs > promise.atMs + LATE_MS) this.late.push(promise.text);
    }
  }

  /** The answers that a page shows: those signed by a signer of the keyring that it has. */
  async answersTo(thread: Thread): Promise<string[]> {
    const { keyring } = await this.machine.page();
    if (keyring === null) throw new Error('without a keyring no page shows an answer');
    const { replies } = await readMailbox(this.machine, thread);
    return replies.flatMap((reply) => {
      try {
        return openReply(reply, thread.identity, thread.signing.key, signersOf(keyring.keyring)).text;
      } catch {
        return [];
      }
    });
  }
}
