// What `reply`, `claim` and `handover` have in common.
import { toHex } from '../../crypto/bytes.ts';
import { currentKeyring } from '../../crypto/keyring.ts';
import { ALIAS_LENGTH_MAX, type NoteAction } from '../../crypto/note.ts';
import { aliasFrom, isAlias } from '../../volunteer/conversations/alias.ts';
import { formerAlias } from '../../volunteer/conversations/cautions.ts';
import { isNoted } from '../../volunteer/conversations/conversations.ts';
import { required } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { READING_HELP, READING_OPTIONS, readerFor } from '../reading/reader.ts';
import { readAll } from '../reading/report.ts';
import { visibleJson } from '../terminal/terminal.ts';
import { ownTeam, parcelsOf, type Draft } from './compose.ts';
import { answerable, fullOf, insistOnKey, othersHaving } from './conversation.ts';
import { RELAY_HELP, destinationOf } from '../sending/destination.ts';
import { dispatch } from './dispatch.ts';
import { AT_ONCE_OPTION } from '../sending/moments.ts';
import { readSigner, refuseRootKey } from '../keys/signer.ts';
import { withNewest } from './newest.ts';
import { aboutOf, aliasAsBefore, confirmIncomplete, confirmSending, confirmTaken, refuseFull } from './questions.ts';
import { readText } from './text.ts';

export const ANSWERING_OPTIONS = {
  ...READING_OPTIONS,
  conversation: { type: 'string' },
  signer: { type: 'string' },
  alias: { type: 'string' },
  file: { type: 'string' },
  anyway: { type: 'boolean' },
  incomplete: { type: 'boolean' },
  relay: { type: 'string' },
  ...AT_ONCE_OPTION,
  keep: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const ANSWERING_USAGE = `[--keys DIR | --identity FILE --signer FILE --keyring FILE --root-key FILE]
         --alias NAME (--relay URL | --out DIR) [options] PATH…`;

export const ANSWERING_HELP = `  --conversation ID       as support-relay inbox shows it; not needed for letters of a single conversation
  --signer FILE           your signer, where it is not in --keys: shows person and team that a volunteer wrote it
  --alias NAME            the name by which the team knows you; the person never sees it
  --anyway                even if somebody else has answered or taken the conversation, or its mailbox may be full
  --incomplete            even if not everything could be read, so that somebody else may have the conversation
${READING_HELP}
${RELAY_HELP}
  --keep DIR              write what is sent there first, sealed, and delete each file when the relay has it: nothing is lost
                          if this program, the computer or the connection breaks off; support-relay send sends what is left
  --out DIR               send nothing: write it there, sealed, to be sent with support-relay send by you or somebody else
  --json                  one line of JSON: conversation, sent, unsent (numbers), files (what waits to be sent)

The passphrase of --passphrase-file is also the signer's. The newest keyring that has begun must still be valid: what you
write is sealed under it, and never under an older one.`;

type Values = {
  [Name in keyof typeof ANSWERING_OPTIONS]?: (typeof ANSWERING_OPTIONS)[Name] extends { multiple: true }
    ? string[]
    : (typeof ANSWERING_OPTIONS)[Name]['type'] extends 'boolean'
      ? boolean
      : string;
} & { to?: string };

/** Finds the conversation, asks at a terminal what is to be written and whether to send it, and sends it. @returns the exit code */
export async function answerConversation(action: NoteAction, values: Values, paths: readonly string[], io: Io): Promise<number> {
  const { command, destination, signerFile, alias: givenAlias, to } = parseAnswerOptions(action, values, paths, io);
  const reader = await withNewest(await readerFor(values, io, command, true), destination);
  const verified = currentKeyring(reader.keyrings ?? [], io.now());
  const signer = signerFile === undefined ? reader.own?.signer : await readSigner(signerFile, io, values['passphrase-file']);
  if (signer === undefined) throw new UsageError('--keys or --signer is missing', command);
  refuseRootKey(signerFile ?? reader.own?.signerFile ?? '', signer, reader.roots);
  // Fails early when the signer is in no team; which of its teams answers depends on the topic, below.
  ownTeam(verified.keyring, signer, reader.identities);

  const { conversations, exitCode, whole } = await readAll(paths, reader, false);
  // readAll has said why nothing opened.
  if (conversations.length === 0 && exitCode !== EXIT.ok) return exitCode;
  const conversation = answerable(conversations, values.conversation);
  if (action === 'answer') insistOnKey(conversation);
  const by = toHex(signer.key);
  const anyway = values.anyway === true;
  const notes = conversations.flatMap(({ letters }) => letters.filter(isNoted));
  const former = formerAlias(notes, by, givenAlias);
  const alias = former === null || anyway ? givenAlias : await aliasAsBefore(former, givenAlias, io);
  if (!whole) await confirmIncomplete(conversation.id, values.incomplete === true, io);
  await confirmTaken(othersHaving(conversation, by, alias), conversation.id, anyway, io);
  if (action === 'answer') refuseFull(fullOf(conversation, by, io.now()), conversation.id, anyway, io);

  const about = aboutOf(conversation, io.columns);
  if (io.stdinIsTerminal) io.err(about);
  const text = await readText(io, values.file, action === 'answer');
  const team = ownTeam(verified.keyring, signer, reader.identities, conversation.topic);
  const draft: Draft = { conversation, means: { verified, team, signer }, said: { action, alias, ...to, text } };
  if (io.stdinIsTerminal) await confirmSending(draft, about, io);
  const isJson = values.json === true;
  const { exitCode: sentCode, ...dispatched } = await dispatch(parcelsOf(draft), { destination, io, isJson });
  if (isJson) io.out(`${visibleJson({ conversation: conversation.id, ...dispatched })}\n`);
  return sentCode;
}

/** The command that makes a note of each action. */
const COMMANDS: Readonly<Record<NoteAction, string>> = { answer: 'reply', claim: 'claim', handover: 'handover' };

/** Checks what can be checked before any passphrase is asked. Throws USAGE when an option is missing, ALIAS_FORMAT. */
function parseAnswerOptions(action: NoteAction, values: Values, paths: readonly string[], io: Io) {
  const command = COMMANDS[action];
  const destination = destinationOf(values, command);
  const alias = nameOf(required(values.alias, 'alias', command));
  const to = values.to === undefined ? {} : { to: nameOf(values.to) };
  const signerFile =
    values.identity === undefined || values.keys !== undefined ? values.signer : required(values.signer, 'signer', command);
  const isPiped = action === 'answer' && values.file === undefined && !io.stdinIsTerminal;
  if (isPiped && paths.includes('-')) {
    throw new UsageError('standard input is either the letter or the text: give the text with --file', command);
  }
  return { command, destination, signerFile, alias, to };
}

function nameOf(text: string): string {
  const name = aliasFrom(text);
  if (isAlias(name)) return name;
  throw new CliError(
    'ALIAS_FORMAT',
    'this cannot be a name in the team',
    `use 1 to ${String(ALIAS_LENGTH_MAX)} visible characters on one line`,
  );
}
