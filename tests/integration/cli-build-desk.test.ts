import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stop } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { createKeyring } from '../../cli/keys/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import { deskNames } from '../../web/build/single-file.ts';
import { cli, openOffice, temporaryDirectory, writeTo, type CliInput, type CliResult, type Office } from '../support/cli.ts';

const NEXT_WEEK = { now: new Date(Date.now() + 8 * 86_400_000) };

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let [office, other]: Office[] = [];
/** What came of building the desk in `one`. */
let built: CliResult;
const offices = () => ({ office: office as Office, other: other as Office });
beforeAll(async () => {
  dir = await temporaryDirectory();
  [office, other] = [
    await openOffice((...parts) => dir.path('office', ...parts)),
    await openOffice((...parts) => dir.path('other', ...parts)),
  ];
  built = await buildDesk('one');
});
afterAll(async () => {
  await stop();
  await dir.remove();
});

function buildDesk(
  out: string,
  {
    rootKey = offices().office.rootPublicKey,
    keyring = offices().office.keyring.file,
    ...input
  }: CliInput & { rootKey?: string; keyring?: string } = {},
): Promise<CliResult> {
  return cli(['admin', 'build-desk', '--root-key', rootKey, '--keyring', keyring, '--out', dir.path(out)], input);
}

describe('admin build-desk', () => {
  test('writes one page per language, with the same bytes wherever it is built', async () => {
    const names = deskNames();
    expect(names.slice(0, 2)).toEqual(['desk-ru.html', 'desk-en.html']);
    const second = await buildDesk('another/folder');
    expect(built).toMatchObject({ code: EXIT.ok, err: '', text: names.map((name) => `${dir.path('one', name)}\n`).join('') });
    expect(second.code).toBe(EXIT.ok);
    for (const name of names) {
      const page = await readFile(dir.path('one', name));
      expect(page.equals(await readFile(dir.path('another/folder', name))), name).toBe(true);
      expect(page.includes(dir.path())).toBe(false);
    }
    expect((await readdir(dir.path('one'))).sort()).toEqual(names.toSorted());
  });

  test('takes the keyrings of a folder as those of its files', async () => {
    const { code, err } = await buildDesk('of-a-folder', { keyring: dirname(offices().office.keyring.file) });
    expect(code, err).toBe(EXIT.ok);
    for (const name of deskNames())
      expect((await readFile(dir.path('one', name))).equals(await readFile(dir.path('of-a-folder', name))), name).toBe(true);
  });

  test('never overwrites a desk, and leaves existing files untouched', async () => {
    const before = await readFile(dir.path('one', 'desk-en.html'));
    const { code, err } = await buildDesk('one');
    expect(code).toBe(EXIT.output);
    expect(err).toMatch(/already exists; choose another place or move .* away first; nothing was written \(OUTPUT_EXISTS\)/);
    expect(before.equals(await readFile(dir.path('one', 'desk-en.html')))).toBe(true);
  });

  test.each<[string, string, number, () => Promise<CliResult>]>([
    [
      'a root key that did not sign the keyring',
      'do not use the file (MINISIGN_KEY)',
      EXIT.notAuthentic,
      () => buildDesk('none', { rootKey: offices().other.rootPublicKey }),
    ],
    [
      'a keyring that was changed after it was signed',
      'do not use the file; tell the administrator (MINISIGN_SIGNATURE)',
      EXIT.notAuthentic,
      async () => {
        const { file, signatureFile } = offices().office.keyring;
        const keyring = await writeTo(dir.path('changed.json'), (await readFile(file, 'utf8')).replace('Психологи', 'Психологи '));
        await writeTo(`${keyring}.minisig`, await readFile(signatureFile));
        return buildDesk('none', { keyring });
      },
    ],
    [
      'a keyring without its signature',
      'check the name and the permissions (INPUT_MISSING)',
      EXIT.input,
      async () => buildDesk('none', { keyring: await writeTo(dir.path('bare.json'), await readFile(offices().office.keyring.file)) }),
    ],
    [
      'the secret root key',
      'it is the secret half, which stays offline; give the public half, root.pub, that the administrator gave you (INPUT_FORMAT)',
      EXIT.input,
      () => buildDesk('none', { rootKey: offices().office.rootKey }),
    ],
    [
      'keyrings that are over',
      "get this week's keyring from the administrator (KEYRING_EXPIRED)",
      EXIT.notAuthentic,
      () => buildDesk('none', NEXT_WEEK),
    ],
    [
      'a place that is no folder',
      'check the directory and its permissions (OUTPUT_FAILED)',
      EXIT.output,
      async () => {
        await writeTo(dir.path('file'), '');
        return buildDesk('file/none');
      },
    ],
  ])('refuses %s, says what to do, and writes nothing', async (_what, advice, exit, attempt) => {
    const { code, err, text } = await attempt();
    expect(err).toContain(advice);
    expect(code).toBe(exit);
    expect(text).toBe('');
    await expect(readdir(dir.path('none'))).rejects.toThrow('ENOENT');
  });

  test('accepts an expired keyring beside a current one, so that its letters can be read', async () => {
    const { rootKey, rootPublicKey, keyring } = offices().office;
    const signingKey = await readRootKey(rootKey, () => Promise.reject(new Error('not protected')));
    const { worker, teams } = keyring.keyring;
    const plan = { serial: 2, from: NEXT_WEEK.now, days: 7, worker, teams, previous: keyring };
    await createKeyring(plan, signingKey, dir.path('next'));
    const { code, err } = await cli(
      [
        'admin',
        'build-desk',
        '--root-key',
        rootPublicKey,
        '--keyring',
        keyring.file,
        '--keyring',
        dir.path('next', 'keyring-2.json'),
        '--out',
        dir.path('both'),
      ],
      NEXT_WEEK,
    );
    expect(code, err).toBe(EXIT.ok);
  });

  test.each(['root-key', 'keyring', 'out'])('needs --%s', async (option) => {
    const all = ['root-key', 'keyring', 'out'].filter((each) => each !== option).flatMap((each) => [`--${each}`, 'x']);
    const { code, err } = await cli(['admin', 'build-desk', ...all]);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(`--${option} is missing`);
  });
});
