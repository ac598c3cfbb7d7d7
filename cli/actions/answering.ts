// What `reply`, `claim` and `handover` have in common.
import { toHex } from '../../crypto/bytes.ts';
import { checkValidity, type VerifiedKeyring } from '../../crypto/keyring.ts';
import type { NoteText } from '../../crypto/note.ts';
import { required } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import type { Io } from '../io.ts';
import { READING_HELP, READING_OPTIONS, readerFor } from '../letters/reader.ts';
import { readAll } from '../letters/report.ts';
import { block, visible, visibleLine } from '../terminal.ts';
import { composeParcels, roomIn, teamOf, type Draft } from './compose.ts';
import { answerable, takenBy } from './conversation.ts';
import { RELAY_HELP, destinationOf, dispatch } from './destination.ts';
import { readSigner } from './signer.ts';
import { readWords } from './words.ts';

const ALIAS_LENGTH_MAX = 40;

export const ANSWERING_OPTIONS = {
  ...READING_OPTIONS,
  conversation: { type: 'string' },
  signer: { type: 'string' },
  alias: { type: 'string' },
  file: { type: 'string' },
  anyway: { type: 'boolean' },
  relay: { type: 'string' },
  keep: { type: 'string' },
  out: { type: 'string' },
} as const;

export const ANSWERING_USAGE = '--identity FILE --signer FILE --alias NAME --keyring FILE --root-key FILE\n         (--relay URL | --out DIR) [options] PATH…';

export const ANSWERING_HELP = `  --conversation ID       as support-relay inbox shows it; may be left out when there is only one in the letters
  --signer FILE           your signer (support-relay keygen --signer): what makes people and team believe it
  --alias NAME            the name by which the team knows you; the person never sees it
  --anyway                also when somebody else has answered or taken the conversation
${READING_HELP}
${RELAY_HELP}
  --keep DIR              what the relay does not take is written there, sealed
  --out DIR               send nothing: write it there, sealed, for support-relay send, or for somebody else to send

The passphrase of --passphrase-file is also the signer's. --keyring and --root-key are needed, and one of the keyrings
must be valid now: what you write is sealed under the newest of these.`;

type Values = {
  [Name in keyof typeof ANSWERING_OPTIONS]?: (typeof ANSWERING_OPTIONS)[Name] extends { multiple: true } ? string[] : (typeof ANSWERING_OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string;
} & { to?: string; text?: string };

/** Finds the conversation, composes, asks at a terminal, and sends. @returns the exit code */
export async function answerConversation(action: NoteText['action'], values: Values, paths: readonly string[], io: Io): Promise<number> {
  const command = action === 'answer' ? 'reply' : action;
  const destination = destinationOf(values, command);
  const alias = nameOf(required(values.alias, 'alias', command));
  const to = values.to === undefined ? {} : { to: nameOf(values.to) };
  const signerFile = required(values.signer, 'signer', command);
  if (values.keyring === undefined || values['root-key'] === undefined) throw new UsageError('--keyring and --root-key are needed', command);
  const isPiped = action === 'answer' && values.file === undefined && !io.stdinIsTerminal;
  if (isPiped && paths.includes('-')) throw new UsageError('standard input is either the letter or the text: give the text with --file', command);

  const reader = await readerFor(values, io, command);
  const verified = currentOf(reader.keyrings ?? [], io.now());
  const signer = await readSigner(signerFile, io, values['passphrase-file']);
  teamOf(verified.keyring, signer, undefined);

  const { conversations, exitCode } = await readAll(paths, reader, false);
  // Why nothing opened has been said.
  if (conversations.length === 0 && exitCode !== EXIT.ok) return exitCode;
  const conversation = answerable(conversations, values.conversation);
  await insistIfTaken(takenBy(conversation.notes, toHex(signer.key), alias), conversation.id, values.anyway === true, io);

  if (io.stdinIsTerminal) io.err(`Conversation ${conversation.id}\n`);
  const text = values.text ?? (await readWords(io, values.file, action === 'answer'));
  const draft: Draft = { verified, team: teamOf(verified.keyring, signer, conversation.topic), conversation, signer, said: { action, alias, ...to, text } };
  if (io.stdinIsTerminal && roomIn(draft) >= 0) await confirm(draft, io);
  return dispatch(composeParcels(draft), destination, io);
}

/** The newest that is valid now. Errors: KEYRING_EXPIRED, KEYRING_NOT_YET_VALID of the newest, when none is. */
function currentOf(keyrings: readonly VerifiedKeyring[], now: Date): VerifiedKeyring {
  const [newest, ...older] = [...keyrings].sort((a, b) => b.keyring.serial - a.keyring.serial) as [VerifiedKeyring, ...VerifiedKeyring[]];
  const valid = [newest, ...older].find(({ keyring }) => Date.parse(keyring.notBefore) <= now.getTime() && now.getTime() < Date.parse(keyring.notAfter));
  if (valid === undefined) checkValidity(newest.keyring, now);
  return valid ?? newest;
}

function nameOf(text: string): string {
  const name = text.normalize('NFC').trim();
  if (name.length >= 1 && name.length <= ALIAS_LENGTH_MAX && visible(name) === name && !/[\n\t]/.test(name)) return name;
  throw new CliError('ALIAS_FORMAT', `a name in the team has 1 to ${String(ALIAS_LENGTH_MAX)} characters`, 'give a shorter one, on one line');
}

async function insistIfTaken(taken: readonly string[], id: string, anyway: boolean, io: Io): Promise<void> {
  if (taken.length === 0) return;
  for (const line of taken) io.err(`Conversation ${id}: ${line}.\n`);
  if (anyway || (io.stdinIsTerminal && (await isYes('Go on all the same? [y/N] ', io)))) return;
  throw new CliError('CONVERSATION_TAKEN', `somebody else has conversation ${id}`, 'speak with them, or give --anyway; nothing was sent');
}

async function confirm(draft: Draft, io: Io): Promise<void> {
  const { action, alias, to, text } = draft.said;
  io.err(`\n${visibleLine(alias)}: ${action}${to === undefined ? '' : ` to ${visibleLine(to)}`}\n${text === '' ? '' : `${block(text, io.columns)}\n`}\n(room left: ${String(roomIn(draft))} bytes)\n`);
  if (!(await isYes('Send? [y/N] ', io))) throw new CliError('NOT_SENT', 'stopped', 'nothing was sent');
}

async function isYes(question: string, io: Io): Promise<boolean> {
  return /^\s*(y|yes|д|да)\s*$/i.test(await io.ask(question));
}
