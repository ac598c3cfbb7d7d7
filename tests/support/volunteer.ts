// A conversation at a real deployment, from the volunteer's side and, for what comes of it, from the requester's.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { signersOf } from '../../crypto/keyring.ts';
import { openLetter, type LetterContent, type NoteContent } from '../../crypto/letter.ts';
import { encodeQuestion, parseMailboxAnswer } from '../../crypto/mailbox.ts';
import { checkNote } from '../../crypto/note.ts';
import { openReply } from '../../crypto/reply.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import { cli, type CliInput, type CliResult } from './cli.ts';
import { startDeployment, type Deployment } from './deployment.ts';
import { http } from './http.ts';
import { attachedLetters, readMaildir } from './maildir.ts';

export class Volunteer {
  readonly deployment: Deployment;
  readonly #identities: readonly string[];

  constructor(deployment: Deployment, identities: readonly string[]) {
    this.deployment = deployment;
    this.#identities = identities;
  }

  get relay(): string {
    return this.deployment.url;
  }

  /** Somebody whose request lies in the Maildir. */
  async requester(message: string): Promise<Thread> {
    const thread = threadOf(codeRoot('ru', makeCode()));
    await this.deployment.post(stampParcel(sealRequest({ topic: 'legal', language: 'ru', message }, this.deployment.keyring, { thread }), 10));
    await expect.poll(async () => (await this.#letters()).flatMap((content) => ('message' in content ? [content.message] : []))).toContain(message);
    return thread;
  }

  async notesOf({ address }: Thread): Promise<NoteContent['note'][]> {
    const notes = (await this.#letters()).flatMap((content) => (content.kind === 'note' ? [content.note] : [])).filter(({ thread }) => thread === address.key);
    for (const note of notes) checkNote(note, signersOf(this.deployment.keyring.keyring));
    return notes;
  }

  /** What the page of somebody with the access code sees. */
  async repliesTo(thread: Thread): Promise<string[]> {
    const question = encodeQuestion({ mailboxKey: thread.mailboxKey, threadKey: thread.signing.key, page: 0 });
    const { body } = await http(new URL('mailbox', this.relay).href, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: question });
    const answer = parseMailboxAnswer(body, 0);
    if (answer.result !== 'read') return [];
    return answer.replies.map((reply) => openReply(reply, thread.identity, thread.signing.key, signersOf(this.deployment.keyring.keyring)).text);
  }

  /** The words of a command that answers this conversation. */
  words(command: readonly string[], thread: Thread, where: readonly string[]): string[] {
    const { identity, signer, keyringFile, rootKey, inbox } = this.deployment;
    return [
      ...command, '--identity', identity, '--signer', signer, '--alias', 'Анна', '--keyring', keyringFile, '--root-key', rootKey,
      '--conversation', thread.address.key.slice(0, 8), ...where, inbox,
    ];
  }

  answering(command: readonly string[], thread: Thread, where: readonly string[], input: CliInput = {}): Promise<CliResult> {
    return cli(this.words(command, thread, where), input);
  }

  stop(): Promise<void> {
    return this.deployment.stop();
  }

  async #letters(): Promise<LetterContent[]> {
    const files = await readMaildir(this.deployment.inbox);
    return (await Promise.all(files.map(({ mail }) => attachedLetters(mail)))).flat().map((letter) => openLetter(letter, this.#identities));
  }
}

export async function startVolunteer(): Promise<Volunteer> {
  const deployment = await startDeployment();
  return new Volunteer(deployment, parseIdentityFile(await readFile(deployment.identity, 'utf8')));
}
