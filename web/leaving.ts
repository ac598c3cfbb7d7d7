// Leaving the page: fast on purpose, and never with text left behind.
import type { Fields } from './fields.ts';
import { element } from './page.ts';

const ESCAPES = 3;
const ESCAPES_WITHIN_MS = 2_000;

/** Escape pressed three times in two seconds does what the link does. */
export function onThreeEscapes(listener: () => void): void {
  let presses: number[] = [];
  document.addEventListener('keydown', ({ key, repeat, timeStamp }) => {
    if (key !== 'Escape' || repeat) return;
    presses = [...presses.filter((earlier) => timeStamp - earlier < ESCAPES_WITHIN_MS), timeStamp];
    if (presses.length >= ESCAPES) listener();
  });
}

/** Wipes, covers and replaces the page; `wipe` ends whatever else still holds the text. */
export function setUpLeaving(fields: Fields, wipe: () => void): void {
  const exit = element('exit', HTMLAnchorElement);
  const leave = (): void => {
    fields.clear();
    wipe();
    document.body.replaceChildren();
    location.replace(exit.href);
  };
  exit.addEventListener('click', (event) => {
    event.preventDefault();
    leave();
  });
  onThreeEscapes(leave);

  addEventListener('beforeunload', (event) => {
    if (fields.empty) return;
    event.preventDefault();
    // Chromium before 119 asks only when this is set.
    event.returnValue = true;
  });
  addEventListener('pagehide', () => fields.clear());
  // A page that comes back from the browser's memory has lost its text and maybe its keyring: begin anew.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}
