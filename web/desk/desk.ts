// The desk: a page from disk in which a volunteer reads letters and writes answers. It needs no network and keeps nothing.
import { CodedError } from '../../crypto/errors.ts';
import { ready } from '../../crypto/sodium.ts';
import { textOf } from '../../crypto/text-file.ts';
import { element, fill, focusOn, momentText, setVisible } from '../page/page.ts';
import { Compose } from './compose.ts';
import { readBytes, onFiles, type Given } from './intake.ts';
import { KeyError, Office } from './office.ts';
import { Outgoing } from './outgoing.ts';
import { phrase } from './phrases.ts';
import { Pile } from './pile.ts';
import { placeToCompose, showAliases, showConversations } from './reading.ts';
import { codeOf, ReadingError, showRefusals } from './refusals.ts';

const SIGNATURE = '.minisig';

class Desk {
  readonly #office = new Office();
  readonly #pile = new Pile();
  readonly #outgoing = new Outgoing();
  readonly #compose = new Compose({
    office: this.#office,
    alias: () => element('alias', HTMLInputElement).value,
    known: () => this.#pile,
    settled: () => this.#queue,
    work: (share) => this.#showWork(share),
    broken: tellBroken,
    done: (id, note, parcels) => {
      // Shows at once who has answered, when it is sent; the same note comes back with the team's letters.
      this.#pile.addOwn(phrase('own-note').textContent, note);
      this.#outgoing.add(id, parcels, () => {
        this.#pile.sent(note);
        this.#enqueue(() => this.#read());
      });
      this.#enqueue(() => this.#read());
    },
  });
  /** One thing after another: files and keys may be given at any moment. */
  #queue: Promise<void> = Promise.resolve();
  #forgotten = false;

  constructor() {
    onFiles((given) => this.#enqueue(() => this.#take(given)));
    this.#onKey('identity', (file, passphrase) => this.#openIdentity(file, passphrase));
    this.#onKey('signer', (file, passphrase) => this.#openSigner(file, passphrase));
    element('forget', HTMLButtonElement).addEventListener('click', () => this.#forget());
    addEventListener('beforeunload', (event) => {
      if (!this.#holds()) return;
      event.preventDefault();
      // Chromium before 119 asks only when this is set.
      event.returnValue = true;
    });
    addEventListener('pagehide', () => this.#wipe());
    // A page that comes back from the back/forward cache has lost everything: start over.
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) location.reload();
    });
  }

  start(): void {
    this.#office.addBuiltIn();
    this.#sayUntil();
    setVisible({ desk: true });
    this.#show();
  }

  #holds(): boolean {
    return !this.#forgotten && (this.#compose.holds || this.#outgoing.holds);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue
      .then(work)
      .catch(tellBroken)
      .finally(() => this.#showWork(null));
  }

  #showWork(share: number | null): void {
    setVisible({ work: share !== null });
    if (share !== null) element('work-bar', HTMLProgressElement).value = share;
  }

  #onKey(name: 'identity' | 'signer', open: (file: Uint8Array, passphrase: string) => Promise<HTMLElement>): void {
    const status = element(`${name}-status`, HTMLElement);
    const passphrase = element(`${name}-passphrase`, HTMLInputElement);
    const input = element(name, HTMLInputElement);
    const begin = (): void =>
      this.#enqueue(async () => {
        const file = input.files?.[0];
        status.replaceChildren();
        try {
          status.replaceChildren(file === undefined ? phrase('choose-file') : await open(await readBytes(file), passphrase.value));
          if (file !== undefined) {
            passphrase.value = '';
            element(`${name}-box`, HTMLDetailsElement).open = false;
          }
        } catch (error) {
          if (!(error instanceof KeyError || error instanceof ReadingError)) throw error;
          status.replaceChildren(phrase(error instanceof KeyError ? error.problem : 'unreadable'));
        }
      });
    element(`open-${name}`, HTMLButtonElement).addEventListener('click', begin);
    passphrase.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') begin();
    });
  }

  async #openIdentity(file: Uint8Array, passphrase: string): Promise<HTMLElement> {
    await this.#office.addIdentities(file, passphrase, (share) => this.#showWork(share));
    await this.#read();
    // Letters may have waited for this key.
    if (element('letters-status', HTMLElement).childElementCount > 0) this.#sayRead([]);
    return phrase('identity-open', { count: String(this.#office.identities.length) });
  }

  async #openSigner(file: Uint8Array, passphrase: string): Promise<HTMLElement> {
    await this.#office.setSigner(file, passphrase, (share) => this.#showWork(share));
    const newest = this.#office.newest(new Date());
    return this.#office.team(newest, undefined) === null
      ? phrase('signer-unknown', { serial: String(newest.keyring.serial) })
      : phrase('signer-open');
  }

  async #take(given: readonly Given[]): Promise<void> {
    const keyrings = await this.#takeKeyrings(given);
    for (const { name, file } of given) {
      // A folder that was dropped and refused has now been chosen.
      if (name.includes('/')) this.#pile.accept(name.slice(0, name.indexOf('/')));
      if (!/\.(json|minisig)$/i.test(name)) await this.#pile.add(name, file);
    }
    await this.#read();
    this.#sayRead(keyrings);
  }

  #sayRead(keyrings: readonly HTMLElement[]): void {
    const { waiting, refusals, covers } = this.#pile;
    element('letters-status', HTMLElement).replaceChildren(
      ...keyrings,
      waiting > 0 ? phrase('waiting', { count: String(waiting) }) : phrase('read', { refused: String(refusals.length) }),
      ...(covers > 0 ? [phrase('covers', { count: String(covers) })] : []),
    );
  }

  /** Pairs of keyring.json and keyring.json.minisig, wherever they are beside each other. */
  async #takeKeyrings(given: readonly Given[]): Promise<HTMLElement[]> {
    const added: HTMLElement[] = [];
    for (const { name, file } of given.filter((each) => /\.json$/i.test(each.name))) {
      const signature = given.find((each) => each.name.toLowerCase() === name.toLowerCase() + SIGNATURE);
      try {
        if (signature === undefined) throw new CodedError('MINISIGN_FORMAT', 'the signature is missing');
        const { keyring } = this.#office.addKeyring(await readBytes(file), textOf(await readBytes(signature.file), 'lenient'));
        added.push(phrase('keyring-added', { serial: String(keyring.serial) }));
        this.#pile.accept(name);
      } catch (error) {
        this.#pile.refuse(name, codeOf(error));
      }
    }
    for (const { name } of given.filter((each) => /\.minisig$/i.test(each.name))) {
      const isPaired = given.some((each) => each.name.toLowerCase() + SIGNATURE === name.toLowerCase());
      if (isPaired) this.#pile.accept(name);
      else this.#pile.refuse(name, 'MINISIGN_FORMAT');
    }
    this.#sayUntil();
    return added;
  }

  async #read(): Promise<void> {
    await this.#pile.read(this.#office, new Date());
    this.#show();
  }

  #show(): void {
    const { conversations, aliases, refusals } = this.#pile;
    showRefusals(refusals);
    showAliases(aliases);
    showConversations(conversations, (conversation, place) => this.#compose.openFor(conversation, place));
    const { thread } = this.#compose;
    const current = conversations.find(({ address }) => address !== null && address.key === thread);
    if (current !== undefined) this.#compose.moveTo(current, placeToCompose(current.id));
  }

  /** Said again with every keyring, since the desk may stay open for days. Answering checks for itself. */
  #sayUntil(): void {
    const now = new Date();
    const { keyring } = this.#office.newest(now);
    const early = now.getTime() < Date.parse(keyring.notBefore);
    const expired = now.getTime() >= Date.parse(keyring.notAfter);
    fill('until', momentText(new Date(keyring.notAfter)));
    fill('serial', String(keyring.serial));
    fill('today', momentText(now));
    setVisible({ until: !early && !expired, 'notice-expired': expired, 'notice-early': early });
  }

  #wipe(): void {
    this.#forgotten = true;
    this.#compose.forget();
    this.#outgoing.forget();
    for (const field of document.querySelectorAll('input')) {
      if (field.type !== 'radio') field.value = '';
    }
    document.querySelector('main')?.replaceChildren();
  }

  #forget(): void {
    if (this.#holds() && !confirm(phrase('forget').textContent)) return;
    this.#wipe();
    location.reload();
  }
}

function tellBroken(): void {
  setVisible({ 'notice-broken': true });
  focusOn('notice-broken-title');
}

async function start(): Promise<void> {
  try {
    await ready;
    new Desk().start();
  } catch {
    tellBroken();
  }
}

void start();
