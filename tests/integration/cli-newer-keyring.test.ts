// Keyrings on their way into a folder of keys: from files that the administrator sent, and from a real relay.
import { cp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import type { NewKeyring } from '../../cli/keys/keyring.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { toHex } from '../../crypto/bytes.ts';
import { WEEK_MS } from '../../crypto/card.ts';
import { generateKeyPair } from '../../crypto/minisign.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { cli, type CliResult } from '../support/cli.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';
import { Season, SEASON_BEGIN } from '../support/season.ts';

const inWeek = (week: number): Date => new Date(SEASON_BEGIN + week * WEEK_MS + 36 * 3_600_000);
let season: Season;
beforeEach(async () => {
  season = await Season.start(3);
});
afterEach(() => season.remove());

/** As `show` gives it. */
const rootFingerprint = async (): Promise<string> =>
  (JSON.parse((await cli(['show', '--json', season.rootPublicKey])).text) as { fingerprint: string }).fingerprint;
const keyring = (argv: readonly string[], now = inWeek(0)): Promise<CliResult> => season.run(['volunteer', 'keyring', ...argv], { now });
const inFolder = async (): Promise<string[]> => (await readdir(season.keys)).filter((name) => /root|keyring/.test(name)).toSorted();
const filesOf = (...serials: number[]): string[] =>
  serials.flatMap((serial) => [`keyring-${String(serial)}.json`, `keyring-${String(serial)}.json.minisig`]);

describe('volunteer keyring', () => {
  test('the first time puts root.pub and a folder of keyrings there, and says who reads and answers', async () => {
    await season.signWeeks(0, 2);
    const { code, err } = await keyring(['--root-key', season.rootPublicKey, season.path('out')]);
    expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`by voice: ${await rootFingerprint()}\n`)]);
    expect(err).toContain('Keyring 1, from 2026-11-30T00:00:00Z until 2026-12-07T00:00:00Z:\n');
    expect(err).toContain('  team 00112233aabbccdd (Psychologists): 2 recipients, 1 signer\n');
    expect(err).toContain('Keyring 3, from 2026-12-14T00:00:00Z until 2026-12-21T00:00:00Z, compared with keyring 2:\n');
    expect(err).not.toContain('!');
    expect(await inFolder()).toEqual([...filesOf(1, 2, 3), 'root.pub']);
    expect(await readFile(join(season.keys, 'keyring-2.json'))).toEqual(await readFile(season.path('out', 'keyring-2.json')));
    const again = await keyring(['--json', season.path('out')]);
    expect(
      again.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([1, 2, 3].map((serial) => expect.objectContaining({ serial, result: 'known' }) as unknown));
  });

  test('shows who came and who went in a week that is replaced', async () => {
    const [stays, goes, comes] = [0, 1, 2].map(() => ({
      recipient: identityToRecipient(generateIdentity()),
      signer: toHex(generateKeyPair().key),
    }));
    if (stays === undefined || goes === undefined || comes === undefined) throw new Error('three');
    const teamOf = (...others: (typeof stays)[]) => {
      const { recipients, signers, ...team } = season.team(0);
      return {
        ...team,
        recipients: [...recipients, ...others.map((each) => each.recipient)],
        signers: [...signers, ...others.map((each) => each.signer)],
      };
    };
    const first = await season.sign(1, 0, { teams: [teamOf(stays, goes)] });
    const second = await season.sign(2, 1, { previous: first });
    await season.install(first, second);
    const replaced = await season.sign(3, 0, { teams: [teamOf(stays, comes)], notBefore: '2026-12-01T12:00:00Z', previous: second });
    const { code, err } = await keyring([replaced.file]);
    expect([code, err]).toEqual([
      EXIT.ok,
      [
        'Keyring 3, from 2026-12-01T12:00:00Z until 2026-12-07T00:00:00Z, compared with keyring 1:',
        '  team 00112233aabbccdd (Psychologists): 4 recipients, 3 signers',
        `    gone  recipient  ${fingerprint(goes.recipient)}`,
        `    came  recipient  ${fingerprint(comes.recipient)}`,
        `    gone  signer     ${fingerprint(goes.signer)}`,
        `    came  signer     ${fingerprint(comes.signer)}`,
        '',
      ].join('\n'),
    ]);
  });

  test('says so when the volunteer is not in it, and when a team came or went', async () => {
    const [first] = await season.signWeeks(0, 0);
    if (first === undefined) throw new Error('signed');
    await season.install(first);
    const other = {
      ...season.team(1),
      id: 'ffeeddccbbaa9988',
      recipients: [identityToRecipient(generateIdentity())],
      signers: ['ab'.repeat(32)],
    };
    const { err } = await keyring([(await season.sign(2, 1, { teams: [other], previous: first })).file]);
    expect(err).toContain('  team ffeeddccbbaa9988 (Psychologists) (a new team): 1 recipient, 1 signer\n');
    expect(err).toContain('  team 00112233aabbccdd (Psychologists): is gone\n');
    expect(err).toContain('! your signer is not in it');
    expect(err).toContain('! your key of this week is not in it');
  });

  test('takes a whole season in the order of a shell, though some have begun', async () => {
    const signed: NewKeyring[] = [];
    for (let serial = 8; serial < 11; serial += 1) {
      const previous = signed.at(-1);
      signed.push(await season.sign(serial, serial - 8, previous === undefined ? {} : { previous }));
    }
    const files = signed.map(({ file }) => file).toSorted();
    expect(files[0]).toContain('keyring-10.json');
    const { code } = await keyring(['--root-key', season.rootPublicKey, ...files], inWeek(2));
    expect([code, await inFolder()]).toEqual([EXIT.ok, [...filesOf(10), ...filesOf(8, 9), 'root.pub'].toSorted()]);
  });

  test('says nothing against what the folder has already, though it is older than what has begun since', async () => {
    await season.signWeeks(0, 2);
    const given = ['--root-key', season.rootPublicKey, season.path('out')];
    expect((await keyring(given)).code).toBe(EXIT.ok);
    const again = await keyring(given, inWeek(2));
    expect([again.code, again.err]).toEqual([EXIT.ok, expect.not.stringContaining('KEYRING_OLD')]);
  });

  test('needs a root key, and takes no other one', async () => {
    const first = await season.sign(1, 0);
    const without = await keyring([first.file]);
    expect([without.code, without.err]).toEqual([EXIT.usage, expect.stringContaining('there is no root.pub in')]);
    await season.install();
    const other = await Season.start(1);
    const differs = await keyring(['--root-key', other.rootPublicKey, first.file]);
    expect([differs.code, differs.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(ROOT_KEY_DIFFERS)')]);
    expect(await readFile(join(season.keys, 'root.pub'))).toEqual(await readFile(season.rootPublicKey));
    await other.remove();
  });

  test('needs keys', async () => {
    await rm(season.keys, { recursive: true });
    const { code, err } = await keyring(['--root-key', season.rootPublicKey, season.path('out')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('make them first: support-relay volunteer keys')]);
  });

  describe('refuses, and takes the others:', () => {
    let signed: NewKeyring[];
    beforeEach(async () => {
      signed = await season.signWeeks(0, 2);
    });

    test.each<[string, string, (first: NewKeyring, second: NewKeyring) => Promise<string>]>([
      ['an older one', 'KEYRING_OLD', async () => (await season.sign(1, 0, { folder: season.path('other') })).file],
      [
        'another of the same serial',
        'KEYRING_TWICE',
        async (_first, second) => {
          for (let attempt = 0; ; attempt += 1) {
            const folder = season.path(`other-${String(attempt)}`);
            const other = await season.sign(2, 1, {
              folder,
              notAfter: `2026-12-14T00:00:0${String(attempt % 10)}Z`.replace('T00:00:00', 'T01:00:00'),
            });
            if (other.digest > second.digest) return other.file;
          }
        },
      ],
      [
        'one that follows on another',
        'KEYRING_CHAIN',
        async (first) => (await season.sign(3, 2, { folder: season.path('other'), previous: first })).file,
      ],
      [
        'one by another root key',
        'MINISIGN_KEY',
        async () => {
          const other = await Season.start(1);
          const { file, signatureFile } = await other.sign(4, 0);
          await cp(file, season.path('keyring-4.json'));
          await cp(signatureFile, season.path('keyring-4.json.minisig'));
          await other.remove();
          return season.path('keyring-4.json');
        },
      ],
      [
        'one that is cut off',
        'MINISIGN_SIGNATURE',
        async (first) => {
          const { file } = await season.sign(4, 2, { folder: season.path('other'), previous: first });
          await truncate(file, 300);
          return file;
        },
      ],
    ])('%s', async (_what, expected, make) => {
      const [first, second, third] = signed;
      if (first === undefined || second === undefined || third === undefined) throw new Error('signed');
      await season.install(second);
      const before = await readFile(join(season.keys, 'keyring-2.json'));
      const bad = await make(first, second);
      const { code, text, err } = await keyring(['--json', bad, ...(expected === 'KEYRING_CHAIN' ? [] : [third.file])], inWeek(1));
      expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining(`${bad} was not taken: `)]);
      expect(err).toContain(`(${expected})`);
      expect(text).toContain(`{"file":${JSON.stringify(bad)},"result":"${expected}"}\n`);
      expect(await inFolder()).toEqual([...filesOf(2), ...(expected === 'KEYRING_CHAIN' ? [] : filesOf(3)), 'root.pub']);
      expect(await readFile(join(season.keys, 'keyring-2.json'))).toEqual(before);
    });
  });
});

