// `admin keyring` and `admin check`.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { bech32 } from '@scure/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { PUBLIC_KEY_BYTES } from '../../crypto/age/identity.ts';
import { NOBODY, TEAM, TOPIC, cli, openOffice, temporaryDirectory, writeTo } from '../support/cli.ts';
import type { Office } from '../support/cli.ts';

const runFile = promisify(execFile);
/** Well-formed as a recipient, but with coefficients outside the range of ML-KEM. */
const UNUSABLE = bech32.encode('age1pq', bech32.toWords(new Uint8Array(PUBLIC_KEY_BYTES).fill(0xff)), false);
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let office: Office;
let teams: string;
let worker: string;

beforeAll(async () => {
  dir = await temporaryDirectory();
  office = await openOffice(dir.path);
  teams = await writeTo(
    dir.path('teams.json'),
    JSON.stringify([{ ...TEAM, topics: [TOPIC], recipients: [office.recipient], signers: [NOBODY] }]),
  );
  worker = await writeTo(dir.path('worker.pub'), `${office.keyring.keyring.worker}\n`);
});
afterAll(() => dir.remove());

const keyringArguments = (serial: number, ...more: string[]): string[] => [
  ...['admin', 'keyring', '--root-key', office.rootKey, '--teams', teams, '--worker', worker],
  ...['--serial', String(serial), '--out', dir.path('made'), ...more],
];

describe('admin keyring', () => {
  test('makes a keyring that minisign and admin check verify, and shows what is in it', async () => {
    const made = await cli(keyringArguments(12, '--from', '2026-03-16'), { now: new Date('2026-03-15T10:00:00Z') });
    expect(made.err).toContain('keyring-12.json.minisig');
    expect(made.code).toBe(EXIT.ok);
    expect(made.text).toContain('Keyring 12');
    expect(made.text).toContain('NOT YET VALID');
    expect(made.text).toContain('until       2026-03-23T00:00:00Z (7 days)');
    expect(made.text).toContain('Психологи (ru), Psychologists (en)');
    expect(made.text).toContain('recipients  1');
    expect(made.text).toContain(fingerprint(office.recipient));

    const file = dir.path('made', 'keyring-12.json');
    await runFile('minisign', ['-V', '-p', office.rootPublicKey, '-m', file]);
    const check = (now: string) => cli(['admin', 'check', file, '--root-key', office.rootPublicKey], { now: new Date(now) });
    expect(await check('2026-03-15T00:00:00Z')).toMatchObject({ code: EXIT.ok, text: made.text });
    expect((await check('2026-03-17T00:00:00Z')).text).toContain('valid now');
    expect(await check('2026-03-23T00:00:00Z')).toMatchObject({ code: EXIT.notAuthentic });
  });

  test('chains to the previous one, whose serial must be lower', async () => {
    const previous = office.keyring;
    const refused = await cli(keyringArguments(1, '--previous', previous.file));
    expect(refused.code).toBe(EXIT.input);
    expect(refused.err).toContain("serial 1 is not above the previous keyring's 1; take --serial 2 or more (SERIAL_NOT_RISING)");
    const made = await cli(keyringArguments(2, '--previous', previous.file, '--json'));
    expect(JSON.parse(made.text)).toMatchObject({ serial: 2, previous: previous.digest, validity: 'valid' });
  });

  test('takes the next serial and the next week by default; says when it makes a later keyring void', async () => {
    const [flag, , ...others] = keyringArguments(0).slice(keyringArguments(0).indexOf('--serial'));
    const without = [...keyringArguments(0).slice(0, keyringArguments(0).indexOf(flag ?? '')), ...others];
    const { text, err, code } = await cli([
      ...without,
      '--days',
      '5',
      '--previous',
      office.keyring.file,
      '--json',
      '--out',
      dir.path('next'),
    ]);
    expect(code, err).toBe(EXIT.ok);
    const next = JSON.parse(text) as { serial: number; notBefore: string; file: string };
    expect(next).toMatchObject({ serial: 2, notBefore: office.keyring.keyring.notAfter });
    expect(err).not.toContain('no longer counts');
    const revoking = await cli([...keyringArguments(3, '--days', '3', '--previous', next.file), '--out', dir.path('next')]);
    expect([revoking.code, revoking.err]).toEqual([
      EXIT.ok,
      expect.stringMatching(/Keyring 2 \(.* to .*\) no longer counts once this one is in place: sign its time again with serial 4\./),
    ]);
  });

  test('refuses a previous keyring of another root key', async () => {
    const stranger = await openOffice((...parts) => dir.path('stranger', ...parts));
    const { code, err } = await cli(keyringArguments(5, '--previous', stranger.keyring.file));
    expect(code).toBe(EXIT.notAuthentic);
    expect(err).toContain('(MINISIGN_KEY)');
  });

  test('never overwrites', async () => {
    await cli(keyringArguments(30));
    const before = await readFile(dir.path('made', 'keyring-30.json'));
    expect((await cli(keyringArguments(30))).code).toBe(EXIT.output);
    expect(await readFile(dir.path('made', 'keyring-30.json'))).toEqual(before);
  });

  test.each([
    ['no JSON', '[{', 'is not JSON'],
    ['no team', '[]', 'teams: there must be at least one team'],
    ['no id', JSON.stringify([{ names: TEAM.names, topics: [TOPIC], recipients: ['R'], signers: [NOBODY] }]), 'team 1, id: it is missing'],
    [
      'a cut recipient',
      JSON.stringify([{ ...TEAM, topics: [TOPIC], recipients: ['age1pq1abc'], signers: [NOBODY] }]),
      'team 1, recipients 1: it is not a whole recipient',
    ],
    [
      'a recipient that nothing can be sealed to',
      JSON.stringify([{ ...TEAM, topics: [TOPIC], recipients: [UNUSABLE], signers: [NOBODY] }]),
      'team 1, recipients 1: nothing can be sealed to it',
    ],
    [
      'a topic twice',
      JSON.stringify([{ ...TEAM, topics: [TOPIC, TOPIC], recipients: ['R'], signers: [NOBODY] }]),
      'team 1, topics: the same topic is there twice',
    ],
    [
      'a person’s name',
      JSON.stringify([{ ...TEAM, topics: [TOPIC], recipients: ['R'], signers: [NOBODY], person: 'Анна' }]),
      'team 1: Unrecognized key: "person"',
    ],
    [
      'no topic',
      JSON.stringify([{ ...TEAM, topics: [], recipients: ['R'], signers: [NOBODY] }]),
      'team 1, topics: a team takes at least one topic',
    ],
    [
      'nine recipients',
      JSON.stringify([{ ...TEAM, topics: [TOPIC], recipients: Array(9).fill('R'), signers: [NOBODY] }]),
      'team 1, recipients: a team has at most 8 recipients',
    ],
    [
      'one twice',
      JSON.stringify([{ ...TEAM, topics: [TOPIC], recipients: ['R', 'R'], signers: [NOBODY] }]),
      'the same recipient is there twice',
    ],
    [
      'two teams of one id',
      JSON.stringify([0, 1].map(() => ({ ...TEAM, topics: [TOPIC], recipients: ['R'], signers: [NOBODY] }))),
      'two teams have the same id',
    ],
  ])('a teams file with %s is refused in plain words', async (_what, content, message) => {
    const file = await writeTo(dir.path('bad.json'), content.replaceAll('"R"', JSON.stringify(office.recipient)));
    const { code, err } = await cli(keyringArguments(50, '--teams', file));
    expect(err).toContain(message);
    expect(err).toContain('(TEAMS_FORMAT)');
    expect(code).toBe(EXIT.input);
  });

  test('takes the answer time along with the teams', async () => {
    const answerTime = { ru: 'два-три дня', en: 'two or three days' };
    const file = await writeTo(
      dir.path('answers.json'),
      JSON.stringify({ answerTime, teams: JSON.parse(await readFile(teams, 'utf8')) as unknown }),
    );
    const { code, text } = await cli(keyringArguments(60, '--teams', file));
    expect(code).toBe(EXIT.ok);
    expect(text).toContain('answers     два-три дня (ru), two or three days (en)');
  });
});

