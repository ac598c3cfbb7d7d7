// Has the sealing worker verify a keyring that was fetched, and shows what of it stands in the page.
import type { FetchedKeyring } from './door.ts';
import type { Offered } from './messages.ts';
import { fill } from './page.ts';
import { SealerError, type Sealer } from './sealer.ts';

/**
 * Shows how long an answer usually takes; the rest is for the caller to show. Throws SealerError when the keyring is refused, or there is
 * none.
 */
export async function takeKeyring(sealer: Sealer, keyring: FetchedKeyring | null): Promise<Offered> {
  if (keyring === null) throw new SealerError('KEYRING_EXPIRED');
  const offered = await sealer.ask('verify', keyring);
  const usual = offered.answerTime[document.documentElement.lang];
  for (const place of document.querySelectorAll<HTMLElement>('.answer-time')) place.hidden = usual === undefined;
  fill('answer', usual ?? '');
  return offered;
}
