// `reply`, `claim` and `handover`: who may answer, and which conversation.
import { bech32 } from '@scure/base';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createKeyring } from '../../cli/keys/keyring.ts';
import { readRootKey } from '../../cli/keys/root-key.ts';
import type { NewSigner } from '../../cli/keys/signer.ts';
import { EXIT } from '../../cli/errors.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { signAddress } from '../../crypto/thread.ts';
import { openAnswering } from '../support/answering.ts';
import { cli, writeTo, type CliResult } from '../support/cli.ts';
import { newThread } from '../support/letters.ts';

const answering = await openAnswering();
const { dir, office, anna, boris, stranger, thread, letter, nextOut, options, run, letterOf, opened, nothingWritten } = answering;
let out: string;

afterAll(() => dir.remove());
beforeEach(() => {
  out = nextOut();
});

describe('who may answer', () => {
  const replyBy = (signer: NewSigner, keyrings: readonly string[]): Promise<CliResult> =>
    cli(
      [
        'reply',
        '--identity',
        office.identity,
        '--signer',
        signer.file,
        '--alias',
        'Анна',
        ...keyrings.flatMap((file) => ['--keyring', file]),
        '--root-key',
        office.rootPublicKey,
        '--out',
        out,
        letter,
      ],
      { stdin: 'Секрет' },
    );

  test('not a signer that is on no keyring', async () => {
    const { code, err } = await replyBy(stranger, [office.keyring.file]);
    expect([code, err]).toEqual([
      EXIT.notAuthentic,
      expect.stringMatching(/your signer is not in keyring 1: .*ask the administrator; nothing was sent \(SIGNER_UNKNOWN\)/),
    ]);
    await nothingWritten();
  });

  test('not a signer that the newest valid keyring leaves out; a keyring that is not valid yet changes nothing', async () => {
    const root = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
    const { keyring } = office.keyring;
    const plan = {
      from: new Date(Date.now() - 1000),
      days: 1,
      worker: keyring.worker,
      teams: keyring.teams.map((team) => ({ ...team, signers: [boris.signer] })),
    };
    const revoking = await createKeyring({ ...plan, serial: 2, previous: office.keyring }, root, dir.path('keyrings'));
    expect((await replyBy(anna, [revoking.file, office.keyring.file])).err).toContain('(SIGNER_UNKNOWN)');
    await nothingWritten();
    const later = await createKeyring({ ...plan, serial: 3, from: new Date(Date.now() + 86_400_000) }, root, dir.path('keyrings'));
    expect((await replyBy(anna, [later.file, office.keyring.file])).code).toBe(EXIT.ok);
    expect((await replyBy(boris, [later.file])).err).toContain('(KEYRING_NOT_YET_VALID)');
  });

  test('not under an older keyring that is still valid, once a newer one has begun and ended', async () => {
    const root = await readRootKey(office.rootKey, () => Promise.reject(new Error('not protected')));
    const { keyring } = office.keyring;
    const over = await createKeyring(
      { serial: 4, from: new Date(Date.now() - 2 * 86_400_000), days: 1, worker: keyring.worker, teams: keyring.teams },
      root,
      dir.path('keyrings'),
    );
    const { code, err } = await replyBy(anna, [office.keyring.file, over.file]);
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_EXPIRED)')]);
    await nothingWritten();
  });

  test('not with the root key, which only the key itself distinguishes from an older signer', async () => {
    const { code, err } = await cli(['claim', letter, ...options({ ...anna, file: office.rootKey }), '--out', out]);
    expect([code, err]).toEqual([
      EXIT.input,
      expect.stringMatching(/root\.key is not the signer: it is the secret root key; keep it offline, .*\(INPUT_FORMAT\)\n$/),
    ]);
    await nothingWritten();
  });

  test('not under a keyring whose week is over', async () => {
    const argv = ['reply', ...options(), '--out', out, letter];
    const { code, err } = await cli(argv, { stdin: 'x', now: new Date(Date.now() + 8 * 86_400_000) });
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_EXPIRED)')]);
  });

  test('not with a file that is not a signer, which is named', async () => {
    for (const file of [office.identity, anna.publicKeyFile]) {
      const { code, err } = await cli(['claim', letter, ...options({ ...anna, file }), '--out', out]);
      expect([code, err]).toEqual([
        EXIT.input,
        expect.stringMatching(
          /^support-relay: .*(volunteer\.txt|anna\.key\.pub) is not the signer: .*give the secret key .*\(INPUT_FORMAT\)\n$/,
        ),
      ]);
    }
  });

  test.each(['', 'x'.repeat(41), 'a\nb', 'a\u202eb'])('not under the alias %j', async (alias) => {
    const { code } = await cli(['claim', letter, ...options(), '--alias', alias, '--out', out]);
    expect(code).toBe(EXIT.usage);
    await nothingWritten();
  });
});

