// `seal`: makes a request into a parcel without a browser.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { decrypt } from '../../crypto/age/age.ts';
import { openLetter } from '../../crypto/letter.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { PARCEL_BYTES, openSealed, parseParcel } from '../../crypto/parcel.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { TEAM, TOPIC, cli, identitiesOf, openOffice, temporaryDirectory, type Office } from '../support/cli.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
});
afterAll(() => dir.remove());

describe('seal', () => {
  const sealArguments = (...more: string[]): string[] => [
    'seal',
    '--keyring',
    office.keyring.file,
    '--root-key',
    office.rootPublicKey,
    ...more,
  ];

  test('text in, a stamped parcel out, which the worker and then the volunteer open', async () => {
    const { code, out, err } = await cli(sealArguments('--topic', TOPIC.id, '--contact', 'anna@example.org', '--difficulty', '12'), {
      stdin: 'Помогите\nмне\n',
    });
    expect(err).toContain('Keyring 1 is signed by the root key and valid until');
    expect(code).toBe(EXIT.ok);
    expect(out.length).toBe(PARCEL_BYTES);
    const parcel = parseParcel(out);
    expect(stampBits(parcel)).toBeGreaterThanOrEqual(12);
    const content = openSealed(parcel.sealed, await identitiesOf(office.worker));
    if (content.kind !== 'letter') throw new Error('not a letter');
    expect(content.team).toBe(TEAM.id);
    expect(openLetter(content.letter, await identitiesOf(office.identity))).toEqual({
      version: 1,
      kind: 'request',
      serial: 1,
      keyring: office.keyring.digest,
      topic: TOPIC.id,
      language: 'ru',
      message: 'Помогите\nмне',
      contact: 'anna@example.org',
    });
    expect(decrypt(content.letter, await identitiesOf(office.identity)).length).toBe(10_240);
  });

  test('without a topic the letter names none, like the form’s', async () => {
    const { code, out } = await cli(sealArguments(), { stdin: 'text' });
    expect(code).toBe(EXIT.ok);
    const content = openSealed(parseParcel(out).sealed, await identitiesOf(office.worker));
    if (content.kind !== 'letter') throw new Error('not a letter');
    expect(openLetter(content.letter, await identitiesOf(office.identity))).not.toHaveProperty('topic');
  });

  test('--text writes text for pasting, even to the screen', async () => {
    const { code, text } = await cli(sealArguments('--text'), { stdin: 'text', terminal: { answers: [] } });
    expect(code).toBe(EXIT.ok);
    expect(parseParcel(decodeParcelText(text.trimEnd())).serial).toBe(1);
  });

  test('--json says where the parcel is, and requires --out', async () => {
    const file = dir.path('sealed.parcel');
    const { code, text } = await cli(sealArguments('--out', file, '--difficulty', '9', '--json'), { stdin: 'text' });
    expect([code, JSON.parse(text)]).toEqual([EXIT.ok, { file, serial: 1, notAfter: office.keyring.keyring.notAfter, difficulty: 9 }]);
    expect(parseParcel(await readFile(file)).serial).toBe(1);
    expect(await cli(sealArguments('--json'), { stdin: 'text' })).toMatchObject({
      code: EXIT.usage,
      text: '',
      err: expect.stringContaining('--json needs --out'),
    });
  });

  test('a text that is too long is refused with the number of bytes', async () => {
    const fits = await cli(sealArguments(), { stdin: 'я'.repeat(3_600) });
    expect(fits.code).toBe(EXIT.ok);
    const { code, err, out } = await cli(sealArguments(), { stdin: 'я'.repeat(5_000) });
    expect(code).toBe(EXIT.input);
    expect(err).toMatch(/the request is 2\d\d\d bytes too long; shorten the text .*\(LETTER_TOO_LONG\)/);
    expect(out.length).toBe(0);
  });

  test.each([
    ['nothing', '\n', 'INPUT_EMPTY'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe]), 'INPUT_FORMAT'],
    ['a novel', 'x'.repeat(2 * 1024 * 1024), 'INPUT_TOO_LARGE'],
  ])('%s on standard input is refused', async (_what, stdin, code) => {
    const result = await cli(sealArguments(), { stdin });
    expect(result.err).toContain(`(${code})`);
    expect(result).toMatchObject({ code: EXIT.input, text: '' });
  });

  test('an unknown topic names the known ones', async () => {
    const { code, err } = await cli(sealArguments('--topic', 'weather'), { stdin: 'text' });
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('there are: psychological');
  });

  test.each([
    ['2000-01-01T00:00:00Z', 'KEYRING_NOT_YET_VALID'],
    ['2100-01-01T00:00:00Z', 'KEYRING_EXPIRED'],
  ])('at %s the keyring is refused as %s', async (now, code) => {
    const result = await cli(sealArguments(), { stdin: 'text', now: new Date(now) });
    expect(result.err).toContain(`(${code})`);
    expect(result).toMatchObject({ code: EXIT.notAuthentic, text: '' });
  });

  test('a parcel does not go to the screen, but to a file', async () => {
    const refused = await cli(sealArguments(), { stdin: 'text', terminal: { answers: [] } });
    expect(refused.code).toBe(EXIT.usage);
    expect(refused.err).toContain('(OUTPUT_TERMINAL)');
    const file = dir.path('parcel');
    const written = await cli(sealArguments('--out', file), { stdin: 'text', terminal: { answers: [] } });
    expect(written).toMatchObject({ code: EXIT.ok, text: '' });
    expect((await readFile(file)).length).toBe(PARCEL_BYTES);
  });
});
