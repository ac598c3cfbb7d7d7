import { CodedError } from '../../crypto/errors.ts';
import { mayHideNote } from '../../volunteer/conversations/cautions.ts';
import {
  groupIntoConversations,
  type AliasRemark,
  type Conversation,
  type OpenedLetter,
} from '../../volunteer/conversations/conversations.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { CliError, EXIT, type CliErrorCode } from '../errors.ts';
import { describeFailure, type Failure } from '../failure.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';
import { readLetters, type Read, type Reader, type RefusedLetter } from './reader.ts';

/** The letter opened, but is not what it claims to be. */
const UNTRUSTED: readonly string[] = ['LETTER_THREAD', 'SIGNER_UNKNOWN', 'SIGNER_SIGNATURE'];

/** A path, and not a message in it, cannot be read. */
const AWAY: readonly CliErrorCode[] = ['INPUT_MISSING', 'INPUT_FORMAT', 'IMAP_AWAY', 'IMAP_REFUSED', 'IMAP_CERTIFICATE'];

/**
 * Reads everything, shows what is authentic in the order of the paths, and reports the rest. `exitCode` is 0 only when
 * everything was opened and authentic; `whole` is false when there may be a note in what could not be read, `isListed` when a path could
 * not be read at all.
 */
export async function readAll(
  paths: readonly string[],
  reader: Reader,
  json: boolean,
  show: (letter: OpenedLetter) => void = () => undefined,
): Promise<{ conversations: Conversation[]; exitCode: number; whole: boolean; isListed: boolean }> {
  const reads: Read[] = [];
  for await (const read of readLetters(paths, reader)) reads.push(read);
  const opened = reads.filter((read) => 'content' in read);
  const covers = reads.filter((read) => 'cover' in read).length;
  const { conversations, refused, aliases } = groupIntoConversations(opened);
  const shown = new Set<OpenedLetter>(conversations.flatMap(({ letters }) => letters));
  const report = new Report(reader, json);
  for (const read of reads) {
    const failure = 'error' in read ? read : refused.find(({ letter }) => letter === read);
    if (failure !== undefined) report.add(failure);
    // One that is in no conversation repeats another letter, sealed once more.
    else if ('content' in read && shown.has(read)) show(read);
  }
  report.tell();
  for (const remark of aliases) reader.io.err(`support-relay: ! ${visibleLine(aliasRemark(remark))}\n`);
  report.sum(shown.size, covers, paths);
  const isListed = !reads.some((read) => 'error' in read && read.error instanceof CliError && AWAY.includes(read.error.code));
  return { conversations, exitCode: report.exitCode, whole: report.whole, isListed };
}

function aliasRemark({ kind, signers, aliases }: AliasRemark): string {
  const keys = signers.map(fingerprint).join(' and ');
  const names = aliases.map((alias) => `"${alias}"`).join(' and ');
  return kind === 'one-signer'
    ? `one signer, ${keys}, writes as ${names}: do not answer, tell the administrator`
    : `${names} is written by several signers, ${keys}: do not answer, tell the administrator`;
}

/** Up to so many letters with one failure have a line each; of more, only so many are named. */
const ALIKE_MAX = 3;

class Report {
  readonly #reader: Reader;
  readonly #json: boolean;
  readonly #failures: (Failure & { source: string; heading: string })[] = [];

  constructor(reader: Reader, json: boolean) {
    this.#reader = reader;
    this.#json = json;
  }

  get exitCode(): number {
    const codes = this.#failures.map(({ exitCode }) => exitCode);
    return codes.includes(EXIT.notAuthentic) ? EXIT.notAuthentic : (codes[0] ?? EXIT.ok);
  }

  get whole(): boolean {
    return !this.#failures.some(({ code }) => mayHideNote(code));
  }

  add({ source, error }: RefusedLetter): void {
    const failure = describeFailure(error);
    const { code, message, exitCode } = failure;
    if (exitCode === EXIT.internal || exitCode === EXIT.interrupted || exitCode === EXIT.usage) throw error;
    const heading = error instanceof CodedError && UNTRUSTED.includes(code) ? 'NOT TRUSTED' : 'NOT OPENED';
    this.#failures.push({ ...failure, source, heading });
    if (this.#json) this.#reader.io.out(`${visibleJson({ source, authentic: false, error: { code, message } })}\n`);
  }

  /** A line for each failure, or one for many that are alike: with the key of another week all letters fail alike. */
  tell(): void {
    const { err } = this.#reader.io;
    const alike = new Map<string, string[]>();
    for (const { heading, source, line } of this.#failures) {
      const key = JSON.stringify([heading, line]);
      const sources = alike.get(key) ?? [];
      sources.push(visibleLine(source));
      alike.set(key, sources);
    }
    for (const [key, sources] of alike) {
      const [heading, line] = JSON.parse(key) as [string, string];
      if (sources.length > ALIKE_MAX) {
        err(`support-relay: !! ${heading}: ${String(sources.length)} times: ${line}\n  ${someOf(sources)}\n`);
        continue;
      }
      for (const source of sources) err(`support-relay: !! ${heading}: ${source}: ${line}\n`);
    }
  }

  sum(shown: number, covers: number, paths: readonly string[]): void {
    const { io, keyrings, own } = this.#reader;
    const failed = this.#failures.length;
    if (!this.#json && shown + failed === 0) {
      const missing = covers > 0 ? 'request and no note' : 'letter';
      io.err(`Nothing to read: there is no ${missing} in ${paths.map(visibleLine).join(', ')}.\n`);
    }
    if (failed > 0) io.err(`support-relay: ${String(shown)} opened, ${String(failed)} NOT opened (see above)\n`);
    // Nobody should be able to fill an inbox with them unnoticed.
    if (covers > 0) io.err(`support-relay: ${String(covers)} cover ${covers === 1 ? 'letter' : 'letters'} without a message left out\n`);
    if (keyrings === null && shown > 0) {
      const what = own === null ? 'give --keyring and --root-key' : `put root.pub and the keyrings into ${visibleLine(own.folder)}`;
      io.err(`The keyrings were not checked: ${what}, so that a forged one is noticed.\n`);
    }
  }
}

function someOf(sources: readonly string[]): string {
  const more = sources.length - ALIKE_MAX;
  return `${sources.slice(0, ALIKE_MAX).join(', ')} and ${String(more)} more (support-relay open --json names each)`;
}
