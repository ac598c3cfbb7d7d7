// What must never be believed, and the code by which each of those who can know it refuses it: a page, volunteers' tools, relay
// and worker, and the administrator.
import { cp, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { WEEK_MS, weekStart } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import { keyringDigest, type Keyring } from '../../crypto/keyring.ts';
import { generateKeyPair, sign, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { PageKeyring } from '../../web/page/page-keyring.ts';
import { AdminFolder, makeCard } from '../support/admin-folder.ts';
import { cli, temporaryDirectory, writeTo } from '../support/cli.ts';

const SIGNED = new Date('2026-12-02T08:00:00Z');
/** Two hours later: an hour is given to clocks that differ. */
const NOW = new Date('2026-12-02T10:00:00Z');
const LATER = '2026-12-14T00:00:00Z';
/** The serial of the keyring that all of them hold, and that counts now. */
const HELD = 6;

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let administrator: AdminFolder;
let root: SigningKey;
let held: { keyring: Keyring; json: Uint8Array; signature: string };
let count = 0;

beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  administrator = new AdminFolder(dir.path, 'admin', SIGNED);
  await administrator.furnish(1);
  await administrator.done('season', '--weeks', '1', '--yes');
  await administrator.done('season', '--again', '--above', String(HELD - 1), '--yes');
  root = await readRootKey(join(administrator.dir, 'root.key'), () => Promise.reject(new Error('it has no passphrase')));
  const file = keyringFile(HELD);
  const json = await readFile(file);
  held = { keyring: JSON.parse(json.toString()) as Keyring, json, signature: await readFile(`${file}.minisig`, 'utf8') };
  await writeTo(dir.path('passphrase'), 'correct horse\n');
  const keys = ['volunteer', 'keys', '--keys', dir.path('keys'), '--passphrase-file', dir.path('passphrase')];
  expect((await cli(keys, { now: NOW, logN: 12 })).code).toBe(0);
  const first = ['--keys', dir.path('keys'), '--root-key', join(administrator.dir, 'root.pub')];
  expect((await cli(['volunteer', 'keyring', ...first, file], { now: NOW })).code).toBe(0);
});
afterAll(() => dir.remove());

const keyringFile = (serial: number): string => join(administrator.dir, 'keyrings', `keyring-${String(serial)}.json`);

type Offered = { json: Uint8Array; signature: string };

/** A keyring as the root key would sign it, whatever it says. By default it would follow on the one that is held. */
function offered(change: object, by: SigningKey = root): Offered {
  const follows = { ...held.keyring, serial: HELD + 1, previous: keyringDigest(held.json) };
  const json = utf8(`${JSON.stringify({ ...follows, ...change })}\n`);
  return { json, signature: sign(json, by, 'a keyring') };
}

const ofTeam = (change: object): object => ({ teams: [{ ...held.keyring.teams[0], ...change }] });
const recipients = (number: number): string[] => Array.from({ length: number }, () => identityToRecipient(generateIdentity()));

/** Another keyring of the serial that is held. Of two the one with the lower digest counts: this is the other one. */
function twin(): Offered {
  for (let at = 0; ; at += 1) {
    const made = offered({ serial: HELD, previous: held.keyring.previous, answerTime: { en: String(at) } });
    if (keyringDigest(made.json) > keyringDigest(held.json)) return made;
  }
}

function changed(): Offered {
  const { json, signature } = offered({});
  return { json: utf8(new TextDecoder().decode(json).replace('psychological', 'psychologicaL')), signature };
}

/** A key with the root key's id, which anybody can give theirs. */
const namesake = (): SigningKey => ({ ...generateKeyPair(), id: root.id });

/** Writes it with its signature, as somebody saves both. */
async function saved({ json, signature }: Offered, name?: string): Promise<string> {
  count += 1;
  await mkdir(dir.path(`saved-${String(count)}`));
  const file = dir.path(`saved-${String(count)}`, name ?? 'keyring.json');
  await writeTo(`${file}.minisig`, signature);
  return writeTo(file, json);
}

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'taken';
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

/** The code with which a command ended. */
async function endOf(argv: readonly string[], stdin = ''): Promise<string> {
  const { code, err } = await cli(argv, { now: NOW, stdin });
  return code === 0 ? 'taken' : (/\(([A-Z_]+)\)\n$/.exec(err)?.[1] ?? err);
}

/** What a page says that has the form's root key and nothing else. */
const freshPage = (given: Offered): Promise<string> => codeOf(() => new PageKeyring(root, 1).take(given.json, given.signature, NOW));

