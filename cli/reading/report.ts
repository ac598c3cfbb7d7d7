import { CodedError } from '../../crypto/errors.ts';
import { mayHideNote } from '../../volunteer/conversations/cautions.ts';
import {
  groupIntoConversations,
  type AliasRemark,
  type Conversation,
  type OpenedLetter,
} from '../../volunteer/conversations/conversations.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { EXIT } from '../errors.ts';
import { describeFailure, type Failure } from '../failure.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';
import { readLetters, type Read, type Reader, type RefusedLetter } from './reader.ts';

/** It opened, and yet it is not what it says. */
const UNTRUSTED: readonly string[] = ['LETTER_THREAD', 'SIGNER_UNKNOWN', 'SIGNER_SIGNATURE'];

/**
 * Reads everything, shows in the order of the paths what is believed, and reports the rest. `exitCode` is 0 only when
 * everything was opened and authentic; `whole` is false when a note may be in what could not be read.
 */
export async function readAll(
  paths: readonly string[],
  reader: Reader,
  json: boolean,
  show: (letter: OpenedLetter) => void = () => undefined,
): Promise<{ conversations: Conversation[]; exitCode: number; whole: boolean }> {
  const reads: Read[] = [];
  for await (const read of readLetters(paths, reader)) reads.push(read);
  const opened = reads.filter((read) => 'content' in read);
  const covers = reads.filter((read) => 'cover' in read).length;
  const { conversations, refused, aliases } = groupIntoConversations(opened);
  const shown = new Set<OpenedLetter>(conversations.flatMap(({ letters }) => letters));
  const failures = new Report(reader, json);
  for (const read of reads) {
    const failure = 'error' in read ? read : refused.find(({ letter }) => letter === read);
    if (failure !== undefined) failures.add(failure);
    // A letter that somebody sealed once more was shown with the first of its copies.
    else if ('content' in read && shown.has(read)) show(read);
  }
  failures.tell();
  for (const remark of aliases) reader.io.err(`support-relay: ! ${visibleLine(aliasRemark(remark))}\n`);
  failures.sum(shown.size, covers, paths);
  return { conversations, exitCode: failures.exitCode, whole: failures.whole };
}

function aliasRemark({ kind, signers, aliases }: AliasRemark): string {
  const keys = signers.map(fingerprint).join(' and ');
  const names = aliases.map((alias) => `"${alias}"`).join(' and ');
  return kind === 'one-signer'
    ? `one signer, ${keys}, writes as ${names}: do not answer, tell the administrator`
    : `${names} is written by several signers, ${keys}: do not answer, tell the administrator`;
}

/** Up to so many of one reason have a line each; of more, so many are named. */
const ALIKE_MAX = 3;

class Report {
  readonly #reader: Reader;
  readonly #json: boolean;
  readonly #failures: (Failure & { source: string; verdict: string })[] = [];

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
    const verdict = error instanceof CodedError && UNTRUSTED.includes(code) ? 'NOT TRUSTED' : 'NOT OPENED';
    this.#failures.push({ ...failure, source, verdict });
    if (this.#json) this.#reader.io.out(`${visibleJson({ source, authentic: false, error: { code, message } })}\n`);
  }

  /** Each for itself, or many of one reason together: with the key of another week all letters have the same. */
  tell(): void {
    const { err } = this.#reader.io;
    const alike = new Map<string, string[]>();
    for (const { verdict, source, line } of this.#failures) {
      const key = JSON.stringify([verdict, line]);
      const sources = alike.get(key) ?? [];
      sources.push(visibleLine(source));
      alike.set(key, sources);
    }
    for (const [key, sources] of alike) {
      const [verdict, line] = JSON.parse(key) as [string, string];
      if (sources.length <= ALIKE_MAX) for (const source of sources) err(`support-relay: !! ${verdict}: ${source}: ${line}\n`);
      else err(`support-relay: !! ${verdict}: ${String(sources.length)} times: ${line}\n  ${this.#named(sources)}\n`);
    }
  }

  #named(sources: readonly string[]): string {
    return `${sources.slice(0, ALIKE_MAX).join(', ')} and ${String(sources.length - ALIKE_MAX)} more (support-relay open --json names each)`;
  }

  sum(shown: number, covers: number, paths: readonly string[]): void {
    const { io, keyrings } = this.#reader;
    const failed = this.#failures.length;
    if (!this.#json && shown + failed === 0)
      io.err(`Nothing to read: there is no ${covers > 0 ? 'request and no note' : 'letter'} in ${paths.map(visibleLine).join(', ')}.\n`);
    if (failed > 0) io.err(`support-relay: ${String(shown)} opened, ${String(failed)} NOT opened (see above)\n`);
    // Nobody is to be able to fill an inbox unnoticed.
    if (covers > 0) io.err(`support-relay: ${String(covers)} cover ${covers === 1 ? 'letter' : 'letters'} without words passed over\n`);
    if (keyrings === null && shown > 0) {
      io.err('The keyrings were not checked: with --keyring and --root-key a forged one is noticed.\n');
    }
  }
}
