import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { equal, toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { defineCommand } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { readInput, readInputText, putFile } from '../files.ts';
import { hasKeys, KEY_FOLDER } from '../keys/key-folder.ts';
import { keyringFileName, keyringsIn, ROOT_PUBLIC, rootKeyIn } from '../keys/keyring-folder.ts';
import { judgeFile, judgeServed, shelfOf, shelve, type ServedKeyring, type Shelf } from '../keys/newer-keyring.ts';
import { readRootPublicKey } from '../keys/root-key.ts';
import { relayFrom } from '../sending/destination.ts';
import { fetchKeyring } from '../sending/fetch-keyring.ts';
import type { RelayAddress } from '../sending/relay-address.ts';
import type { Io } from '../terminal/io.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'volunteer keyring';

export const volunteerKeyring = defineCommand({
  name: NAME,
  summary: 'Check the keyrings that the administrator sent, and put them into your folder of keys',
  usage: '[--keys DIR] [--root-key FILE] [--relay URL [--socks HOST:PORT]] [--json] [DIR|FILE…]',
  examples: ['support-relay volunteer keyring Downloads', 'support-relay volunteer keyring --root-key root.pub keyring-1.json'],
  details: `
Takes files keyring-<serial>.json, each with its .minisig beside it, or a folder with such files. One is put into the folder
of keys only if root.pub there verifies it and it fits to those before it; who comes and who goes is shown, team by team.
With --relay it takes the one that the relay has now; reply, claim, handover and send do that by themselves.

  --keys DIR       your folder of keys; ${KEY_FOLDER} here if left out
  --root-key FILE  the first time: the administrator's root.pub, from somebody you trust; it is put into the folder, too
  --relay URL      as support-relay send takes it, with --socks HOST:PORT for an onion
  --json           a line of JSON for each: file, serial, from, until, result (new, known or a code)

Ends with 0 when every keyring is in the folder.`,
  options: {
    keys: { type: 'string' },
    'root-key': { type: 'string' },
    relay: { type: 'string' },
    socks: { type: 'string' },
    json: { type: 'boolean' },
  },
  arguments: [0, 1_000],
  run: async (values, paths, io) => {
    const folder = values.keys ?? KEY_FOLDER;
    if (folder === '') throw new UsageError('--keys is missing its folder', NAME);
    if (!(await hasKeys(folder))) {
      throw new CliError('INPUT_MISSING', `there are no keys in ${folder}`, 'make them first: support-relay volunteer keys');
    }
    const relay = values.relay === undefined ? null : relayFrom(values.relay, values.socks, NAME);
    if (relay === null && paths.length === 0) throw new UsageError('DIR or FILE is missing, or --relay', NAME);
    const root = await rootFor(folder, values['root-key'], io);
    const sources = (await Promise.all(paths.map((path) => sourcesOf(path, root, io)))).flat();
    const shelf = await shelfOf(folder, io);
    if (shelf === null) throw new Error('root.pub was there a moment ago');
    if (relay !== null) sources.push({ name: values.relay ?? '', read: () => servedBy(relay, io), judge: judgeServed });
    let exitCode: number = EXIT.ok;
    for (const source of sources) {
      const outcome = await take(source, shelf, io);
      if (values.json === true) io.out(`${visibleJson(outcome.shown)}\n`);
      exitCode = Math.max(exitCode, outcome.exitCode);
    }
    return exitCode;
  },
});

const shown = ({ key }: PublicKey): string => fingerprint(toHex(key));

/** The folder's root key; one that is given is put there, if there is none yet. Throws ROOT_KEY_DIFFERS when there is another. */
async function rootFor(folder: string, given: string | undefined, io: Io): Promise<PublicKey> {
  const own = await rootKeyIn(folder);
  if (given === undefined) {
    if (own !== null) return own;
    throw new UsageError(`there is no ${ROOT_PUBLIC} in ${folder}: give --root-key, the first time`, NAME);
  }
  const root = await readRootPublicKey(given);
  if (own === null) {
    await putFile(join(folder, ROOT_PUBLIC), await readInputText(given, 'the root public key'));
    io.err(`The root key is in ${visibleLine(folder)} now. Its fingerprint, to compare with the administrator by voice: ${shown(root)}\n`);
  } else if (!equal(own.key, root.key)) {
    throw new CliError(
      'ROOT_KEY_DIFFERS',
      `${given} is another root key, ${shown(root)}, than ${join(folder, ROOT_PUBLIC)}, ${shown(own)}`,
      `only if the administrator told you by voice that it has changed, move ${ROOT_PUBLIC} out of the folder and run this again`,
    );
  }
  return root;
}

/** Where a keyring comes from, not read yet. */
type Source = { readonly name: string; readonly read: () => Promise<ServedKeyring>; readonly judge: typeof judgeServed };

/** The keyrings that a path stands for; those of a folder by rising serial. */
async function sourcesOf(path: string, root: PublicKey, io: Io): Promise<Source[]> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isFolder) return [inFile(path)];
  const keyrings = await keyringsIn(path, [root], io);
  if (keyrings.length > 0) return keyrings.map(({ keyring }) => inFile(join(path, keyringFileName(keyring.serial))));
  throw new CliError(
    'INPUT_FORMAT',
    `there is no keyring in ${path} that ${ROOT_PUBLIC} verifies`,
    'give the files that the administrator sent',
  );
}

function inFile(name: string): Source {
  const read = async (): Promise<ServedKeyring> => {
    const json = await readInput(name, 'the keyring');
    return { json, signature: await readInputText(`${name}.minisig`, "the keyring's signature") };
  };
  return { name, read, judge: judgeFile };
}

async function servedBy(relay: RelayAddress, io: Io): Promise<ServedKeyring> {
  const served = await fetchKeyring(relay, io);
  if (served === null) throw new CodedError('KEYRING_EXPIRED', 'the relay has no keyring that is valid now');
  return served;
}

type Outcome = { readonly exitCode: number; readonly shown: Record<string, unknown> };

/** One that is refused is named, and the others are taken. */
async function take({ name, read, judge }: Source, shelf: Shelf, io: Io): Promise<Outcome> {
  try {
    const served = await read();
    const { verified, isNew } = judge(served, shelf);
    if (isNew) await shelve(shelf, served, verified, io);
    const { serial, notBefore, notAfter } = verified.keyring;
    if (!isNew) io.err(`Keyring ${String(serial)} is in ${visibleLine(shelf.folder)} already.\n`);
    return { exitCode: EXIT.ok, shown: { file: name, serial, from: notBefore, until: notAfter, result: isNew ? 'new' : 'known' } };
  } catch (error) {
    if (!(error instanceof CodedError || error instanceof CliError)) throw error;
    const { line, code, exitCode } = describeFailure(error);
    io.err(`support-relay: ! ${visibleLine(name)} was not taken: ${line}\n`);
    return { exitCode, shown: { file: name, result: code } };
  }
}