/** A page that was open when the keyring that is held was taken. */
const openPage = (given: Offered): Promise<string> =>
  codeOf(() => {
    const page = new PageKeyring(root, 1);
    page.take(held.json, held.signature, NOW);
    page.take(given.json, given.signature, NOW);
  });

/** `volunteer keyring`, with the folder of keys that has the one that is held. */
async function volunteer(given: Offered): Promise<string> {
  count += 1;
  const keys = dir.path(`keys-${String(count)}`);
  await cp(dir.path('keys'), keys, { recursive: true });
  return endOf(['volunteer', 'keyring', '--keys', keys, await saved(given)]);
}

/** `seal`, which needs a keyring that is valid now. */
async function sealer(given: Offered): Promise<string> {
  const rootKey = join(administrator.dir, 'root.pub');
  return endOf(['seal', '--keyring', await saved(given), '--root-key', rootKey, '--out', dir.path(`parcel-${String(count)}`)], 'help');
}

/** The folder of a relay or a worker: the code for the file, and the serial that is current with it. */
async function shelf(given: Offered): Promise<string> {
  const file = await saved(given, 'keyring-new.json');
  const directory = join(file, '..');
  for (const end of ['', '.minisig']) await cp(`${keyringFile(HELD)}${end}`, join(directory, `keyring-${String(HELD)}.json${end}`));
  const keyrings = new KeyringShelf({ directory, rootKeyFile: join(administrator.dir, 'root.pub'), now: () => NOW });
  await keyrings.load();
  const code = keyrings.passedOver.find((each) => each.file === basename(file))?.code ?? 'taken';
  return `${code}, ${String(keyrings.current()?.serial ?? 'none')} is current`;
}

/** `admin take`, in a copy of the folder that signed the one that is held. */
async function admin(given: Offered): Promise<string> {
  count += 1;
  const folder = dir.path(`admin-${String(count)}`);
  await cp(administrator.dir, folder, { recursive: true });
  return endOf(['admin', 'take', '--folder', folder, await saved(given)]);
}

/** What each says. `fresh`: a page without a memory. `current`: the serial that relay and worker go on with; the held one if left out. */
type Refusal = { fresh: string; page: string; volunteer: string; sealer: string; files: string; admin: string; current?: string };
const everywhere = (code: string): Refusal => ({ ...{ fresh: code, page: code, volunteer: code, sealer: code, files: code, admin: code } });

const taken = everywhere('taken');
/** Who has no other to compare with takes it. */
const byMemory = (code: string): Refusal => ({ ...everywhere(code), fresh: 'taken', sealer: 'taken' });
const cases: [string, () => Offered, Refusal][] = [
  ['one that follows', () => offered({}), { ...taken, current: '7' }],
  // In a folder an older one is as good as any: it covers the weeks before, and never counts again.
  ['an older one', () => offered({ serial: 4 }), { ...byMemory('KEYRING_OLD'), files: 'taken' }],
  ['another of the same serial', twin, byMemory('KEYRING_TWICE')],
  ['a wrong chain', () => offered({ previous: 'ab'.repeat(32) }), byMemory('KEYRING_CHAIN')],
  ['another root', () => offered({}, generateKeyPair()), everywhere('MINISIGN_KEY')],
  ['another root with the same id', () => offered({}, namesake()), everywhere('MINISIGN_SIGNATURE')],
  ['one that was changed', changed, everywhere('MINISIGN_SIGNATURE')],
  [
    'one that has ended',
    () => offered({ notBefore: '2026-11-30T00:00:00Z', notAfter: '2026-12-01T00:00:00Z' }),
    // Letters of its week are still opened by it. It has begun with the highest serial: so nothing counts until there is another.
    { ...taken, fresh: 'KEYRING_EXPIRED', page: 'KEYRING_EXPIRED', sealer: 'KEYRING_EXPIRED', current: 'none' },
  ],
  [
    'one of a coming week',
    () => offered({ notBefore: '2026-12-07T00:00:00Z', notAfter: LATER }),
    // It lies there, and does not count before its time.
    { ...taken, fresh: 'KEYRING_NOT_YET_VALID', page: 'KEYRING_NOT_YET_VALID', sealer: 'KEYRING_NOT_YET_VALID' },
  ],
  ['nine recipients', () => offered(ofTeam({ recipients: recipients(9) })), everywhere('KEYRING_CROWDED')],
  [
    'a recipient twice',
    () => offered(ofTeam({ recipients: recipients(1).flatMap((each) => [each, each]) })),
    everywhere('KEYRING_RECIPIENTS'),
  ],
  ['a team without a signer', () => offered(ofTeam({ signers: [] })), everywhere('KEYRING_SIGNERS')],
  ['a malformed one', () => offered({ serial: '7' }), everywhere('KEYRING_FORMAT')],
];

