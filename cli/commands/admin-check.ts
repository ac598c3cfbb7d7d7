import { readKeyring } from '../keys/keyring.ts';
import { readRootPublicKey } from '../keys/root-key.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { describeKeyring, keyringSummary, validityAt } from '../keys/keyring-view.ts';
import { visibleJson } from '../terminal/terminal.ts';

export const adminCheck = defineCommand({
  name: 'admin check',
  summary: 'Verify a keyring and show what it says',
  usage: 'FILE [--root-key FILE] [--json]',
  examples: ['support-relay admin check keyring-12.json --root-key root.pub'],
  details: `
Verifies FILE with the signature in FILE.minisig and shows its teams, fingerprints and dates. Ends with 0 when the
signature is valid and the keyring has not expired (one for a coming week is good), with 1 otherwise.

  --root-key FILE  the public root key; root.pub in the current directory if left out
  --json           one line of JSON instead`,
  options: { 'root-key': { type: 'string', default: 'root.pub' }, json: { type: 'boolean' } },
  arguments: [1, 1],
  run: async (values, [file = ''], io) => {
    const root = await readRootPublicKey(values['root-key']);
    const verified = await readKeyring(file, root);
    const now = io.now();
    io.out(values.json === true ? `${visibleJson(keyringSummary(verified, root, now))}\n` : describeKeyring(verified, root, now));
    return validityAt(verified.keyring, now) === 'expired' ? EXIT.notAuthentic : EXIT.ok;
  },
});
