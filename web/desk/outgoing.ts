// Keeps sealed parcels until they are sent. The desk cannot send them: the volunteer does, and says so here.
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { element, focusOn, setVisible } from '../page/page.ts';
import { copyOf, part, phrase } from './phrases.ts';

export class Outgoing {
  /** Texts that nobody has saved or copied yet. */
  readonly #untaken = new Set<HTMLTextAreaElement>();
  #count = 0;

  get holds(): boolean {
    return this.#untaken.size > 0;
  }

  /** Shows the parcels of one answer; `onSent` is called when the volunteer says that all of them were sent. */
  add(conversation: string, parcels: readonly Uint8Array[], onSent: () => void): void {
    const sealed = copyOf('sealed');
    part(sealed, 'title', HTMLElement).append(phrase('sealed-for', { id: conversation }));
    const shown = parcels.map((parcel) => this.#shown(encodeParcelText(parcel)));
    part(sealed, 'parcels', HTMLElement).append(...shown.map(({ box }) => box));
    part(sealed, 'save-all', HTMLButtonElement).addEventListener('click', () => shown.forEach(({ take }) => take()));
    part(sealed, 'sent', HTMLButtonElement).addEventListener('click', () => {
      if (shown.some(({ area }) => this.#untaken.has(area)) && !confirm(phrase('sent-sure').textContent)) return;
      for (const { area } of shown) this.#untaken.delete(area);
      sealed.remove();
      setVisible({ outgoing: element('parcels', HTMLElement).childElementCount > 0 });
      onSent();
    });
    element('parcels', HTMLElement).append(sealed);
    setVisible({ outgoing: true });
    focusOn('outgoing-title');
  }

  forget(): void {
    this.#untaken.clear();
    element('parcels', HTMLElement).replaceChildren();
  }

  #shown(text: string): { box: HTMLElement; area: HTMLTextAreaElement; take: () => void } {
    this.#count += 1;
    // Their order is random, so the number gives nothing away.
    const name = `text-${String(this.#count)}`;
    const box = copyOf('parcel');
    const label = part(box, 'label', HTMLLabelElement);
    const area = part(box, 'text', HTMLTextAreaElement);
    label.append(phrase('parcel', { number: String(this.#count) }));
    label.htmlFor = area.id = name;
    area.value = text;
    this.#untaken.add(area);
    // Only the whole text is of use.
    area.addEventListener('copy', () => {
      if (area.selectionEnd - area.selectionStart === area.value.length) this.#untaken.delete(area);
    });
    const take = (): void => {
      save(`${name}.txt`, text);
      this.#untaken.delete(area);
      part(box, 'status', HTMLElement).replaceChildren(phrase('saved'));
    };
    part(box, 'save', HTMLButtonElement).addEventListener('click', take);
    return { box, area, take };
  }
}

function save(name: string, text: string): void {
  const link = document.createElement('a');
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  Object.assign(link, { href: url, download: name });
  link.click();
  // Not at once: the browser may not have read it yet.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
