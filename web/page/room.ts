// Shows how much text still fits, as a number of letters and in words.
import { element, fill, showOne } from './page.ts';

/** From here on the count stands out, and screen readers hear of it once. */
const NEARLY_FULL_LETTERS = 300;
const ROUND_TO_LETTERS = 10;

/** `bytes`: how many still fit; negative when the text is too long. */
export function showRoom(bytes: number): void {
  const { lang, dataset } = document.documentElement;
  const letters = Math.floor(Math.abs(bytes) / Number(dataset['letterBytes'] ?? 1) / ROUND_TO_LETTERS) * ROUND_TO_LETTERS;
  const left = letters < ROUND_TO_LETTERS ? 'full' : letters <= NEARLY_FULL_LETTERS ? 'nearly' : 'plenty';
  const state = bytes < 0 ? 'over' : left;
  fill('letters', new Intl.NumberFormat(lang).format(Math.max(letters, ROUND_TO_LETTERS)));
  showOne(['room-over', 'room-full', 'room-nearly', 'room-plenty'], `room-${state}`);
  // Read out only when the state changes, not with every letter.
  const spoken = element('room-spoken', HTMLElement);
  if (spoken.dataset['state'] !== state) {
    spoken.dataset['state'] = state;
    spoken.textContent = state === 'plenty' ? '' : element(`room-${state}`, HTMLElement).textContent;
  }
}
