// A conversation at a real deployment, from the volunteer's side and, to check the outcome, from the requester's.
import { expect } from 'vitest';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { signersOf } from '../../crypto/keyring.ts';
import type { NoteContent } from '../../crypto/letter.ts';
import { encodeQuestion, parseMailboxAnswer } from '../../crypto/mailbox.ts';
import { checkNote } from '../../crypto/note.ts';
import { openReply } from '../../crypto/reply.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import { cli, type CliInput, type CliResult } from './cli.ts';
import { shareDeployment, type Deployment } from './deployment.ts';
import { http } from './http.ts';
import { OpenedInbox } from './opened-inbox.ts';

export class Volunteer {
  readonly deployment: Deployment;
  readonly #inbox: OpenedInbox;

  constructor(deployment: Deployment) {
    this.deployment = deployment;
    this.#inbox = new OpenedInbox(deployment.inbox, deployment.identity);
  }

  get relay(): string {
    return this.deployment.url;
  }

  /** A requester whose request is in the Maildir. */
  async requester(message: string): Promise<Thread> {
    const thread = threadOf(codeRoot('ru', makeCode()));
    await this.deployment.post(
      stampParcel(sealRequest({ topic: 'legal', language: 'ru', message }, this.deployment.keyring, { thread }), 10),
    );
    await expect
      .poll(async () => (await this.#inbox.contents()).flatMap((content) => ('message' in content ? [content.message] : [])))
      .toContain(message);
    return thread;
  }

  async notesOf({ address }: Thread): Promise<NoteContent['note'][]> {
    const notes = (await this.#inbox.contents())
      .flatMap((content) => (content.kind === 'note' ? [content.note] : []))
      .filter(({ thread }) => thread === address.key);
    for (const note of notes) checkNote(note, signersOf(this.deployment.keyring.keyring));
    return notes;
  }

  /** The replies that the access code gives access to. */
  async repliesTo(thread: Thread): Promise<string[]> {
    const question = encodeQuestion({ mailboxKey: thread.mailboxKey, threadKey: thread.signing.key, page: 0 });
    const { body } = await http(new URL('mailbox', this.relay).href, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: question,
    });
    const answer = parseMailboxAnswer(body, 0);
    if (answer.result !== 'read') return [];
    return answer.replies.map(
      (reply) => openReply(reply, thread.identity, thread.signing.key, signersOf(this.deployment.keyring.keyring)).text,
    );
  }

  /** The arguments of a command that answers this conversation. */
  words(command: readonly string[], thread: Thread, where: readonly string[]): string[] {
    const { identity, signer, keyringFile, rootKey, inbox } = this.deployment;
    return [
      ...command,
      '--identity',
      identity,
      '--signer',
      signer,
      '--alias',
      'Анна',
      '--keyring',
      keyringFile,
      '--root-key',
      rootKey,
      '--conversation',
      thread.address.key.slice(0, 8),
      ...where,
      inbox,
    ];
  }

  answering(command: readonly string[], thread: Thread, where: readonly string[], input: CliInput = {}): Promise<CliResult> {
    return cli(this.words(command, thread, where), input);
  }

  stop(): Promise<void> {
    return this.deployment.stop();
  }
}

export async function startVolunteer(): Promise<Volunteer> {
  return new Volunteer(await shareDeployment());
}