describe('signers', () => {
  const [one, two] = ['1f'.repeat(32), '2e'.repeat(32)];
  const teamsWith = (signers: readonly string[] | undefined): Promise<string> =>
    writeTo(
      dir.path('signed.json'),
      JSON.stringify([{ ...TEAM, topics: [TOPIC], recipients: [office.recipient], ...(signers === undefined ? {} : { signers }) }]),
    );

  test('are shown by fingerprint, and a revoked one is named', async () => {
    const first = await cli(keyringArguments(70, '--teams', await teamsWith([one, two])));
    expect(first.code, first.err).toBe(EXIT.ok);
    expect(first.text).toContain(`    signers     2\n                ${fingerprint(one)}\n                ${fingerprint(two)}\n`);
    expect(first.err).not.toContain('revoked');
    const previous = dir.path('made', 'keyring-70.json');
    const second = await cli(keyringArguments(71, '--teams', await teamsWith([two]), '--previous', previous, '--json'));
    expect(JSON.parse(second.text)).toMatchObject({ teams: [{ signers: [fingerprint(two)] }] });
    expect(second.err).toContain(`Signer ${fingerprint(one)} of keyring 70 is missing: revoked.`);
    expect(second.err).not.toContain(fingerprint(two));
  });

  test.each([
    ['a cut one', [one.slice(1)], 'team 1, signers 1: it must be the 64 digits'],
    ['none', [], 'team 1, signers: a team has at least one signer, who may answer for it'],
    ['no list', undefined, 'team 1, signers: they are missing: the keys of those who may answer'],
    ['one twice', [one, one], 'team 1, signers: the same signer is there twice'],
    ['seventeen', Array.from({ length: 17 }, (_, i) => String(i).padStart(64, '0')), 'team 1, signers: a team has at most 16 signers'],
  ])('%s are refused in plain words', async (_what, signers, message) => {
    const { code, err } = await cli(keyringArguments(73, '--teams', await teamsWith(signers)));
    expect(err).toContain(message);
    expect(code).toBe(EXIT.input);
  });
});

describe('admin check', () => {
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
