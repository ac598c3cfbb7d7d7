import { toHex, blake2b } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { openLetter } from '../../crypto/letter.ts';
import { foreignCode } from '../../volunteer/conversations/cautions.ts';
import { rankOf, spoiledCopies, type Copy } from '../../volunteer/finding/copies.ts';
import { keyringOf, shownOf } from '../../volunteer/trust.ts';
import type { OpenedLetter } from '../../volunteer/conversations/conversations.ts';
import type { ImapOptions } from '../net/imap.ts';
import { CliError, UsageError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { insistOnLetters, type Found } from './find.ts';
import { readIdentities } from '../keys/identities.ts';
import { openKeyFolder, type OwnKeys } from '../keys/key-folder.ts';
import { believedBy, folderFrom, type Believed } from '../keys/believed.ts';
import { keyNotices } from '../keys/notices.ts';
import { VERSION } from '../../runtime/version.ts';
import { sourcesOf } from './sources.ts';

const MARK_BYTES = 32;

/** What every command that reads letters takes. */
export const READING_OPTIONS = {
  keys: { type: 'string' },
  identity: { type: 'string', multiple: true },
  keyring: { type: 'string', multiple: true },
  'root-key': { type: 'string', multiple: true },
  'passphrase-file': { type: 'string' },
  'imap-password-file': { type: 'string' },
  ca: { type: 'string' },
  socks: { type: 'string' },
} as const;

export const READING_HELP = `
  --keys DIR              your folder of keys (support-relay volunteer keys); keys if it is here. One passphrase opens all
                          that is in it, and its root.pub and keyrings are used, too
  --identity FILE         instead, or besides: an age identity; may be repeated. The passphrase of a protected one is asked
  --keyring FILE          a keyring the administrator gave you (with FILE.minisig beside it), or a folder of them; may be
                          repeated. A letter sealed under any other keyring is refused; notes are checked against the newest
  --root-key FILE         the administrator's public root key (root.pub), where it is not in the folder of keys
  --passphrase-file FILE  for scripts: the identities' passphrase is the first line of FILE
  --imap-password-file F  for scripts: the mail server's password is the first line of F
  --ca FILE               the mail server's own certificate authority (PEM), when it has one
  --socks HOST:PORT       reach the mail server through this SOCKS 5 proxy, such as Tor's; names are resolved there`.slice(1);

type ReadingValues = {
  keys?: string | undefined;
  identity?: string[] | undefined;
  keyring?: string[] | undefined;
  'root-key'?: string[] | undefined;
  'passphrase-file'?: string | undefined;
  'imap-password-file'?: string | undefined;
  ca?: string | undefined;
  socks?: string | undefined;
};

/** `own`: what a folder of keys holds. `identities`: of that folder, and of files. */
export type Reader = Believed & { io: Io; own: OwnKeys | null; identities: readonly string[]; imap: ImapOptions };

export type RefusedLetter = { source: string; error: unknown };
/** A cover letter: it says nothing. */
export type Cover = { source: string; cover: true };
export type Read = OpenedLetter | RefusedLetter | Cover;

/** Throws USAGE when no key is given or, with `needsKeyring`, nothing to check keyrings with: before any passphrase is asked. */
export async function readerFor(values: ReadingValues, io: Io, command: string, needsKeyring = false): Promise<Reader> {
  const folder = await folderFrom(values, command);
  if (values.identity === undefined && folder === undefined) throw new UsageError('--keys or --identity is missing', command);
  const believed = await believedBy(values, folder, io, command);
  if (needsKeyring && believed.keyrings === null) throw needsRoot(folder, command);
  const own = folder === undefined ? null : await openKeyFolder(folder, io, values['passphrase-file']);
  if (own !== null) for (const line of keyNotices(own.weeks, believed.keyrings ?? [], io.now(), VERSION)) io.err(`${line}\n`);
  const others = await readIdentities(values.identity ?? [], io, values['passphrase-file']);
  const identities = [...(own?.weeks ?? []).map(({ identity }) => identity), ...others];
  const imap = { passwordFile: values['imap-password-file'], ca: values.ca, socks: values.socks };
  return { ...believed, io, own, identities, imap };
}

function needsRoot(folder: string | undefined, command: string): UsageError {
  const where = folder === undefined ? '' : `, or root.pub and the keyrings in ${folder}`;
  return new UsageError(`--keyring and --root-key are needed${where}`, command);
}

/** Everything that the paths hold, in their order: what opens and what does not. Further copies of a letter are left out. */
export async function* readLetters(paths: readonly string[], reader: Reader): AsyncGenerator<Read> {
  const marks = new Set<string>();
  for (const path of paths) {
    try {
      for await (const { name, read } of sourcesOf(path, reader.io, reader.imap)) yield* lettersIn(name, read, reader, marks);
    } catch (error) {
      yield { source: path, error };
    }
  }
}

/** @param marks those of the letters that were yielded before */
async function* lettersIn(name: string, read: () => Promise<Uint8Array>, reader: Reader, marks: Set<string>): AsyncGenerator<Read> {
  let found: Found[];
  try {
    found = await insistOnLetters(await read(), name);
  } catch (error) {
    yield { source: name, error };
    return;
  }
  const sourceOf = (index: number): string => (found.length === 1 ? name : `${name}, letter ${String(index + 1)}`);
  const judged = found.map((each, index) => judge(each, sourceOf(index), reader));
  const spoiled = spoiledCopies(judged.flatMap(({ copy }) => copy ?? []));
  for (const { copy, mark, outcome } of judged) {
    const isSpoiled = copy !== null && spoiled.has(copy);
    const isRepeated = mark !== null && marks.has(mark);
    if (isSpoiled || isRepeated) continue;
    if (mark !== null) marks.add(mark);
    yield outcome;
  }
}

/** `copy`: null when it is no letter at all. `mark`: a hash of the letter; null unless it opened. */
type Judged = { copy: Copy | null; mark: string | null; outcome: Read };

function judge(found: Found, source: string, reader: Reader): Judged {
  if (found.kind === 'unread') return { copy: null, mark: null, outcome: { source, error: found.error } };
  const { bytes, via } = found;
  const refused = (error: CodedError | CliError): Judged => {
    return { copy: { bytes, via, rank: rankOf(error.code) }, mark: null, outcome: { source, error } };
  };
  if (found.kind === 'damaged') return refused(found.error);
  const mark = toHex(blake2b(MARK_BYTES, bytes));
  try {
    const opened = openOne(bytes, reader);
    const outcome: Read = opened === null ? { source, cover: true } : { source, mark, ...opened };
    return { copy: { bytes, via, rank: rankOf(null) }, mark, outcome };
  } catch (error) {
    if (!(error instanceof CodedError || error instanceof CliError)) throw error;
    return refused(error);
  }
}

/**
 * Opens a letter; null for a cover letter. Throws KEYRING_FOREIGN or NOTE_FOREIGN when it was sealed under
 * none of the keyrings given.
 */
function openOne(letter: Uint8Array, { identities, keyrings, io }: Reader): Pick<OpenedLetter, 'content' | 'keyring'> | null {
  const content = openLetter(letter, identities);
  const keyring = keyringOf(content, keyrings ?? []);
  if (keyrings !== null && keyring === null) {
    throw new CliError(
      foreignCode(content),
      `${content.kind === 'note' ? 'a note ' : ''}sealed under another keyring, serial ${String(content.serial)}, than those given`,
      'do not answer it; give the keyring of its week, and if that is the one, tell the administrator at once',
    );
  }
  const shown = shownOf(content, keyrings ?? [], io.now());
  return shown === null ? null : { content: shown, keyring };
}
