// Taking in keyrings that another stick has signed.
import { join } from 'node:path';
import { CodedError } from '../../crypto/errors.ts';
import type { HeldKeyring } from '../keys/keyring.ts';
import { commit, follows, KEYRINGS, readHeldKeyring, storeKeyring, type Folder } from './folder.ts';
import type { FolderState } from './state.ts';

/** `teams`: the names of teams that the folder got from the newest keyring, since it had none. */
export type TakenKeyrings = { folder: Folder; serials: number[]; teams: string[] };

/**
 * Takes keyrings into the folder, given in any order; those that are there already are passed over. Throws INPUT_*, MINISIGN_*,
 * KEYRING_*: KEYRING_TWICE when one has the serial of another, KEYRING_OLD when it is older than the last one here, KEYRING_CHAIN when it
 * does not follow the keyring before it.
 */
export async function takeKeyrings(folder: Folder, paths: readonly string[]): Promise<TakenKeyrings> {
  const given = new Map<string, HeldKeyring>();
  for (const path of paths) {
    const keyring = await readHeldKeyring(path, folder.root);
    given.set(keyring.digest, keyring);
  }
  const known = new Set(folder.keyrings.map(({ digest }) => digest));
  const added = [...given.values()].filter(({ digest }) => !known.has(digest)).sort((a, b) => a.keyring.serial - b.keyring.serial);
  if (added.length === 0) return { folder, serials: [], teams: [] };
  let last = folder.keyrings.at(-1);
  for (const each of added) {
    insistOnNext(folder, each, last);
    last = each;
  }
  for (const each of added) await storeKeyring(join(folder.dir, KEYRINGS), each);
  const keyrings = [...folder.keyrings, ...added];
  const list = keyrings.map(({ keyring, digest }) => ({ serial: keyring.serial, digest }));
  const teams = folder.state.teams.length > 0 || last === undefined ? {} : teamsFrom(last);
  const state = await commit(folder, { keyrings: list, ...teams });
  return {
    folder: { ...folder, state, keyrings },
    serials: added.map(({ keyring }) => keyring.serial),
    teams: (teams.teams ?? []).map(({ name }) => name),
  };
}

function insistOnNext({ keyrings }: Folder, each: HeldKeyring, last: HeldKeyring | undefined): void {
  const { serial } = each.keyring;
  if (follows(each, last)) return;
  if ([...keyrings, ...(last === undefined ? [] : [last])].some(({ keyring }) => keyring.serial === serial)) {
    throw new CodedError('KEYRING_TWICE', `there is another keyring of serial ${String(serial)}: two sticks have signed`);
  }
  if (last !== undefined && serial < last.keyring.serial) {
    throw new CodedError('KEYRING_OLD', `keyring ${String(serial)} is older than keyring ${String(last.keyring.serial)}, which is here`);
  }
  const what = `keyring ${String(serial)} does not follow keyring ${String(last?.keyring.serial)}`;
  throw new CodedError('KEYRING_CHAIN', `${what}: one between them is missing, or two sticks have signed`);
}

/** The teams of a keyring, called team-1, team-2 …: their ids must stay, since inboxes are found by them. */
function teamsFrom({ keyring }: HeldKeyring): Partial<Pick<FolderState, 'teams' | 'answerTime' | 'release'>> {
  return {
    teams: keyring.teams.map(({ id, names, topics }, at) => ({ name: `team-${String(at + 1)}`, id, names, topics })),
    ...(keyring.answerTime === undefined ? {} : { answerTime: keyring.answerTime }),
    ...(keyring.release === undefined ? {} : { release: keyring.release }),
  };
}
