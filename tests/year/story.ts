// What the tests of the year share, and tell each other.
import type { Entry, Ledger } from './ledger.ts';
import type { Life } from './life.ts';
import type { Machine } from './machine.ts';
import type { Organisation } from './organisation.ts';
import type { Seizure } from './seizure.ts';
import { time, weekOf } from './calendar.ts';

/** A week's key is announced on Tuesday, after four weeks, and shredded on Friday: this many older weeks open before that. */
export const OLDER_WEEKS = 5;
/** When the laptop is seized, and when it is revoked. */
export const SEIZED = time(20, 'Wed', 12);
export const REVOKED = time(20, 'Fri', 12);
export const FIRST_WITHOUT_MAPLE = 27;

export type Story = { readonly ledger: Ledger; organisation: Organisation; machine: Machine; life: Life; seizure: Seizure };

/** What was accepted from a time on, until another. */
export const between = ({ ledger }: Pick<Story, 'ledger'>, from: number, to: number): Entry[] =>
  ledger.all(({ acceptedAt }) => from <= acceptedAt && acceptedAt < to);

/** The weeks in which these were accepted, rising. */
export const weeksOf = (entries: readonly Entry[]): number[] =>
  [...new Set(entries.map(({ acceptedAt }) => weekOf(acceptedAt)))].toSorted((a, b) => a - b);

export const textsOf = (entries: readonly Entry[]): string[] => entries.map(({ text }) => text).toSorted();
