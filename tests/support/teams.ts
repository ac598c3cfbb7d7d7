// A deployment with several teams instead of one.
import { readFile, writeFile } from 'node:fs/promises';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { encodeKeyring } from '../../crypto/keyring.ts';
import { generateKeyPair, parseSecretKey, sign } from '../../crypto/minisign.ts';
import { TEAM_ID_BYTES } from '../../crypto/wire.ts';
import type { Layout } from '../../deploy/state/layout.ts';
import type { Prepared } from '../../deploy/setup/trial.ts';

/** The Maildir of the team at this place in the keyring; the first keeps the original one. */
export function inboxOf({ inbox }: Layout, place: number): string {
  return place === 0 ? inbox : `${inbox}-${String(place + 1)}`;
}

/** All teams are like the first but for their ids: the same topics, volunteer and signer; the last has a signer whom nobody else knows. */
export function severalTeams(count: number): (prepared: Prepared) => Promise<void> {
  return async ({ layout, keyring: { keyring }, keyringFile }) => {
    const teams = Array.from({ length: count }, () => keyring.teams)
      .flat()
      .map((team, i) => ({
        ...team,
        ...(i > 0 ? { id: toHex(randomBytes(TEAM_ID_BYTES)) } : {}),
        ...(i === count - 1 ? { signers: [toHex(generateKeyPair().key)] } : {}),
      }));
    const json = encodeKeyring({ ...keyring, teams });
    await writeFile(keyringFile, json);
    await writeFile(
      `${keyringFile}.minisig`,
      sign(json, await parseSecretKey(await readFile(layout.rootSecretKey, 'utf8')), 'several teams'),
    );
    const inboxes = teams.map(({ id }, i) => ({ id: `inbox-${String(i + 1)}`, team: id, kind: 'maildir', path: inboxOf(layout, i) }));
    await writeFile(layout.inboxes, JSON.stringify(inboxes));
  };
}