describe('a keyring', () => {
  test.each(cases)('%s', async (_what, make, { current = String(HELD), files, ...expected }) => {
    const given = make();
    const said = {
      fresh: await freshPage(given),
      page: await openPage(given),
      volunteer: await volunteer(given),
      sealer: await sealer(given),
      admin: await admin(given),
    };
    expect(said).toEqual(expected);
    expect(await shelf(given)).toBe(`${files}, ${current} is current`);
  });

  test('nobody signs one that all would refuse: of nine there is no room for the ninth', async () => {
    const folder = new AdminFolder(dir.path, 'crowded', NOW);
    await folder.furnish(1);
    for (let nth = 2; nth <= 8; nth += 1) {
      await folder.done('add', await folder.card('volunteer', { weeks: 1 }), '--team', 'psych', '--alias', `V${String(nth)}`, '--yes');
    }
    const ninth = await folder.run(['add', await folder.card('volunteer', { weeks: 1 }), '--team', 'psych', '--alias', 'V9', '--yes']);
    expect(ninth.err).toContain('(TEAM_FULL)');
  });
});

describe('a card', () => {
  const signer = generateKeyPair;
  const maple = signer();
  const begin = weekStart(NOW.getTime());
  const from = (week: number): Date => new Date(begin + week * WEEK_MS);
  type Weeks = { weeks: { notBefore: string; notAfter: string }[] };

  /** A card whose last line somebody changed, and signed again with a key. */
  async function resigned(change: (card: Weeks) => void, inner: SigningKey, by = inner): Promise<string> {
    const lines = (await makeCard('volunteer', { from: NOW, weeks: 4, signer: inner })).trimEnd().split('\n');
    const card = JSON.parse(lines.at(-1) ?? '') as Weeks;
    change(card);
    const json = `${JSON.stringify(card)}\n`;
    count += 1;
    return writeTo(dir.path(`${String(count)}.card`), sign(utf8(json), by, 'a card') + json);
  }

  const cardWith = async (wish: Parameters<typeof makeCard>[1]): Promise<string> => {
    count += 1;
    return writeTo(dir.path(`${String(count)}.card`), await makeCard('volunteer', wish));
  };

  test.each<[string, string, () => Promise<string>]>([
    ['signed by another signer than it names', 'MINISIGN_KEY', () => resigned(() => undefined, signer(), signer())],
    ['signed by another key with the same id', 'MINISIGN_SIGNATURE', () => resigned(() => undefined, maple, { ...signer(), id: maple.id })],
    ['with a missing week', 'CARD_WEEKS', () => resigned(({ weeks }) => weeks.splice(1, 1), signer())],
    [
      'with a week that overlaps the one before',
      'CARD_WEEKS',
      () =>
        resigned(({ weeks: [, second] }) => {
          if (second !== undefined) second.notBefore = '2026-12-06T00:00:00Z';
        }, signer()),
    ],
    ['that is none', 'CARD_FORMAT', async () => writeTo(dir.path('none.card'), 'hello\n')],
  ])('%s is refused by whoever looks at it and by the administrator', async (_what, code, make) => {
    const file = await make();
    expect(await endOf(['show', file])).toBe(code);
    expect(await endOf(['admin', 'add', file, '--folder', administrator.dir, '--team', 'psych', '--alias', 'New', '--yes'])).toBe(code);
  });

  test('of somebody who is known: by another signer, over weeks of the former card, or with a gap after it', async () => {
    const folder = new AdminFolder(dir.path, 'known', NOW);
    const known = await folder.furnish(4);
    const add = async (file: string, ...more: string[]): Promise<string> =>
      endOf(['admin', 'add', file, '--folder', folder.dir, '--yes', ...more]);
    expect(await add(await cardWith({ from: from(4), signer: signer() }), '--team', 'psych', '--alias', 'Maple')).toBe('CARD_SIGNER');
    expect(await add(await cardWith({ from: from(3), signer: known }))).toBe('CARD_OVERLAP');
    expect(await add(await cardWith({ from: from(5), signer: known }))).toBe('CARD_GAP');
    expect(await add(await cardWith({ from: from(4), signer: known }))).toBe('taken');
  });
});
