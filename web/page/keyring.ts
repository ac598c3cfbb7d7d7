// Has the sealing worker verify the keyring that the relay gave, and shows what of it stands in the page.
import type { RelayDoor, Start } from './door.ts';
import type { Offered } from './messages.ts';
import { fill } from './page.ts';
import { isUntimely, SealerError, type Sealer } from './sealer.ts';

/**
 * Shows how long an answer usually takes; the rest is for the caller to show. Throws SealerError when the keyring is refused. KEYRING_NONE:
 * the relay has none, or says itself that none is valid. KEYRING_EXPIRED, KEYRING_NOT_YET_VALID: it has one that is valid by its clock,
 * so that the clock of this device is probably wrong.
 */
export async function takeKeyring(sealer: Sealer, { door, keyring }: Start): Promise<Offered> {
  if (keyring === null) throw new SealerError('KEYRING_NONE');
  const offered = await sealer.ask('verify', keyring).catch((error: unknown) => {
    throw isUntimely(error) && lacksKeyring(door) ? new SealerError('KEYRING_NONE') : error;
  });
  const usual = offered.answerTime[document.documentElement.lang];
  for (const place of document.querySelectorAll<HTMLElement>('.answer-time')) place.hidden = usual === undefined;
  fill('answer', usual ?? '');
  return offered;
}

const lacksKeyring = (door: RelayDoor): boolean => !door.open && door.reason === 'keyring';
