// What signing does, said before the passphrase is asked.
import { weekStart } from '../../crypto/card.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { dayOf, instantOf } from '../../volunteer/keys/season.ts';
import type { HeldKeyring } from '../keys/keyring.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { changesOf, describeEntry, stayingOf, type Change } from './changes.ts';
import type { Folder } from './folder.ts';
import { folderWeek, type WeekContent } from './members.ts';
import type { Due } from './plan.ts';
import { namesSame } from './release.ts';
import { coveredUntil, keyringAt, voidedBy } from './weeks.ts';

/** For --json as it stands. Dates are UTC; `voided` and `before` are serials, `leftOut` names of teams in which nobody is. */
export type SigningReport = {
  today: string;
  keyrings: { serial: number; from: string; until: string; worker: string; leftOut: readonly string[] }[];
  /** The keyring with which the changes begin: that which counts for the first week until now, or else the last; null without any. */
  before: number | null;
  stays: string[];
  changes: Change[];
  /** The first week that was signed with another recipient of the worker; null when there is none. */
  newWorkerFrom: string | null;
  /** The version of the newest release, where the keyrings before name another or none; null when nothing changes. */
  newRelease: string | null;
  voided: number[];
  /** Null: no keyring counts now. */
  coveredUntil: string | null;
  /** Why the week after that cannot be signed; null when it could. */
  lacking: string | null;
};

/** What signing `dues` would do at `now` (Unix time, ms). */
export function reportOf(folder: Folder, dues: readonly Due[], now: number, above = 0): SigningReport {
  const last = folder.keyrings.at(-1)?.keyring;
  const [first] = dues;
  const before = first === undefined ? last : (keyringAt(folder.keyrings, first.from)?.keyring ?? last);
  const planned = dues.map((due, at): HeldKeyring => {
    const dates = { notBefore: instantOf(due.from), notAfter: instantOf(due.until) };
    const keyring = { version: 1 as const, serial: Math.max(above, last?.serial ?? 0) + 1 + at, ...dates, previous: null, ...due.content };
    return { keyring, digest: '', json: new Uint8Array(), signature: '' };
  });
  const covered = coveredUntil([...folder.keyrings, ...planned], now);
  return {
    today: dayOf(now),
    keyrings: planned.map(({ keyring: { serial, notBefore, notAfter, worker } }, at) => ({
      ...{ serial, from: notBefore, until: notAfter },
      worker: fingerprint(worker),
      leftOut: dues[at]?.empty ?? [],
    })),
    before: before?.serial ?? null,
    stays: stayingOf(folder, before, dues).map(({ alias }) => alias ?? 'somebody unknown'),
    changes: changesOf(folder, before, dues),
    newWorkerFrom: newWorkerOf(folder, dues),
    newRelease: newReleaseOf(before, dues),
    voided: voidedBy(folder.keyrings, planned, now).map(({ keyring }) => keyring.serial),
    coveredUntil: covered > now ? instantOf(covered) : null,
    lacking: lackingOf(folder, weekStart(covered)),
  };
}

function newWorkerOf({ keyrings }: Folder, dues: readonly Due[]): string | null {
  const first = dues.find(({ from, content }) => (keyringAt(keyrings, from)?.keyring.worker ?? content.worker) !== content.worker);
  return first === undefined ? null : dayOf(first.from);
}

function newReleaseOf(before: WeekContent | undefined, dues: readonly Due[]): string | null {
  const release = dues.at(-1)?.content.release;
  return release === undefined || namesSame(before ?? {}, { release }) ? null : release.version;
}

/** What a week lacks, in words. `week`: its first moment, Unix time, ms. */
function lackingOf(folder: Folder, week: number): string | null {
  const { content, empty } = folderWeek(folder, week);
  const who = [...(content.worker === null ? ['the worker has no key'] : []), ...empty.map((team) => `nobody in team ${team} has a key`)];
  return who.length === 0 ? null : `For the week from ${dayOf(week)} on ${who.join(', and ')}.`;
}

export function reportLines({
  today,
  keyrings,
  before,
  stays,
  changes,
  newWorkerFrom,
  newRelease,
  voided,
  ...report
}: SigningReport): string[] {
  const coverage = [coverageLine(report.coveredUntil), ...(report.lacking === null ? [] : [report.lacking])].join(' ');
  if (keyrings.length === 0) return [`Today is ${today}. There is nothing to sign. ${coverage}`];
  const [first, last] = [keyrings[0]?.from ?? '', keyrings.at(-1)?.until ?? ''];
  const leftOut = [...new Set(keyrings.flatMap((keyring) => keyring.leftOut))];
  const count = keyrings.length === 1 ? 'one keyring' : `${String(keyrings.length)} keyrings, one a week`;
  return [
    `Today is ${today}. This signs ${count}, from ${first} to ${last}:`,
    ...keyrings.map(({ serial, from, until, worker }) => `  keyring ${String(serial)}: ${from} to ${until}, worker's recipient ${worker}`),
    before === null ? 'There is no keyring before:' : `Against keyring ${String(before)}, which they follow or replace:`,
    ...(stays.length === 0 ? [] : [`  stays: ${stays.map(visibleLine).join(', ')}`]),
    ...changes.map(({ what, from, ...entry }) => `  ${what}, from ${from}: ${describeEntry(entry)}`),
    ...(newWorkerFrom === null ? [] : [`  the worker has other keys from ${newWorkerFrom} on`]),
    ...(newRelease === null ? [] : [`  they name ${newRelease} as the newest release of the programs`]),
    ...leftOut.map((team) => `  NOBODY IS LEFT in team ${team}: it is left out, and its topics cannot be chosen.`),
    ...(voided.length === 0 ? [] : [`These keyrings become void: ${voided.map(String).join(', ')}.`]),
    `Once this is signed and in place: ${coverage}`,
  ];
}

export const coverageLine = (until: string | null): string =>
  until === null ? 'No keyring counts now: the door is closed.' : `The door is covered now, and until ${until}.`;
