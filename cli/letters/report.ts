import { CodedError } from '../../crypto/errors.ts';
import { mayHideNote } from '../../letters/cautions.ts';
import { converse, type AliasRemark, type Conversation, type Opened } from '../../letters/conversations.ts';
import { fingerprint } from '../../letters/fingerprint.ts';
import { EXIT } from '../errors.ts';
import { describeFailure, type Failure } from '../failure.ts';
import { visibleJson, visibleLine } from '../terminal.ts';
import { readLetters, type Read, type Reader, type Refused } from './reader.ts';

/** It opened, and yet it is not what it says. */
const UNTRUSTED: readonly string[] = ['LETTER_THREAD', 'SIGNER_UNKNOWN', 'SIGNER_SIGNATURE'];

/**
 * Reads everything, shows in the order of the paths what is believed, and reports the rest. `exitCode` is 0 only when
 * everything was opened and authentic; `whole` is false when a note may be in what could not be read.
 */
export async function readAll(paths: readonly string[], reader: Reader, json: boolean, show: (letter: Opened) => void = () => undefined):
Promise<{ conversations: Conversation[]; exitCode: number; whole: boolean }> {
  const reads: Read[] = [];
  for await (const read of readLetters(paths, reader)) reads.push(read);
  const opened = reads.filter((read) => 'content' in read);
  const { conversations, refused, aliases } = converse(opened);
  const failures = new Report(reader, json);
  for (const read of reads) {
    const failure = 'error' in read ? read : refused.find(({ letter }) => letter === read);
    if (failure !== undefined) failures.add(failure);
    else if ('content' in read) show(read);
  }
  for (const remark of aliases) reader.io.err(`support-relay: ! ${visibleLine(aliasRemark(remark))}\n`);
  failures.sum(opened.length - refused.length);
  return { conversations, exitCode: failures.exitCode, whole: failures.whole };
}

function aliasRemark({ kind, signers, aliases }: AliasRemark): string {
  const keys = signers.map(fingerprint).join(' and ');
  const names = aliases.map((alias) => `"${alias}"`).join(' and ');
  return kind === 'one-signer' ? `one signer, ${keys}, writes as ${names}: do not answer, tell the administrator` : `${names} is written by several signers, ${keys}: do not answer, tell the administrator`;
}

class Report {
  private readonly reader: Reader;
  private readonly json: boolean;
  private readonly failures: Failure[] = [];

  constructor(reader: Reader, json: boolean) {
    this.reader = reader;
    this.json = json;
  }

  get exitCode(): number {
    const codes = this.failures.map(({ exitCode }) => exitCode);
    return codes.includes(EXIT.notAuthentic) ? EXIT.notAuthentic : (codes[0] ?? EXIT.ok);
  }

  get whole(): boolean {
    return !this.failures.some(({ code }) => mayHideNote(code));
  }

  add({ source, error }: Refused): void {
    const failure = describeFailure(error);
    const { code, message, line, exitCode } = failure;
    if (exitCode === EXIT.internal || exitCode === EXIT.interrupted || exitCode === EXIT.usage) throw error;
    this.failures.push(failure);
    const verdict = error instanceof CodedError && UNTRUSTED.includes(code) ? 'NOT TRUSTED' : 'NOT OPENED';
    this.reader.io.err(`support-relay: !! ${verdict}: ${visibleLine(source)}: ${line}\n`);
    if (this.json) this.reader.io.out(`${visibleJson({ source, authentic: false, error: { code, message } })}\n`);
  }

  sum(shown: number): void {
    const { io, keyrings } = this.reader;
    const failed = this.failures.length;
    if (!this.json && shown + failed === 0) io.err('There is nothing to open.\n');
    if (failed > 0) io.err(`support-relay: ${String(shown)} opened, ${String(failed)} NOT opened (see above)\n`);
    if (keyrings === null && shown > 0) {
      io.err('The keyrings were not checked: with --keyring and --root-key a forged one is noticed.\n');
    }
  }
}
