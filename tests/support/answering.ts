import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { createSignerFile, type NewSigner } from '../../cli/keys/signer.ts';
import { fromHex } from '../../crypto/bytes.ts';
import { openLetter, sealLetter, type NoteContent } from '../../crypto/letter.ts';
import { parseSigner } from '../../crypto/minisign.ts';
import { checkNote, signNote, type NoteText } from '../../crypto/note.ts';
import { openSealed, parseParcel, type ParcelContent } from '../../crypto/parcel.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { checkDelivery, openReply } from '../../crypto/reply.ts';
import { ready } from '../../crypto/sodium.ts';
import { signAddress, type Thread } from '../../crypto/thread.ts';
import { cli, identitiesOf, openOffice, temporaryDirectory, writeTo, type CliInput, type CliResult, type Office } from './cli.ts';
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
  /** The contents of all parcels that were written, a reply before a note. */
  parcels(): Promise<ParcelContent[]>;
  noteIn(content: ParcelContent | undefined): Promise<NoteContent['note']>;
  /** The one reply as its requester opens it, and its note as the team does; both must be signed by Anna. */
  opened(): Promise<{ reply: string; note: NoteContent['note'] }>;
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
    parcels: () => parcelsIn(out, office),
    noteIn: (content) => noteIn(content, office, anna),
    opened: async () => {
      const [reply, note, ...more] = await answering.parcels();
      if (reply?.kind !== 'reply' || more.length > 0) throw new Error('expected a reply and a letter');
      return { reply: replyText(reply, thread, anna), note: await answering.noteIn(note) };
    },
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

async function parcelsIn(folder: string, office: Office): Promise<ParcelContent[]> {
  const identities = await identitiesOf(office.worker);
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(`${folder}/${name}`, 'utf8')));
  const contents = texts.map((text) => openSealed(parseParcel(decodeParcelText(text.trimEnd())).sealed, identities));
  return contents.sort((a, b) => b.kind.localeCompare(a.kind));
}

async function noteIn(content: ParcelContent | undefined, office: Office, by: NewSigner): Promise<NoteContent['note']> {
  if (content?.kind !== 'letter') throw new Error('expected a letter');
  const letterContent = openLetter(content.letter, await identitiesOf(office.identity));
  if (letterContent.kind !== 'note') throw new Error('expected a note');
  checkNote(letterContent.note, new Set([by.signer]));
  return letterContent.note;
}

function replyText({ delivery }: ParcelContent & { kind: 'reply' }, thread: Thread, by: NewSigner): string {
  const signers = new Set([by.signer]);
  checkDelivery(delivery, signers);
  return openReply(delivery.reply, thread.identity, fromHex(thread.address.key), signers).text;
}
