// A relay of the Debian package, on a machine that `npm run test:package` starts, and a volunteer who reads what comes.
import { readFile } from 'node:fs/promises';
import { generateIdentity } from '../../crypto/age/identity.ts';
import { parseAnswer } from '../../crypto/answer.ts';
import { verifyKeyring } from '../../crypto/keyring.ts';
import { openLetter } from '../../crypto/letter.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { DebianMachine } from './debian-machine.ts';
import { http, postParcel } from './http.ts';
import { attachedLetters, readMaildir } from './maildir.ts';

export const DEBIAN_PARTS = ['redis', 'worker', 'relay', 'operator', 'tor'] as const;
export const DEBIAN_STATE = '/var/lib/support-relay';
const SETTINGS = '/etc/default/support-relay';
const WEEKS = 13;

export class DebianRelay extends DebianMachine {
  /** The Maildir of its only team. */
  readonly inbox = `${DEBIAN_STATE}/inbox/inbox-1`;
  /** The volunteer's, one a week. */
  readonly identities: readonly string[] = Array.from({ length: WEEKS }, generateIdentity);

  /** What systemd says of each part. */
  states(): string[] {
    return DEBIAN_PARTS.map((part) => this.property(`support-relay-${part}`, 'ActiveState'));
  }

  async door(): Promise<string> {
    return this.#get('door.json');
  }

  /** Posts a request over the relay's socket. @returns what became of it */
  async post(message: string): Promise<string> {
    const [json, signature] = await Promise.all([this.#get('keyring.json'), this.#get('keyring.json.minisig')]);
    const root = parsePublicKey(await readFile(this.path(DEBIAN_STATE, 'keyrings/root.pub'), 'utf8'));
    const keyring = verifyKeyring(Buffer.from(json), signature, root);
    const parcel = stampParcel(sealRequest({ topic: 'psychological', language: 'ru', message }, keyring), 10);
    const { body } = await postParcel('http://relay/', parcel, { socketPath: this.#socket });
    return parseAnswer(body).result;
  }

  /** What the volunteer finds in the Maildir, in no order that means anything. */
  async requests(): Promise<string[]> {
    const letters = await Promise.all((await readMaildir(this.path(this.inbox))).map(({ mail }) => attachedLetters(mail)));
    const contents = letters.flat().map((letter) => openLetter(letter, this.identities));
    return contents.flatMap((content) => ('message' in content ? [content.message] : [])).toSorted();
  }

  /** Sets how long a round takes; in each the whole pool leaves. */
  setRounds(seconds: number): void {
    this.run(`printf 'WORKER_ROUND_SECONDS=${String(seconds)}\\nWORKER_SHARE=1\\n' > ${SETTINGS}`);
  }

  /** The network interfaces that a part sees. */
  interfacesOf(part: string): string[] {
    const pid = this.property(`support-relay-${part}`, 'MainPID');
    const lines = this.run(`nsenter --target ${pid} --net cat /proc/net/dev`).match(/^ *[\w.]+(?=:)/gm) ?? [];
    return lines.map((name) => name.trim());
  }

  get #socket(): string {
    return this.path('/run/support-relay/relay/relay.sock');
  }

  async #get(name: string): Promise<string> {
    return Buffer.from((await http(`http://relay/${name}`, { socketPath: this.#socket })).body).toString();
  }
}
