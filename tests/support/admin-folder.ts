// An administrator's folder, filled by the real commands, and the cards of the people around it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encodeCard, WEEK_MS, weekStart } from '../../crypto/card.ts';
import { verifyKeyring, type Keyring } from '../../crypto/keyring.ts';
import { generateKeyPair, parsePublicKey, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { cli, writeTo, type CliInput, type CliResult } from './cli.ts';

const instantOf = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19)}Z`;

export type CardWish = { from: Date; weeks?: number; signer?: SigningKey; recipients?: readonly string[] };

/** The text of a card, as its holder's program makes it. */
export async function makeCard(holder: 'volunteer' | 'worker', { from, weeks = 13, signer, recipients }: CardWish): Promise<string> {
  await ready;
  const begin = weekStart(from.getTime());
  const list = Array.from({ length: weeks }, (_, at) => ({
    notBefore: instantOf(begin + at * WEEK_MS),
    notAfter: instantOf(begin + (at + 1) * WEEK_MS),
    recipient: recipients?.[at] ?? identityToRecipient(generateIdentity()),
  }));
  return encodeCard({ holder, weeks: list }, signer ?? generateKeyPair());
}

export class AdminFolder {
  readonly dir: string;
  now: Date;
  readonly #path: (...parts: string[]) => string;
  #cards = 0;

  constructor(path: (...parts: string[]) => string, name: string, now: Date) {
    this.dir = path(name);
    this.now = now;
    this.#path = path;
  }

  /** `support-relay admin …` in this folder, at `now`. */
  run(argv: readonly string[], input: CliInput = {}): Promise<CliResult> {
    const [command = '', ...rest] = argv;
    return cli(['admin', command, '--folder', this.dir, ...rest], { now: this.now, ...input });
  }

  /** The same, and it must end well. */
  async done(...argv: string[]): Promise<CliResult> {
    const result = await this.run(argv);
    expect(result.code, result.err).toBe(EXIT.ok);
    return result;
  }

  /** A file with a card. */
  async card(holder: 'volunteer' | 'worker', wish: Partial<CardWish> = {}): Promise<string> {
    this.#cards += 1;
    const text = await makeCard(holder, { from: this.now, ...wish });
    return writeTo(this.#path(`${String(this.#cards)}-${holder}.card`), text);
  }

  /** One team `psych` with the volunteer Maple, and the worker's card: all that a season needs. */
  async furnish(weeks = 13): Promise<SigningKey> {
    await this.done('init', '--no-passphrase');
    await this.done(
      'team',
      'psych',
      '--name',
      'ru=Психологи',
      '--name',
      'en=Psychologists',
      '--topic',
      'psychological:en=Psychological help',
    );
    await ready;
    const maple = generateKeyPair();
    await this.done('add', await this.card('volunteer', { weeks, signer: maple }), '--team', 'psych', '--alias', 'Maple', '--yes');
    await this.done('add', await this.card('worker', { weeks }), '--yes');
    return maple;
  }

  /** The keyrings in the folder, verified, by rising serial. */
  async keyrings(): Promise<Keyring[]> {
    return keyringsIn(join(this.dir, 'keyrings'), join(this.dir, 'root.pub'));
  }

  /** Those in a place of out/. */
  out(place = 'relay'): Promise<Keyring[]> {
    return keyringsIn(join(this.dir, 'out', place), join(this.dir, 'root.pub'));
  }
}

async function keyringsIn(folder: string, rootFile: string): Promise<Keyring[]> {
  const root = parsePublicKey(await readFile(rootFile, 'utf8'));
  const names = (await readdir(folder).catch((): string[] => [])).filter((name) => name.endsWith('.json'));
  const keyrings = await Promise.all(
    names.map(async (name) => {
      const json = new Uint8Array(await readFile(join(folder, name)));
      return verifyKeyring(json, await readFile(join(folder, `${name}.minisig`), 'utf8'), root).keyring;
    }),
  );
  return keyrings.toSorted((a, b) => a.serial - b.serial);
}