describe('which conversation', () => {
  test('has to be named when there are several, and is found by its id', async () => {
    const other = newThread();
    const second = await writeTo(dir.path('second.age'), letterOf(other, 'Ещё одно'));
    const id = thread.address.key.slice(0, 8);
    const asked = await run(['reply', letter, second], { stdin: 'x' });
    expect([asked.code, asked.err]).toEqual([
      EXIT.input,
      expect.stringMatching(/there are 2 conversations .*--conversation.*\(CONVERSATION_UNKNOWN\)/),
    ]);
    expect((await run(['reply', '--conversation', '00000000', letter, second], { stdin: 'x' })).err).toContain('(CONVERSATION_UNKNOWN)');
    await nothingWritten();
    expect((await run(['reply', '--conversation', id, letter, second], { stdin: 'to the first' })).code).toBe(EXIT.ok);
    expect((await opened()).reply).toBe('to the first');
  });

  test.each(['lock', 'recipient'] as const)(
    'may be one whose %s another conversation claims: nobody can be silenced that way',
    async (part) => {
      const other = newThread();
      const forged = await writeTo(
        dir.path('forged.age'),
        letterOf({ ...other, address: { ...other.address, [part]: thread.address[part] } }, 'Чужое'),
      );
      const { code, err } = await run(['reply', '--conversation', thread.address.key, forged, letter], { stdin: 'Вам' });
      expect(code, err).toBe(EXIT.ok);
      expect((await opened()).reply).toBe('Вам');
    },
  );

  test('may not be one that wants no answer', async () => {
    const file = await writeTo(dir.path('unwanted.age'), office.letter());
    const { code, err } = await run(['reply', file], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining('(ANSWER_UNWANTED)')]);
  });

  test('may not be one whose reply key is invalid, which is said before anything is typed; it can still be handed over', async () => {
    const other = newThread();
    const recipient = bech32.encode('age1pq', bech32.toWords(new Uint8Array(1_216).fill(0xff)), false);
    const file = await writeTo(dir.path('no-key.age'), letterOf({ ...other, address: { ...other.address, recipient } }, 'x'));
    const { code, err, asked } = await run(['reply', file], { terminal: { answers: [] } });
    expect([code, asked, err]).toEqual([
      EXIT.input,
      [],
      expect.stringMatching(
        /^support-relay: no answer can be sealed for conversation .*: the key .* is not valid; .*nothing was sent \(ADDRESS_UNUSABLE\)\n$/,
      ),
    ]);
    await nothingWritten();
    expect((await run(['handover', '--to', 'Борис', file])).code).toBe(EXIT.ok);
  });

  test('may not be one sealed under a keyring that was not given', async () => {
    const content = { version: 1 as const, kind: 'request' as const, serial: 1, keyring: 'ab'.repeat(32), language: 'ru', message: 'x' };
    const file = await writeTo(
      dir.path('foreign.age'),
      sealLetter({ ...content, thread: signAddress(content, thread) }, [office.recipient]),
    );
    const { code, err } = await run(['reply', file], { stdin: 'x' });
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(KEYRING_FOREIGN)')]);
    await nothingWritten();
  });
});
