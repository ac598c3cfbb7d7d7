// What an operator prepares before anything runs: the users of Redis with their passwords, and the form.
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { ready } from '../../crypto/sodium.ts';
import { aclFile } from '../../redis/acl.ts';
import { makeKeyrings, type KeyringDirectory } from '../support/keyrings.ts';
import { cli, openOffice, temporaryDirectory, writeTo, type CliResult } from '../support/cli.ts';
import { sampled, thoroughly } from '../support/thorough.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
});
afterAll(() => dir.remove());

describe('operator acl', () => {
  test('writes the users and a private password for each, once', async () => {
    const directory = dir.path('redis');
    const { code } = await cli(['operator', 'acl', '--out', directory]);
    expect(code).toBe(EXIT.ok);
    expect((await readdir(directory)).sort()).toEqual(['operator.password', 'relay.password', 'users.acl', 'worker.password']);
    const read = (name: string): Promise<string> => readFile(dir.path('redis', name), 'utf8');
    const passwords = {
      relay: await read('relay.password'),
      worker: await read('worker.password'),
      operator: await read('operator.password'),
    };
    expect(new Set(Object.values(passwords)).size).toBe(3);
    expect(await read('users.acl')).toBe(aclFile(passwords));
    for (const name of await readdir(directory)) expect((await stat(dir.path('redis', name))).mode & 0o777).toBe(0o600);
    const again = await cli(['operator', 'acl', '--out', directory]);
    expect(again.code).toBe(EXIT.output);
    expect(await read('relay.password')).toBe(passwords.relay);
  });
});

