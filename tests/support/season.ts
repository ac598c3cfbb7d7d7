// A volunteer's season: a folder of keys as `volunteer keys` makes it, a keyring a week by the administrator, and letters.
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createKeyring, type NewKeyring } from '../../cli/keys/keyring.ts';
import { createRootKey, readRootKey } from '../../cli/keys/root-key.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { verifyCard, WEEK_MS, type VerifiedCard } from '../../crypto/card.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { sealLetter } from '../../crypto/letter.ts';
import type { SigningKey } from '../../crypto/minisign.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { signAddress, threadOf, type Thread } from '../../crypto/thread.ts';
import { cli, TEAM, temporaryDirectory, TOPIC, writeTo, type CliInput, type CliResult } from './cli.ts';

export const SEASON_BEGIN = Date.parse('2026-11-30T00:00:00Z');
const PASSPHRASE = 'correct horse ёжик';
/** A cheap work factor: it is not the point where this is used. */
const LOG_N = 12;

type Change = Partial<Pick<Keyring, 'teams' | 'notBefore' | 'notAfter'>> & { previous?: NewKeyring; folder?: string };

export class Season {
  readonly path: (...parts: string[]) => string;
  readonly remove: () => Promise<void>;
  readonly worker: string;
  readonly #rootKey: SigningKey;
  readonly #colleague: Map<number, string>;
  #card: VerifiedCard | undefined;

  private constructor(dir: Awaited<ReturnType<typeof temporaryDirectory>>, rootKey: SigningKey, from?: Season) {
    this.path = dir.path;
    this.remove = dir.remove;
    this.#rootKey = rootKey;
    this.worker = from?.worker ?? identityToRecipient(generateIdentity());
    this.#colleague = new Map(from === undefined ? [] : from.#colleague);
    this.#card = from === undefined ? undefined : from.#card;
  }

  /** Root key and key folder of `weeks` weeks from SEASON_BEGIN; root.pub and keyrings are for the test to put there. */
  static async start(weeks: number): Promise<Season> {
    const dir = await temporaryDirectory();
    const { keyFile } = await createRootKey({ directory: dir.path('root') });
    const season = new Season(dir, await readRootKey(keyFile, () => Promise.reject(new Error('it has no passphrase'))));
    await writeTo(dir.path('passphrase'), `${PASSPHRASE}\n`);
    const { code, err } = await season.run(['volunteer', 'keys', '--weeks', String(weeks)], { now: new Date(SEASON_BEGIN) });
    if (code !== 0) throw new Error(err);
    await season.readCard();
    return season;
  }

  /** The same keys, keyrings and letters in a folder of its own, for a test that changes them: making them takes seconds. */
  async copy(): Promise<Season> {
    const dir = await temporaryDirectory();
    await cp(this.path(), dir.path(), { recursive: true });
    return new Season(dir, this.#rootKey, this);
  }

  /** After somebody has made the keys in the folder anew. */
  async readCard(): Promise<void> {
    this.#card = verifyCard(await readFile(join(this.keys, 'season-2026-11-30.card'), 'utf8'));
  }

  get keys(): string {
    return this.path('keys');
  }

  get rootPublicKey(): string {
    return this.path('root', 'root.pub');
  }

  get card(): VerifiedCard {
    if (this.#card === undefined) throw new Error('no card yet');
    return this.#card;
  }

  /** Runs a command with the folder of keys and its passphrase. */
  run(argv: readonly string[], input: CliInput = {}): Promise<CliResult> {
    const takesPassphrase = argv[0] !== 'send' && argv[1] !== 'keep' && argv[1] !== 'keyring';
    const passphrase = takesPassphrase ? ['--passphrase-file', this.path('passphrase')] : [];
    return cli([...argv, '--keys', this.keys, ...passphrase], { logN: LOG_N, ...input });
  }

  recipient(week: number): string {
    return this.card.card.weeks[week]?.recipient ?? '';
  }

  /** The recipient of a colleague, who is in the team all the time. */
  colleague(week: number): string {
    const recipient = this.#colleague.get(week) ?? identityToRecipient(generateIdentity());
    this.#colleague.set(week, recipient);
    return recipient;
  }

  team(week: number): Keyring['teams'][number] {
    const recipients = [this.recipient(week), this.colleague(week)];
    return { ...TEAM, topics: [TOPIC], recipients, signers: [this.card.signer] };
  }

  /** Signs a keyring of a week, counted from 0, into the folder `out`. */
  sign(serial: number, week: number, change: Change = {}): Promise<NewKeyring> {
    const from = change.notBefore === undefined ? SEASON_BEGIN + week * WEEK_MS : Date.parse(change.notBefore);
    const until = change.notAfter === undefined ? SEASON_BEGIN + (week + 1) * WEEK_MS : Date.parse(change.notAfter);
    const plan = { serial, from: new Date(from), days: (until - from) / 86_400_000, worker: this.worker };
    const previous = change.previous === undefined ? {} : { previous: change.previous };
    const teams = change.teams ?? [this.team(week)];
    return createKeyring({ ...plan, ...previous, teams }, this.#rootKey, change.folder ?? this.path('out'));
  }

  /** Signs the keyrings of the weeks from `from` to `to`, each after the one before. */
  async signWeeks(from: number, to: number): Promise<NewKeyring[]> {
    const signed: NewKeyring[] = [];
    for (let week = from; week <= to; week += 1) {
      const previous = signed.at(-1);
      signed.push(await this.sign(week + 1, week, previous === undefined ? {} : { previous }));
    }
    return signed;
  }

  /** Copies root.pub and keyrings into the folder of keys, as somebody copies files. */
  async install(...keyrings: readonly NewKeyring[]): Promise<void> {
    await cp(this.rootPublicKey, join(this.keys, 'root.pub'));
    for (const { file } of keyrings) {
      for (const name of [basename(file), `${basename(file)}.minisig`]) await cp(join(dirname(file), name), join(this.keys, name));
    }
  }

  /** Writes a request, sealed to the volunteer's key of a week, into the Maildir of the test. @returns its file */
  async letter(
    week: number,
    { keyring, digest }: NewKeyring,
    message: string,
    thread: Thread = threadOf(randomBytes(32)),
  ): Promise<string> {
    const request = { kind: 'request', serial: keyring.serial, keyring: digest, topic: TOPIC.id, language: 'en', message } as const;
    const letter = sealLetter({ version: 1, ...request, thread: signAddress(request, thread) }, [this.recipient(week)]);
    await mkdir(this.path('Maildir', 'new'), { recursive: true });
    const count = (await readdir(this.path('Maildir', 'new'))).length;
    return writeTo(this.path('Maildir', 'new', `${String(count)}.age`), letter);
  }

  get maildir(): string {
    return this.path('Maildir');
  }
}
