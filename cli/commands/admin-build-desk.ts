import { join } from 'node:path';
import { CodedError } from '../../crypto/errors.ts';
import { readKeyringFiles } from '../keys/keyring-files.ts';
import { readRootPublicKey } from '../keys/root-key.ts';
import { defineCommand, required } from '../command.ts';
import { loadBuilder } from '../builder.ts';
import { EXIT, UsageError } from '../errors.ts';
import { insistOnNew, readInputText, writeNewFiles } from '../files.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin build-desk';

export const adminBuildDesk = defineCommand({
  name: NAME,
  summary: 'Build the desk: a page, opened from disk, in which volunteers read and answer',
  usage: '--root-key FILE --keyring PATH… --out DIR [--json]',
  examples: ['support-relay admin build-desk --root-key root.pub --keyring keyrings --out desk'],
  details: `
Writes desk-ru.html and desk-en.html into DIR: each is one file that a volunteer opens in a browser, without a network.
Your root public key and the keyrings are built in. Give it to volunteers the way you give them keyrings; no relay
serves it. The desk takes newer keyrings from the volunteer's folder of keys, so it need not be built every season.

  --root-key FILE    the public root key (root.pub)
  --keyring PATH     keyrings: a file with its .minisig beside it, or a folder with a season's; may be given several times.
                     At least one must not have ended
  --out DIR          where to put the files; one that exists is never overwritten
  --json             one line of JSON: files`,
  options: {
    'root-key': { type: 'string' },
    keyring: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const rootKeyFile = required(values['root-key'], 'root-key', NAME);
    const outDir = required(values.out, 'out', NAME);
    if (values.keyring.length === 0) throw new UsageError('--keyring is missing', NAME);
    const root = await readRootPublicKey(rootKeyFile);
    const given = await readKeyringFiles(values.keyring, root);
    const ends = given.map(({ keyring }) => keyring.notAfter).sort();
    const last = ends.at(-1) ?? '';
    // Only the last counts: older keyrings are there to read what was sealed under them.
    if (Date.parse(last) <= io.now().getTime()) {
      throw new CodedError('KEYRING_EXPIRED', `nobody could answer from this desk: the last of its keyrings was valid until ${last}`);
    }
    const { buildDesk, deskNames } = await loadBuilder();
    await insistOnNew(deskNames().map((name) => join(outDir, name)));
    const pages = await buildDesk(
      await readInputText(rootKeyFile, 'the root public key'),
      given.map(({ signed }) => signed),
    );
    await writeNewFiles(pages.map(({ name, page }) => ({ path: join(outDir, name), content: page, secret: false })));
    const files = pages.map(({ name }) => join(outDir, name));
    io.out(values.json === true ? `${visibleJson({ files })}\n` : files.map((file) => `${visibleLine(file)}\n`).join(''));
    return EXIT.ok;
  },
});