describe('operator build-form', () => {
  test('builds the form with the root key in it', async () => {
    const office = await openOffice((...parts) => dir.path('office', ...parts));
    const publicKey = (await readFile(office.rootPublicKey, 'utf8')).trim().split('\n').at(-1) ?? '';
    const {
      code,
      text: json,
      err,
    } = await cli(['operator', 'build-form', '--json', '--root-key', office.rootPublicKey, '--out', dir.path('web')]);
    expect([code, err], err).toEqual([EXIT.ok, '']);
    expect(JSON.parse(json)).toEqual({
      directory: dir.path('web'),
      manifestFile: dir.path('web', 'manifest.json'),
      gone: [],
      foreign: [],
      signatureGone: false,
      keyrings: [],
      until: null,
      warning: null,
    });
    expect(await readdir(dir.path('web'))).toContain('index.html');
    const scripts = (await readdir(dir.path('web'))).filter((name) => name.endsWith('.js'));
    const texts = await Promise.all(scripts.map((name) => readFile(dir.path('web', name), 'utf8')));
    expect(texts.some((text) => text.includes(publicKey))).toBe(true);
  });

  test('applies the site file, and names what is wrong with it', async () => {
    const office = await openOffice((...parts) => dir.path('office-site', ...parts));
    const site = await writeTo(dir.path('site.json'), JSON.stringify({ exit: 'https://weather.example/' }));
    const arguments_ = ['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', dir.path('web-site'), '--site', site];
    const { code, err } = await cli(arguments_);
    expect(code, err).toBe(EXIT.ok);
    expect(await readFile(dir.path('web-site', 'index.html'), 'utf8')).toContain('href="https://weather.example/"');

    await writeTo(site, JSON.stringify({ exit: 'http://weather.example/', crisisLines: { ru: [{ name: 'x' }] } }));
    const wrong = await cli(arguments_);
    expect(wrong.code).toBe(EXIT.input);
    for (const words of ['exit: it must be an https:// address', 'crisisLines, ru, 1, contact: it must be text', '(INPUT_FORMAT)'])
      expect(wrong.err).toContain(words);
    expect((await cli([...arguments_.slice(0, -1), dir.path('nowhere.json')])).err).toContain('(INPUT_MISSING)');
  });

  describe('checks when the keyrings of the offline form are valid', () => {
    const DAY_MS = 24 * 60 * 60 * 1000;
    let office: Awaited<ReturnType<typeof openOffice>>;
    const begin = (): number => Date.parse(office.keyring.keyring.notBefore);
    const build = (out: string, afterMs: number): Promise<CliResult> =>
      cli(['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', dir.path(out), '--keyring', office.keyring.file], {
        now: new Date(begin() + afterMs),
      });
    beforeAll(async () => {
      office = await openOffice((...parts) => dir.path('office-times', ...parts));
    });

    test('and refuses those that have all ended', async () => {
      const { code, err } = await build('web-ended', 7 * DAY_MS);
      expect(code).toBe(EXIT.notAuthentic);
      expect(err).toContain(
        `valid until ${office.keyring.keyring.notAfter}; get this week's keyring from the administrator (KEYRING_EXPIRED)`,
      );
      await expect(readdir(dir.path('web-ended'))).rejects.toThrow('ENOENT');
    });

    const TIMES: readonly [string, number, string | null][] = [
      ['says nothing in the middle of the week', DAY_MS, null],
      ['warns when the last ends within two days', 5 * DAY_MS + 1, 'is of use only until'],
      ['warns when none has begun', -1, 'is of no use before'],
    ];
    test.each(sampled(TIMES, ([, , warning]) => warning === 'is of use only until'))('and %s', async (_what, afterMs, warning) => {
      const { code, err } = await build('web-times', afterMs);
      expect(code, err).toBe(EXIT.ok);
      if (warning === null) expect(err).not.toContain('Warning');
      else expect(err).toContain(`Warning: the offline form ${warning}`);
      expect(JSON.parse(await readFile(dir.path('web-times', 'form.json'), 'utf8'))).toEqual({ until: office.keyring.keyring.notAfter });
    });
  });

  describe('of a season in a folder', () => {
    let season: KeyringDirectory;
    const WEEK_HOURS = 7 * 24;
    beforeAll(async () => {
      season = await makeKeyrings(dir.path('season'), () => Date.parse('2030-01-07T00:00:00Z'));
      for (let serial = 1; serial <= 6; serial += 1) {
        await season.add({ serial, fromHours: (serial - 1) * WEEK_HOURS, toHours: serial * WEEK_HOURS });
      }
    });
    const build = (out: string, now: string, ...more: string[]): Promise<CliResult> =>
      cli(['operator', 'build-form', '--root-key', season.rootKeyFile, '--keyring', season.directory, '--out', dir.path(out), ...more], {
        now: new Date(now),
      });
    const carriedIn = async (out: string): Promise<number[]> => {
      const page = await readFile(dir.path(out, 'form.html'), 'utf8');
      return [...page.matchAll(/\\?"serial\\?":(\d+)/g)].map(([, serial]) => Number(serial));
    };

    test('the offline form carries four weeks, and the command says which and until when', async () => {
      const { code, err } = await build('web-season', '2030-01-16T12:00:00Z');
      expect(code, err).toBe(EXIT.ok);
      expect(err).toContain('Keyrings in the offline form: 2, 3, 4, 5. It is of use until 2030-02-11T00:00:00Z: build it again');
      expect(await carriedIn('web-season')).toEqual([2, 3, 4, 5]);
      expect(JSON.parse(await readFile(dir.path('web-season', 'form.json'), 'utf8'))).toEqual({ until: '2030-02-11T00:00:00Z' });
    });

    thoroughly('the same is built on another day with --from', async () => {
      const manifest = (): Promise<string> => readFile(dir.path('web-season', 'manifest.json'), 'utf8');
      const before = await manifest();
      const { code, text } = await build('web-season', '2030-01-22T09:00:00Z', '--from', '2030-01-16', '--json');
      expect([code, JSON.parse(text)]).toMatchObject([EXIT.ok, { keyrings: [2, 3, 4, 5], until: '2030-02-11T00:00:00Z' }]);
      expect(await manifest()).toBe(before);
    });

    test.each(['2030-02-30', 'Monday', '2030-1-7'])('%s is no day to count from', async (day) => {
      const { code, err } = await build('web-no-day', '2030-01-16T12:00:00Z', '--from', day);
      expect([code, err]).toEqual([EXIT.usage, expect.stringContaining('--from must be a date such as 2026-11-30')]);
    });

    test('a folder without keyrings is refused', async () => {
      const { code, err } = await cli([
        ...['operator', 'build-form', '--root-key', season.rootKeyFile, '--keyring', dir.path('season'), '--out', dir.path('web-none')],
      ]);
      expect([code, err]).toEqual([EXIT.input, expect.stringContaining(`no keyring is in ${dir.path('season')}`)]);
    });
  });

  test('removes no offline form and no other file without saying so', async () => {
    const office = await openOffice((...parts) => dir.path('office-shrinks', ...parts));
    const out = dir.path('web-shrinks');
    const build = (...more: string[]): Promise<CliResult> =>
      cli(['operator', 'build-form', '--root-key', office.rootPublicKey, '--out', out, ...more]);
    expect((await build('--keyring', office.keyring.file)).code).toBe(EXIT.ok);
    await writeTo(dir.path('web-shrinks', 'manifest.json.minisig'), 'a signature');
    const before = await readdir(out);
    const refused = await build();
    expect([refused.code, await readdir(out)]).toEqual([EXIT.output, before]);
    expect(refused.err).toContain(
      'has an offline form, and this build has none: ' +
        'en/form-ended.html, en/form.html, form-ended.html, form.html, form.json would be gone; give it a keyring',
    );
    const agreed = await build('--no-offline-form');
    expect([agreed.code, await readdir(out)]).toEqual([
      EXIT.ok,
      before.filter((name) => !/^form(?:-ended)?\.(?:html|json)|minisig$/.test(name)),
    ]);
    expect(agreed.err).toContain(
      'Removed: en/form-ended.html, en/form.html, form-ended.html, form.html, form.json.\n' +
        'The manifest has changed, so its signature manifest.json.minisig was removed',
    );
    // As in somebody's own folder that never was a form.
    await rm(dir.path('web-shrinks', 'manifest.json'));
    const foreign = await build();
    expect([foreign.code, foreign.err]).toEqual([
      EXIT.output,
      expect.stringContaining('has files that no build of the form made: en/index.html, '),
    ]);
    expect(await readdir(out)).not.toContain('manifest.json');
  });

  test.each<readonly [string, () => Promise<string>, string]>([
    ['what is no key', () => writeTo(dir.path('not.pub'), 'hello'), ''],
    [
      'the secret half',
      () => openOffice((...parts) => dir.path('office-secret', ...parts)).then(({ rootKey }) => rootKey),
      ': it is the secret half, which stays offline',
    ],
  ])('refuses %s and names it', async (_what, write, why) => {
    const file = await write();
    const { code, err } = await cli(['operator', 'build-form', '--root-key', file, '--out', dir.path('web2')]);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(`${file} is not the root public key${why}`)]);
    expect(err).toContain('(INPUT_FORMAT)');
  });
});
