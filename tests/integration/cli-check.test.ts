// `admin check`: what a keyring says, and whether its signature holds.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { cli, openOffice, temporaryDirectory } from '../support/cli.ts';
import type { Office } from '../support/cli.ts';

const runFile = promisify(execFile);
const SIGNER = '1f'.repeat(32);
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;

beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path, { serial: 12, from: new Date('2026-03-16T00:00:00Z'), signers: [SIGNER] });
});
afterAll(() => dir.remove());

describe('admin check', () => {
  test('shows what two people compare, and whether it is valid; minisign verifies the same file', async () => {
    const { file } = office.keyring;
    await runFile('minisign', ['-V', '-p', office.rootPublicKey, '-m', file]);
    const check = (now: string) => cli(['admin', 'check', file, '--root-key', office.rootPublicKey], { now: new Date(now) });
    const early = await check('2026-03-15T00:00:00Z');
    expect(early.code).toBe(EXIT.ok);
    expect(early.text).toContain('Keyring 12');
    expect(early.text).toContain('NOT YET VALID');
    expect(early.text).toContain('until       2026-03-23T00:00:00Z (7 days)');
    expect(early.text).toContain('Психологи (ru), Psychologists (en)');
    expect(early.text).toContain(`recipients  1\n                ${fingerprint(office.recipient)}\n`);
    expect(early.text).toContain(`signers     1\n                ${fingerprint(SIGNER)}\n`);
    expect((await check('2026-03-17T00:00:00Z')).text).toContain('valid now');
    expect(await check('2026-03-23T00:00:00Z')).toMatchObject({ code: EXIT.notAuthentic });
  });

  test.each([
    ['a changed keyring', (json: string) => json.replace('Психологи', 'Психiатры'), 'MINISIGN_SIGNATURE'],
    ['no keyring at all', () => '', 'MINISIGN_SIGNATURE'],
  ])('refuses %s', async (_what, change, code) => {
    const file = dir.path('changed.json');
    await writeFile(file, change(await readFile(office.keyring.file, 'utf8')));
    await writeFile(`${file}.minisig`, await readFile(office.keyring.signatureFile));
    const result = await cli(['admin', 'check', file, '--root-key', office.rootPublicKey]);
    expect(result).toMatchObject({ code: EXIT.notAuthentic, text: '' });
    expect(result.err).toContain(`(${code})`);
  });

  test('says which file is missing', async () => {
    const { code, err } = await cli(['admin', 'check', dir.path('nowhere.json'), '--root-key', office.rootPublicKey]);
    expect(code).toBe(EXIT.input);
    expect(err).toMatch(/cannot read the keyring .*nowhere\.json: it does not exist; .*\(INPUT_MISSING\)/);
  });
});
