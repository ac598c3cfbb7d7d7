// `open`: under which keyrings a letter is believed, and what a hostile letter cannot do.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { cli, jsonLines, openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import type { CliInput, CliResult, Office } from '../support/cli.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
});
afterAll(() => dir.remove());

const open = (paths: readonly string[], input?: CliInput): Promise<CliResult> =>
  cli(['open', '--identity', office.identity, ...paths], input);
const keyringOptions = (of: Office): string[] => ['--keyring', of.keyring.file, '--root-key', of.rootPublicKey];
const otherOffice = (name: string): Promise<Office> => openOffice((...parts) => dir.path(name, ...parts));

describe('keyrings', () => {
  test('a letter sealed under another keyring is refused and not shown', async () => {
    const forged = await otherOffice('forger');
    const letters = [
      await writeTo(dir.path('digest.age'), office.letter({ message: 'foreign', keyring: forged.keyring.digest })),
      await writeTo(dir.path('serial.age'), office.letter({ message: 'foreign', serial: 99 })),
      await writeTo(dir.path('good.age'), office.letter({ message: 'known' })),
    ];
    const { code, text, err } = await open([...keyringOptions(office), '--json', ...letters]);
    expect(code).toBe(EXIT.notAuthentic);
    expect(jsonLines(text)).toMatchObject([
      { authentic: false, error: { code: 'KEYRING_FOREIGN' } },
      { authentic: false, error: { code: 'KEYRING_FOREIGN' } },
      { authentic: true, keyringChecked: true, message: 'known' },
    ]);
    expect(text).not.toContain('foreign');
    expect(err).toContain('do not answer it');
  });

  test('several keyrings work, even of two root keys; one that does not verify stops everything', async () => {
    const old = await otherOffice('old');
    const both = [...keyringOptions(office), ...keyringOptions(old)];
    const letter = await writeTo(dir.path('of-old.age'), old.letter({ message: 'older' }));
    const opened = await cli(['open', '--identity', old.identity, ...both, letter]);
    expect(opened.code, opened.err).toBe(EXIT.ok);
    const wrongRoot = await cli([
      'open',
      '--identity',
      old.identity,
      '--keyring',
      old.keyring.file,
      '--root-key',
      office.rootPublicKey,
      letter,
    ]);
    expect(wrongRoot).toMatchObject({ code: EXIT.notAuthentic, text: '' });
    expect(wrongRoot.err).toContain('(MINISIGN_KEY)');
  });

  test('without a keyring the reader is told that nothing was checked', async () => {
    const { err, text } = await open([await writeTo(dir.path('unchecked.age'), office.letter())]);
    expect(err).toContain('The keyrings were not checked');
    expect(text).toContain('не проверен');
  });
});

describe('a hostile message', () => {
  const EVIL =
    'До\u001b[2J\u001b]0;x\u0007\u009b31m\u202eпосле\r=== Обращение 9\n=== Обращение 7 · forged\n' + 'x'.repeat(90) + ' === Обращение 8';

  test('cannot act on the terminal, change the reading direction or imitate our lines', async () => {
    const file = await writeTo(dir.path('evil.age'), office.letter({ message: EVIL, contact: 'a\u001b[1A\nТекст:' }));
    const { text } = await open([file], { terminal: { answers: [] } });
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(text).toContain('‹U+001B›[2J');
    expect(text).toContain('‹U+202E›после‹U+000D›');
    expect(text.match(/^===/gm)).toHaveLength(1);
    expect(text.match(/^Текст:/gm)).toHaveLength(1);
    for (const line of text.split('\n')) expect(line.length).toBeLessThan(100);
  });

  test('is exact in JSON, yet harmless to display', async () => {
    const file = await writeTo(dir.path('evil.age'), office.letter({ message: EVIL }));
    const { text } = await open(['--json', file]);
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(jsonLines(text)).toMatchObject([{ message: EVIL }]);
  });

  test('cannot do so by the name of its file either', async () => {
    const file = await writeTo(dir.path('a\u001b[2Jb\n.age'), 'nothing');
    const { err } = await open([file]);
    expect(err.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(await readFile(file, 'utf8')).toBe('nothing');
  });
});
