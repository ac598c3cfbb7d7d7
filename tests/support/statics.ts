import { readFile } from 'node:fs/promises';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { findForm, loadStatics, type Statics } from '../../server/statics.ts';

/** What the relay would serve of a built form. Throws when there is none, or when it is not whole. */
export async function staticsIn(web: string, rootKeyFile: string): Promise<Statics> {
  const built = await findForm(web);
  if (built === null) throw new Error('there is no form');
  return loadStatics(web, built, parsePublicKey(await readFile(rootKeyFile, 'utf8')));
}
