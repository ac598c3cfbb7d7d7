import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { createSignerFile, type NewSigner } from '../../cli/keys/signer.ts';
import { sealLetter, type NoteContent } from '../../crypto/letter.ts';
import { parseSigner } from '../../crypto/minisign.ts';
import { signNote, type NoteText } from '../../crypto/note.ts';
import { ready } from '../../crypto/sodium.ts';
import { signAddress, type Thread } from '../../crypto/thread.ts';
import { cli, openOffice, temporaryDirectory, writeTo, type CliInput, type CliResult, type Office } from './cli.ts';
import { newThread } from './letters.ts';

/**
 * One team of two, a stranger with a signer of their own, and one request that they have a letter of. Each test writes its parcels
 * to a folder of its own.
 */
interface Answering {
  dir: Awaited<ReturnType<typeof temporaryDirectory>>;
  office: Office;
  anna: NewSigner;
  boris: NewSigner;
  stranger: NewSigner;
  thread: Thread;
  letter: string;
  /** The folder that `run` writes to from now on; it is not there yet. */
  nextOut(): string;
  options(signer?: NewSigner): string[];
  run(argv: readonly string[], input?: CliInput): Promise<CliResult>;
  letterOf(by: Thread, message: string): Uint8Array;
  contentBy(signer: NewSigner, said: Partial<NoteText>): Promise<NoteContent>;
  noteBy(signer: NewSigner, said: Partial<NoteText>): Promise<Uint8Array>;
  nothingWritten(): Promise<void>;
}

/** What letters and notes under the office's keyring have in common. */
type Sealed = { readonly version: 1; readonly serial: number; readonly keyring: string; readonly language: 'ru' };

export async function openAnswering(): Promise<Answering> {
  await ready;
  const dir = await temporaryDirectory();
  const [anna, boris, stranger] = (await Promise.all(
    ['anna', 'boris', 'stranger'].map((name) => createSignerFile({ file: dir.path(`${name}.key`) })),
  )) as [NewSigner, NewSigner, NewSigner];
  const office = await openOffice(dir.path, { signers: [anna.signer, boris.signer] });
  const thread = newThread();
  const { keyring, digest } = office.keyring;
  const common: Sealed = { version: 1, serial: keyring.serial, keyring: digest, language: 'ru' };
  let outs = 0;
  let out = '';

  const answering: Answering = {
    ...{ dir, office, anna, boris, stranger, thread },
    letter: dir.path('letter.age'),
    nextOut: () => {
      outs += 1;
      return (out = dir.path(`out-${String(outs)}`));
    },
    options: (signer = anna) => answeringOptions(office, signer),
    run: (argv, input) => cli([...argv, ...answering.options(), '--out', out], input),
    letterOf: (by, message) => {
      const content = { ...common, kind: 'request' as const, message };
      return sealLetter({ ...content, thread: signAddress(content, by) }, [office.recipient]);
    },
    contentBy: async (signer, said) => {
      const alias = signer === anna ? 'Анна' : 'Борис';
      const key = await parseSigner(await readFile(signer.file, 'utf8'));
      const note = signNote({ action: 'claim', thread: thread.address.key, alias, text: '', ...said }, key);
      return { ...common, kind: 'note', note };
    },
    noteBy: async (signer, said) => sealLetter(await answering.contentBy(signer, said), [office.recipient]),
    nothingWritten: async () => {
      expect(await readdir(out).catch(() => [])).toEqual([]);
    },
  };
  await writeTo(answering.letter, answering.letterOf(thread, 'Мне нужна помощь'));
  return answering;
}

function answeringOptions(office: Office, signer: NewSigner): string[] {
  const keyring = ['--keyring', office.keyring.file, '--root-key', office.rootPublicKey];
  return ['--identity', office.identity, '--signer', signer.file, '--alias', 'Анна', ...keyring];
}
