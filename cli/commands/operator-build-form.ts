import { resolve } from 'node:path';
import { readRootPublicKey } from '../actions/root-key.ts';
import { defineCommand, required, wholeNumber } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { visibleLine } from '../terminal.ts';

const NAME = 'operator build-form';

export const operatorBuildForm = defineCommand({
  name: NAME,
  summary: 'Build the web form with your root key in it',
  usage: '--root-key FILE --out DIR [--floor-serial N]',
  details: `
Writes the form's static files into DIR, for the relay to serve (RELAY_WEB). The root public key is built in, so the
form takes only keyrings that your administrator signed.

  --root-key FILE    the public root key (root.pub)
  --out DIR          where to put the form
  --floor-serial N   the form refuses keyrings below this serial; 1 if left out

Example: support-relay operator build-form --root-key root.pub --out web`,
  options: { 'root-key': { type: 'string' }, out: { type: 'string' }, 'floor-serial': { type: 'string', default: '1' } },
  run: async (values, _positionals, io) => {
    const rootKeyFile = required(values['root-key'], 'root-key', NAME);
    const outDir = required(values.out, 'out', NAME);
    const floorSerial = wholeNumber(values['floor-serial'], 'floor-serial', [1, 0xffff_ffff], NAME);
    await readRootPublicKey(rootKeyFile);
    const { buildWeb } = await loadBuilder();
    // Absolute, since the builder works from the project's own directory.
    await buildWeb({ rootKeyFile: resolve(rootKeyFile), outDir: resolve(outDir), floorSerial });
    io.err(`The form is in ${visibleLine(outDir)}.\n`);
    return EXIT.ok;
  },
});

/** esbuild is no run-time dependency: a relay's machine serves the form, and need not be able to build it. */
async function loadBuilder() {
  try {
    return await import('../../web/build.ts');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CliError('BUILD_TOOL_MISSING', 'the build tool (esbuild) is not installed here', 'run npm ci without --omit=dev, or build the form on another machine');
  }
}
