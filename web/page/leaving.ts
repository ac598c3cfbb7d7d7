// Leaving the page: fast on purpose, and never with text left behind.
import type { Notice } from './notices.ts';
import { element, focusOn, setVisible, type Notices } from './page.ts';

const ESCAPES = 3;
const ESCAPES_WITHIN_MS = 2_000;

/** The text that is at stake. */
type Held = { readonly empty: boolean; clear(): void };

export type Leaving = {
  /** Ends whatever else still holds the text; also when the page is left in another way, and then maybe a second time. */
  wipe: () => void;
  /** A link of the page was followed with something in it that would be lost. True: the person is being asked, so stay for now. */
  ask: (href: string) => boolean;
  /** Whether there is text beside the fields that would be lost. After `wipe` there is none. */
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
    // Where it leads to may take its time to come; until then nothing of this page is to be seen.
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

/** Nothing is stored, so every visit is a first one: what the exit cannot do is said until it is put away. */
function setUpHint(): void {
  const known = element('exit-known', HTMLButtonElement);
  // Without scripts there is neither.
  for (const part of document.querySelectorAll<HTMLElement>('#exit-hint [hidden]')) part.hidden = false;
  known.addEventListener('click', () => {
    setVisible({ 'exit-hint': false });
    focusOn('exit');
  });
}

/** Browsers word their own question as they like, and phones often ask none: the page's own links ask first. */
function setUpLinks(held: () => boolean, ask: Leaving['ask']): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.id === 'exit' || link.target !== '' || !held()) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (ask(link.href)) event.preventDefault();
  });
}

/** The page's own question, in the place of a notice that may hold the only button that helps. */
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

  /** `focus`: where to go on when there was no notice. */
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
  // A page that comes back from the browser's memory has lost its text and maybe its keyring: begin anew.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}
