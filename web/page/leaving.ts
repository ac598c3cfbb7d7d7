// Leaving the page: quickly on purpose, and never with text left behind or lost by accident.
import type { Notice } from './notices.ts';
import { element, focusOn, setVisible, type Notices } from './page.ts';

const ESCAPES = 3;
const ESCAPES_WITHIN_MS = 2_000;

/** The text that is at stake. */
type Held = { readonly empty: boolean; clear(): void };

export type Leaving = {
  /** Ends whatever else holds the text. Called whichever way the page is left, possibly twice. */
  wipe: () => void;
  /** Called when a link of the page is followed and text would be lost. True: the person is being asked, so the page stays for now. */
  ask: (href: string) => boolean;
  /** Whether anything outside the fields would be lost. After `wipe` nothing is. */
  holdsMore?: () => boolean;
};

/** Escape pressed three times in two seconds does what the link does. */
export function onThreeEscapes(listener: () => void): void {
  let presses: number[] = [];
  document.addEventListener('keydown', ({ key, repeat, timeStamp }) => {
    if (key !== 'Escape' || repeat) return;
    presses = [...presses.filter((earlier) => timeStamp - earlier < ESCAPES_WITHIN_MS), timeStamp];
    if (presses.length >= ESCAPES) listener();
  });
}

/** Wipes, covers and replaces the page. */
function setUpExit(fields: Held, wipe: () => void): void {
  const exit = element('exit', HTMLAnchorElement);
  const leave = (): void => {
    fields.clear();
    // The other page may take its time to load; until then nothing of this one may be seen.
    document.body.replaceChildren();
    wipe();
    location.replace(exit.href);
  };
  exit.addEventListener('click', (event) => {
    event.preventDefault();
    leave();
  });
  onThreeEscapes(leave);
}

/** Nothing is stored, so every visit is a first one: the hint about the exit shows until the person dismisses it. */
function setUpHint(): void {
  const known = element('exit-known', HTMLButtonElement);
  // Without scripts there are neither keys nor a button.
  for (const part of document.querySelectorAll<HTMLElement>('#exit-hint [hidden]')) part.hidden = false;
  known.addEventListener('click', () => {
    setVisible({ 'exit-hint': false });
    focusOn('exit');
  });
}

/** Browsers word their own question as they like, and those of phones often ask none, so the page asks before it follows its own links. */
function setUpLinks(held: () => boolean, ask: Leaving['ask']): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.id === 'exit' || link.target !== '' || !held()) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (ask(link.href)) event.preventDefault();
  });
}

/** The page's own question. It takes the place of a notice, which may have the only button that helps, and puts it back. */
export class LeavingQuestion {
  readonly #notices: Notices<Notice>;
  readonly #tell: (notice: Notice) => void;
  #href = '';
  #before: Notice | null = null;

  constructor(notices: Notices<Notice>, tell: (notice: Notice) => void) {
    this.#notices = notices;
    this.#tell = tell;
  }

  ask(href: string): void {
    this.#href = href;
    const { shown } = this.#notices;
    // A second link asks the same question again.
    if (shown !== 'leaving') this.#before = shown;
    this.#tell('leaving');
  }

  /** `focus`: moves the focus where there was no notice before. */
  stay(focus: () => void): void {
    if (this.#before !== null) return this.#tell(this.#before);
    this.#notices.show(null);
    focus();
  }

  leave(): void {
    location.assign(this.#href);
  }
}

export function setUpLeaving(fields: Held, { wipe, ask, holdsMore = () => false }: Leaving): void {
  const held = (): boolean => !fields.empty || holdsMore();
  setUpExit(fields, wipe);
  setUpHint();
  setUpLinks(held, ask);
  addEventListener('beforeunload', (event) => {
    if (!held()) return;
    event.preventDefault();
    // Chromium before 119 asks only when this is set.
    event.returnValue = true;
  });
  addEventListener('pagehide', () => {
    fields.clear();
    wipe();
  });
  // A page that comes back from the back/forward cache has lost its text and perhaps its keyring: start over.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}
