// The desk: a page from disk in which a volunteer reads letters and writes answers. It needs no network and keeps nothing.
import { CodedError } from '../../crypto/errors.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { ready } from '../../crypto/sodium.ts';
import { textOf } from '../../crypto/text-file.ts';
import { element, fill, focusOn, momentText, setVisible } from '../page/page.ts';
import { Compose } from './compose.ts';
import { givenIn, readBytes, onFiles, type Given } from './intake.ts';
import { hasOtherRoot, keyringsGiven, lastingOf, openGivenFolder } from './key-folder.ts';
import { KeyError } from './keys.ts';
import { Office } from './office.ts';
import { Outgoing } from './outgoing.ts';
import { phrase } from './phrases.ts';
import { Pile } from './pile.ts';
import { placeToCompose, showAliases, showConversations } from './reading.ts';
import { codeOf, ReadingError, showRefusals } from './refusals.ts';
import { inSuccession } from '../page/coverage.ts';

const SIGNATURE = '.minisig';
/** From this step of the notices on a volunteer's weeks are said to end soon. */
const SOON_DAYS = 7;

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
  /** Of the files that keyrings came in, by digest. */
  readonly #keyringNames = new Map<string, string>();
  /** One thing after another: files and keys may be given at any moment. */
  #queue: Promise<void> = Promise.resolve();
  #forgotten = false;

  constructor() {
    onFiles((given) => this.#enqueue(() => this.#take(given)));
    this.#onKey('keys', ['key-folder', 'key-files'], (given, passphrase) => this.#openFolder(given, passphrase));
    this.#onKey('identity', ['identity'], (given, passphrase) => this.#openIdentity(given, passphrase));
    this.#onKey('signer', ['signer'], (given, passphrase) => this.#openSigner(given, passphrase));
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

  /** `open` returns what to say, and throws KeyError or ReadingError when nothing opens. */
  #onKey(
    name: 'keys' | 'identity' | 'signer',
    fields: readonly ('key-folder' | 'key-files' | 'identity' | 'signer')[],
    open: (given: readonly Given[], passphrase: string) => Promise<HTMLElement[]>,
  ): void {
    const status = element(`${name}-status`, HTMLElement);
    const passphrase = element(`${name}-passphrase`, HTMLInputElement);
    const begin = (): void =>
      this.#enqueue(async () => {
        const given = fields.flatMap((field) => givenIn(element(field, HTMLInputElement)));
        status.replaceChildren();
        try {
          status.replaceChildren(...(given.length === 0 ? [phrase('choose-file')] : await open(given, passphrase.value)));
          if (given.length > 0) {
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

  async #openFolder(given: readonly Given[], passphrase: string): Promise<HTMLElement[]> {
    const folder = await openGivenFolder(given, passphrase, (share) => this.#showWork(share));
    const isForeign = await hasOtherRoot(given, this.#office.root);
    this.#office.addFolder(folder);
    const added = await this.#takeKeyrings(keyringsGiven(given));
    await this.#readAnew();
    return [
      ...(isForeign ? [phrase('other-root')] : []),
      phrase('folder-open', { count: String(folder.weeks.length) }),
      ...lasting(folder.weeks),
      ...folder.broken.map((name) => phrase('folder-broken', { name })),
      ...(added.length > 0 ? [phrase('keyrings-added', { count: String(added.length) })] : []),
      folder.signer === null ? phrase('folder-unsigned') : this.#aboutSigner(),
    ];
  }

  async #openIdentity([chosen]: readonly Given[], passphrase: string): Promise<HTMLElement[]> {
    await this.#office.addIdentities(await readBytes(chosen?.file ?? null), passphrase, (share) => this.#showWork(share));
    await this.#readAnew();
    return [phrase('identity-open', { count: String(this.#office.identities.length) })];
  }

  async #openSigner([chosen]: readonly Given[], passphrase: string): Promise<HTMLElement[]> {
    await this.#office.setSigner(await readBytes(chosen?.file ?? null), passphrase, (share) => this.#showWork(share));
    return [this.#aboutSigner()];
  }

  #aboutSigner(): HTMLElement {
    const newest = this.#office.newest(new Date());
    return this.#office.team(newest, undefined) === null
      ? phrase('signer-unknown', { serial: String(newest.keyring.serial) })
      : phrase('signer-open');
  }

  /** Letters may have waited for a key. */
  async #readAnew(): Promise<void> {
    await this.#read();
    if (element('letters-status', HTMLElement).childElementCount > 0) this.#sayRead([]);
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

  /** Pairs of keyring.json and keyring.json.minisig, wherever they are beside each other. Returns what to say of each that is used. */
  async #takeKeyrings(given: readonly Given[]): Promise<HTMLElement[]> {
    const added = new Map<string, HTMLElement>();
    for (const { name, file } of given.filter((each) => /\.json$/i.test(each.name))) {
      const signature = given.find((each) => each.name.toLowerCase() === name.toLowerCase() + SIGNATURE);
      try {
        if (signature === undefined) throw new CodedError('MINISIGN_FORMAT', 'the signature is missing');
        const { keyring, digest } = this.#office.addKeyring(await readBytes(file), textOf(await readBytes(signature.file), 'lenient'));
        added.set(digest, phrase('keyring-added', { serial: String(keyring.serial) }));
        this.#keyringNames.set(digest, name);
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
    this.#judgeKeyrings();
    this.#sayUntil();
    const { unfit } = this.#office;
    return [...added].flatMap(([digest, said]) => (unfit.some(({ keyring }) => keyring.digest === digest) ? [] : [said]));
  }

  /** With each keyring it may show that another does not fit, or that it does. */
  #judgeKeyrings(): void {
    const { keyrings, unfit } = this.#office;
    const nameOf = ({ keyring, digest }: VerifiedKeyring): string =>
      this.#keyringNames.get(digest) ?? `keyring-${String(keyring.serial)}.json`;
    for (const keyring of keyrings) this.#pile.accept(nameOf(keyring));
    for (const { keyring, error } of unfit) this.#pile.refuse(nameOf(keyring), error.code);
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
    const last = inSuccession(this.#office.keyrings, now).at(-1)?.keyring ?? keyring;
    fill('until', momentText(new Date(last.notAfter)));
    fill('serial', String(last.serial));
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

/** What a volunteer should know of how long their own weeks last. */
function lasting(weeks: readonly number[]): HTMLElement[] {
  const { untilMs, notice } = lastingOf(weeks, new Date().getTime());
  if (untilMs === null) return [phrase('week-missing')];
  const values = { until: momentText(new Date(untilMs)) };
  if (notice === null) return [phrase('weeks-until', values)];
  return [phrase(notice <= SOON_DAYS ? 'weeks-end-soon' : 'weeks-end', values)];
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