describe('from the relay', () => {
  let relay: TestRelay;
  let [first, second]: (NewKeyring | undefined)[] = [];
  let letter: string;

  /** A relay with the keyrings in `out`, whose clock says `now`. */
  async function serve(now: Date, rootKeyFile = season.rootPublicKey, directory = season.path('out')): Promise<void> {
    relay = await startRelay({ config: { keyrings: { directory, rootKeyFile, now: () => now } } });
  }

  beforeEach(async () => {
    [first, second] = await season.signWeeks(0, 1);
    if (first === undefined || second === undefined) throw new Error('signed');
    letter = await season.letter(0, first, 'Hello');
    await season.install(first);
  });
  afterEach(() => relay.stop());

  const claim = (now: Date, ...more: string[]) =>
    season.run(['claim', '--alias', 'Maple', '--relay', relay.url, '--keep', season.path('kept'), ...more, letter], { now });

  test('an answer is sealed under its newer keyring, which goes into the folder', async () => {
    await serve(inWeek(1));
    const { code, err, text } = await claim(inWeek(1));
    expect([code, text], err).toEqual([EXIT.ok, 'Sent.\n']);
    expect(err).toContain(`The relay has a newer keyring; it is now in ${season.keys}.\nKeyring 2, from 2026-12-07`);
    expect(await inFolder()).toEqual([...filesOf(1, 2), 'root.pub']);
    const offline = await season.run(['claim', '--alias', 'Maple', '--out', season.path('later'), letter], { now: inWeek(1) });
    expect(offline.code, offline.err).toBe(EXIT.ok);
  });

  test('volunteer keyring --relay takes it and sends nothing', async () => {
    await serve(inWeek(1));
    const taken = await season.run(['volunteer', 'keyring', '--relay', relay.url, '--json'], { now: inWeek(1) });
    expect([taken.code, taken.text]).toEqual([EXIT.ok, expect.stringContaining('"serial":2,')]);
    expect(taken.err).toContain('Keyring 2, from 2026-12-07T00:00:00Z');
    expect(await inFolder()).toEqual([...filesOf(1, 2), 'root.pub']);
    const away = await season.run(['volunteer', 'keyring', '--relay', `unix:${season.path('nothing.sock')}`], { now: inWeek(1) });
    expect([away.code, away.err]).toEqual([EXIT.unavailable, expect.stringContaining('(RELAY_AWAY)')]);
    const nothing = await season.run(['volunteer', 'keyring'], { now: inWeek(1) });
    expect([nothing.code, nothing.err]).toEqual([EXIT.usage, expect.stringContaining('DIR or FILE is missing, or --relay')]);
  });

  test('the same keyring is not spoken of, and send takes a newer one without a passphrase', async () => {
    await serve(inWeek(0));
    const written = await season.run(['claim', '--alias', 'Maple', '--out', season.path('later'), letter], { now: inWeek(0) });
    expect(written.code, written.err).toBe(EXIT.ok);
    const sent = await season.run(['send', season.path('later'), '--relay', relay.url], { now: inWeek(0) });
    expect([sent.code, sent.err]).toEqual([EXIT.ok, expect.not.stringContaining('keyring')]);
    await relay.stop();
    await serve(new Date(SEASON_BEGIN + WEEK_MS + 3_600_000));
    const later = await season.run(['send', season.path('later'), '--relay', relay.url], { now: inWeek(1) });
    expect([later.code, later.err]).toEqual([EXIT.ok, expect.stringContaining('The relay has a newer keyring')]);
    expect(await inFolder()).toEqual([...filesOf(1, 2), 'root.pub']);
  });

  test('an older one is refused', async () => {
    await rm(season.path('out', 'keyring-2.json'));
    if (first === undefined || second === undefined) throw new Error('signed');
    const replaced = await season.sign(3, 0, { notBefore: '2026-12-01T00:00:00Z', folder: season.path('replaced') });
    await season.install(replaced);
    await serve(inWeek(0));
    const { err } = await claim(inWeek(0));
    expect(err).toMatch(/! the keyring that the relay serves was not taken: serial 1, while 3 has begun; .* \(KEYRING_OLD\)\n/);
    expect(await inFolder()).toEqual([...filesOf(1, 3), 'root.pub']);
  });

  test('one by another root key is refused', async () => {
    const other = await Season.start(1);
    await other.sign(9, 0);
    await serve(inWeek(0), other.rootPublicKey, other.path('out'));
    expect((await claim(inWeek(0))).err).toMatch(/! the keyring that the relay serves was not taken: .* \(MINISIGN_KEY\)\n/);
    expect(await inFolder()).toEqual([...filesOf(1), 'root.pub']);
    await other.remove();
  });

  test('whoever is taken off by it writes nothing, and is told', async () => {
    if (first === undefined || second === undefined) throw new Error('signed');
    const teams = [{ ...season.team(0), signers: [toHex(generateKeyPair().key)], recipients: [season.colleague(0)] }];
    await season.sign(3, 0, { notBefore: '2026-12-01T00:00:00Z', teams, previous: second });
    await serve(inWeek(0));
    const { code, err } = await claim(inWeek(0));
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('! your signer is not in it')]);
    expect(err).toContain('(SIGNER_UNKNOWN)');
    expect(await readdir(season.path('.'))).not.toContain('kept');
  });

  test('a relay that is away is asked in vain: it is sealed under what is there, and kept', async () => {
    await serve(inWeek(0));
    await relay.relay.destroy();
    const { code, err } = await claim(inWeek(0));
    expect([code, err]).toEqual([EXIT.unavailable, expect.stringContaining('The relay could not be asked for its keyring')]);
    expect(await readdir(season.path('kept'))).toHaveLength(1);
  });
});
