// Who comes and who goes from one keyring to the next, in plain words.
import type { Team } from '../../crypto/keyring.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { visibleLine } from '../terminal/terminal.ts';
import type { Folder } from './folder.ts';
import { ownerOf, type WeekContent } from './members.ts';
import type { Due } from './plan.ts';

/**
 * Somebody in a team. `recipient` and `signer`: fingerprints, as two people compare them; null where the keyring does not list one that is
 * known to be theirs. `alias`: null when the keys are on no card of the folder.
 */
export type Entry = { alias: string | null; team: string; signer: string | null; recipient: string | null };
export type Change = { what: 'comes' | 'goes'; from: string } & Entry;

/** The changes with each of the weeks. `before`: what the last signed keyring says, if there is one. */
export function changesOf(folder: Folder, before: WeekContent | undefined, dues: readonly Due[]): Change[] {
  const changes: Change[] = [];
  let former = before === undefined ? [] : entriesOf(folder, before);
  for (const { from, content } of dues) {
    const next = entriesOf(folder, content);
    const day = dayOf(from);
    changes.push(...without(next, former).map((entry) => ({ what: 'comes' as const, from: day, ...entry })));
    changes.push(...without(former, next).map((entry) => ({ what: 'goes' as const, from: day, ...entry })));
    former = next;
  }
  return changes;
}

/** Who is in all of the weeks and was in the keyring before. */
export function stayingOf(folder: Folder, before: WeekContent | undefined, dues: readonly Due[]): Entry[] {
  const lists = [...(before === undefined ? [[]] : [entriesOf(folder, before)]), ...dues.map(({ content }) => entriesOf(folder, content))];
  return (lists.at(-1) ?? []).filter((entry) => lists.every((list) => list.some((other) => isSame(other, entry))));
}

export function describeEntry({ alias, team, signer, recipient }: Entry): string {
  const who = alias === null ? 'SOMEBODY WHO IS NOT IN THIS FOLDER' : visibleLine(alias);
  return `${who} (team ${team}): signer ${signer ?? 'none'}, recipient ${recipient ?? 'none'}`;
}

/** Everybody of a keyring: recipients and signers of one alias together, those of nobody here each alone. */
function entriesOf(folder: Folder, { teams }: WeekContent): Entry[] {
  return teams.flatMap((team) => {
    const entries: Entry[] = [];
    const name = nameOf(folder, team);
    for (const [kind, keys] of [['recipient', team.recipients] as const, ['signer', team.signers] as const]) {
      for (const key of keys) {
        const alias = ownerOf(folder, key);
        const known = alias === null ? undefined : entries.find((entry) => entry.alias === alias && entry[kind] === null);
        if (known === undefined) entries.push({ alias, team: name, signer: null, recipient: null, [kind]: fingerprint(key) });
        else known[kind] = fingerprint(key);
      }
    }
    return entries;
  });
}

const nameOf = ({ state }: Folder, { id }: Team): string => state.teams.find((team) => team.id === id)?.name ?? id;

/** A member has a new recipient each week; who has no alias here is known by the keys alone. */
function isSame(a: Entry, b: Entry): boolean {
  if (a.team !== b.team || a.alias !== b.alias || a.signer !== b.signer) return false;
  return a.alias !== null || a.recipient === b.recipient;
}

const without = (list: readonly Entry[], others: readonly Entry[]): Entry[] =>
  list.filter((entry) => !others.some((other) => isSame(entry, other)));
