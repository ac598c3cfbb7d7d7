// Sealed parcels until they are saved or copied.
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { element, focusOn } from '../page.ts';
import { copyOf, part, phrase } from './phrases.ts';

export class Outgoing {
  /** Texts that nobody has taken yet. */
  readonly #untaken = new Set<HTMLTextAreaElement>();
  #count = 0;

  get holds(): boolean {
    return this.#untaken.size > 0;
  }

  add(parcels: readonly Uint8Array[]): void {
    for (const parcel of parcels) element('parcels', HTMLElement).append(this.#shown(encodeParcelText(parcel)));
    element('outgoing', HTMLElement).hidden = false;
    focusOn('outgoing-title');
  }

  forget(): void {
    this.#untaken.clear();
    element('parcels', HTMLElement).replaceChildren();
  }

  #shown(text: string): HTMLElement {
    this.#count += 1;
    // Their order is random: a number says nothing.
    const name = `text-${String(this.#count)}`;
    const shown = copyOf('parcel');
    const label = part(shown, 'label', HTMLLabelElement);
    const area = part(shown, 'text', HTMLTextAreaElement);
    label.append(phrase('parcel', { number: String(this.#count) }));
    label.htmlFor = area.id = name;
    area.value = text;
    this.#untaken.add(area);
    // A part of the text is of no use.
    area.addEventListener('copy', () => {
      if (area.selectionEnd - area.selectionStart === area.value.length) this.#untaken.delete(area);
    });
    part(shown, 'save', HTMLButtonElement).addEventListener('click', () => {
      save(`${name}.txt`, text);
      this.#untaken.delete(area);
      part(shown, 'status', HTMLElement).replaceChildren(phrase('saved'));
    });
    return shown;
  }
}

function save(name: string, text: string): void {
  const link = document.createElement('a');
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  Object.assign(link, { href: url, download: name });
  link.click();
  // At once would be before the browser has looked at it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
