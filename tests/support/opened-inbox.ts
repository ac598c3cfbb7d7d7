import { readFile } from 'node:fs/promises';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { openLetter, type LetterContent } from '../../crypto/letter.ts';
import { attachedLetters, maildirPaths } from './maildir.ts';

/** The letters of a Maildir, each opened once: opening takes much longer than checking for new ones. */
export class OpenedInbox {
  readonly #path: string;
  readonly #identityFile: string;
  readonly #opened = new Map<string, readonly LetterContent[]>();

  constructor(path: string, identityFile: string) {
    this.#path = path;
    this.#identityFile = identityFile;
  }

  /** All contents now. */
  async contents(): Promise<LetterContent[]> {
    const found: LetterContent[] = [];
    for (const path of await maildirPaths(this.#path)) found.push(...(await this.contentsOf(path)));
    return found;
  }

  /** The contents of one message. */
  async contentsOf(path: string): Promise<readonly LetterContent[]> {
    const known = this.#opened.get(path);
    if (known !== undefined) return known;
    const identities = parseIdentityFile(await readFile(this.#identityFile, 'utf8'));
    const contents = (await attachedLetters(await readFile(path))).map((letter) => openLetter(letter, identities));
    this.#opened.set(path, contents);
    return contents;
  }
}
