import { readKeyring } from '../actions/keyring.ts';
import { readRootPublicKey } from '../actions/root-key.ts';
import { toHex, blake2b } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { openLetter } from '../../crypto/letter.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { defineCommand } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import type { Io } from '../io.ts';
import { findLetters } from '../letters/find.ts';
import type { Found } from '../letters/find.ts';
import { readIdentities } from '../letters/identities.ts';
import { asJson, present } from '../letters/present.ts';
import type { Opened } from '../letters/present.ts';
import { sourcesOf } from '../letters/sources.ts';
import type { Source } from '../letters/sources.ts';
import { visibleJson, visibleLine } from '../terminal.ts';

const NAME = 'open';

export const open = defineCommand({
  name: NAME,
  summary: 'Open requests: files, messages or a whole Maildir',
  usage: '--identity FILE [--keyring FILE --root-key FILE] [--json] PATH…',
  details: `
PATH is a letter (.age, binary or armored), a saved message (.eml), a Maildir (every message in new/ and cur/) or -
for standard input. Requests are shown on the screen; nothing is written to disk. What cannot be opened is reported
and the rest is shown. Characters that could act on the terminal or change the reading direction are shown as
‹U+202E›; --json keeps the text exactly. The same letter delivered twice is shown once.

  --identity FILE         your key; give the option again for each further week. A protected one asks its passphrase
  --keyring FILE          a keyring the administrator gave you (with FILE.minisig beside it); may be repeated. A letter
                          sealed under any other keyring is refused
  --root-key FILE         the administrator's public root key (root.pub), needed with --keyring
  --passphrase-file FILE  for scripts: the identities' passphrase is the first line of FILE
  --json                  one JSON object a line

Ends with 0 only when everything was opened and authentic.

Example: support-relay open --identity week-12.age --keyring keyring-12.json --root-key root.pub ~/Maildir`,
  options: {
    identity: { type: 'string', multiple: true },
    keyring: { type: 'string', multiple: true },
    'root-key': { type: 'string', multiple: true },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  arguments: [1, Number.POSITIVE_INFINITY],
  run: async (values, paths, io) => {
    if (values.identity === undefined) throw new UsageError('--identity is missing', NAME);
    const keyrings = await readKeyrings(values.keyring, values['root-key']);
    const identities = await readIdentities(values.identity, io, values['passphrase-file']);
    return new Opening({ io, identities, keyrings, json: values.json === true }).run(paths);
  },
});

async function readKeyrings(files: readonly string[] | undefined, rootKeys: readonly string[] | undefined): Promise<VerifiedKeyring[] | null> {
  if (files === undefined) {
    if (rootKeys !== undefined) throw new UsageError('--root-key checks a --keyring, and none is given', NAME);
    return null;
  }
  if (rootKeys === undefined) throw new UsageError('--keyring needs --root-key', NAME);
  const roots = await Promise.all(rootKeys.map(readRootPublicKey));
  return Promise.all(files.map((file) => verifiedByOneOf(file, roots)));
}

/** The administrator may have changed the root key: each keyring must hold under one of those given. */
async function verifiedByOneOf(file: string, roots: readonly PublicKey[]): Promise<VerifiedKeyring> {
  let failure: unknown;
  for (const root of roots) {
    try {
      return await readKeyring(file, root);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'MINISIGN_KEY') throw error;
      failure = error;
    }
  }
  throw failure;
}

type OpeningOptions = { io: Io; identities: readonly string[]; keyrings: readonly VerifiedKeyring[] | null; json: boolean };

/** One run over the given paths: shows what opens, counts what does not. */
class Opening {
  private readonly options: OpeningOptions;
  private readonly shown = new Set<string>();
  private refused = 0;
  private unreadable = 0;

  constructor(options: OpeningOptions) {
    this.options = options;
  }

  async run(paths: readonly string[]): Promise<number> {
    for (const path of paths) {
      for (const source of await this.sources(path)) await this.openSource(source);
    }
    this.sum();
    if (this.refused > 0) return EXIT.notAuthentic;
    return this.unreadable > 0 ? EXIT.input : EXIT.ok;
  }

  private async sources(path: string): Promise<Source[]> {
    try {
      return await sourcesOf(path, this.options.io);
    } catch (error) {
      this.report(path, error);
      return [];
    }
  }

  private async openSource(source: Source): Promise<void> {
    let letters: Found[];
    try {
      letters = await findLetters(await source.read());
    } catch (error) {
      this.report(source.name, error);
      return;
    }
    for (const [index, letter] of letters.entries()) {
      const name = letters.length === 1 ? source.name : `${source.name}, letter ${String(index + 1)}`;
      try {
        if (letter instanceof CodedError) throw letter;
        const mark = toHex(blake2b(32, letter));
        if (this.shown.has(mark)) continue;
        this.show({ source: name, ...this.openOne(letter) });
        this.shown.add(mark);
      } catch (error) {
        this.report(name, error);
      }
    }
  }

  private openOne(letter: Uint8Array): Omit<Opened, 'source'> {
    const { identities, keyrings } = this.options;
    const content = openLetter(letter, identities);
    if (keyrings === null) return { content, keyring: null };
    const found = keyrings.find(({ digest, keyring }) => digest === content.keyring && keyring.serial === content.serial);
    if (found === undefined) {
      throw new CliError(
        'KEYRING_FOREIGN',
        `sealed under another keyring, serial ${String(content.serial)}, than those given`,
        'do not answer it; give the keyring of its week, and if that is the one, tell the administrator at once',
      );
    }
    return { content, keyring: found.keyring };
  }

  private show(opened: Opened): void {
    const { io, json } = this.options;
    io.out(json ? `${visibleJson(asJson(opened))}\n` : present(opened, this.shown.size + 1, io.columns));
  }

  private report(source: string, error: unknown): void {
    const { io, json } = this.options;
    const { code, message, line, exitCode } = describeFailure(error);
    if (exitCode === EXIT.internal) throw error;
    if (exitCode === EXIT.input) this.unreadable += 1;
    else this.refused += 1;
    io.err(`support-relay: !! NOT OPENED: ${visibleLine(source)}: ${line}\n`);
    if (json) io.out(`${visibleJson({ source, authentic: false, error: { code, message } })}\n`);
  }

  private sum(): void {
    const { io, json, keyrings } = this.options;
    const failed = this.refused + this.unreadable;
    if (!json && this.shown.size + failed === 0) io.err('There is nothing to open.\n');
    if (failed > 0) io.err(`support-relay: ${String(this.shown.size)} opened, ${String(failed)} NOT opened (see above)\n`);
    if (keyrings === null && this.shown.size > 0) {
      io.err('The keyrings were not checked: with --keyring and --root-key a forged one is noticed.\n');
    }
  }
}
