// When a week's key goes. A listing after its time only announces it; a later one, on another day, shreds it. docs/volunteers.md, § When a
// week is over.
import * as z from 'zod';
import { WEEK_MS } from '../../crypto/card.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { dayOf, instantOf } from '../../volunteer/keys/season.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Four weeks after its end a week's key goes, and once it is kept, four weeks later. */
export const KEEP_WEEKS = 4;

const day = z.iso.date();
const moment = z.iso.datetime({ precision: 0 });
const memorySchema = z.object({
  version: z.literal(1),
  /** The last listing, to the hour before it. */
  listed: moment.nullable(),
  /** By a week's first day: when it was said that its key goes, to the hour after it. */
  announced: z.record(day, moment),
  /** By a week's first day: until when somebody keeps it longer. */
  kept: z.record(day, moment),
});

/** What the folder remembers of listings. No time is finer than an hour: a folder that is taken should not say when somebody sat there. */
export type ShredMemory = z.infer<typeof memorySchema>;
export const NO_MEMORY: ShredMemory = { version: 1, listed: null, announced: {}, kept: {} };

/** Null unless the text is what `JSON.stringify` makes of a memory. */
export function memoryFrom(text: string): ShredMemory | null {
  try {
    return memorySchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** `week`: its first moment; `at`: when it is due, or from when on a listing shreds it. Unix time, ms. */
export type DueWeek = { readonly week: number; readonly at: number };
/**
 * `shred`: now. `announce`: due, and said now or before. `next`: the first of the others. `held`: why nothing goes now though something
 * is due: the clock was set back, or no keyring is for today or later.
 */
export type ShredPlan = {
  readonly shred: readonly number[];
  readonly announce: readonly DueWeek[];
  readonly next: DueWeek | null;
  readonly held: 'clock' | 'keyring' | null;
  readonly memory: ShredMemory;
};

/**
 * What a listing does. `weeks`: those that have a file, rising. `keyrings`: those that root.pub verifies: a clock that is ahead of all of
 * them shreds nothing. One that was set back since the last listing shreds nothing, and everything is announced anew.
 */
export function planShredding(
  memory: ShredMemory,
  weeks: readonly number[],
  keyrings: readonly VerifiedKeyring[],
  now: number,
  keepWeeks: number,
): ShredPlan {
  const isBack = memory.listed !== null && now < Date.parse(memory.listed);
  const isCovered = keyrings.some(({ keyring }) => Date.parse(keyring.notAfter) > now);
  const dues = weeks.map((week) => ({ week, at: dueAt(week, memory, keepWeeks) })).sort((a, b) => a.at - b.at || a.week - b.week);
  const due = dues.filter(({ at }) => at <= now).map(({ week }) => week);
  const next = dues.find(({ at }) => at > now) ?? null;
  const stillKept = Object.fromEntries(Object.entries(memory.kept).filter(([first]) => weeks.some((week) => dayOf(week) === first)));
  const remembered = { version: 1, listed: instantOf(Math.floor(now / HOUR_MS) * HOUR_MS), kept: stillKept } as const;
  const held = isBack ? 'clock' : isCovered ? null : 'keyring';
  if (held !== null) {
    return { shred: [], announce: [], next, held: due.length > 0 ? held : null, memory: { ...remembered, announced: {} } };
  }
  const said = due.map((week) => ({ week, at: saidAt(week, memory, now) }));
  const isOver = ({ at }: DueWeek): boolean => now >= at + DAY_MS;
  const announce = said.filter((each) => !isOver(each));
  return {
    shred: said.filter(isOver).map(({ week }) => week),
    announce: announce.map(({ week, at }) => ({ week, at: at + DAY_MS })),
    next,
    held,
    memory: { ...remembered, announced: Object.fromEntries(announce.map(({ week, at }) => [dayOf(week), instantOf(at)])) },
  };
}

/** The end of the week and `keepWeeks` more, or until when it is kept longer. */
function dueAt(week: number, { kept: longer }: ShredMemory, keepWeeks: number): number {
  const until = longer[dayOf(week)];
  return Math.max(week + WEEK_MS * (1 + keepWeeks), until === undefined ? 0 : Date.parse(until));
}

/** When it was announced; now, to the hour after it, if that was never or is to come by this clock. */
function saidAt(week: number, { announced }: ShredMemory, now: number): number {
  const before = Date.parse(announced[dayOf(week)] ?? '');
  const thisHour = Math.ceil(now / HOUR_MS) * HOUR_MS;
  return before <= thisHour ? before : thisHour;
}

/** The memory after somebody keeps a week for four weeks more, from now or from when it is due; null when it is kept already. */
export function keepLonger(memory: ShredMemory, week: number, now: number): { memory: ShredMemory; until: number } | null {
  const first = dayOf(week);
  if (memory.kept[first] !== undefined) return null;
  const until = Math.max(now, dueAt(week, memory, KEEP_WEEKS)) + KEEP_WEEKS * WEEK_MS;
  const announced = Object.fromEntries(Object.entries(memory.announced).filter(([each]) => each !== first));
  return { memory: { ...memory, announced, kept: { ...memory.kept, [first]: instantOf(until) } }, until };
}
