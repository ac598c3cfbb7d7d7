// The desk's sentences and its copies of templates. Every text is already in the page.
import { visible } from '../../volunteer/visible.ts';

function template(id: string): DocumentFragment {
  const found = document.getElementById(id);
  if (!(found instanceof HTMLTemplateElement)) throw new Error(`the page has no template ${id}`);
  return found.content.cloneNode(true) as DocumentFragment;
}

/** A copy of the first element of a template. */
export function copyOf(id: string): HTMLElement {
  const found = template(id).firstElementChild;
  if (!(found instanceof HTMLElement)) throw new Error(`template ${id} is empty`);
  return found;
}

/** The place inside an element that is called `name`. */
export function part<E extends HTMLElement>(within: ParentNode, name: string, type: new () => E): E {
  const found = within.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof type)) throw new Error(`no part ${name}`);
  return found;
}

/** A sentence with its places filled. What is put in is text of others, and cannot change what stands around it. */
export function phrase(name: string, values: Readonly<Record<string, string>> = {}): HTMLElement {
  const found = template('phrases').querySelector(`[data-phrase="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no phrase ${name}`);
  for (const slot of found.querySelectorAll<HTMLElement>('[data-slot]')) {
    const own = document.createElement('bdi');
    own.textContent = visible(values[slot.dataset['slot'] ?? ''] ?? '');
    slot.replaceWith(own);
  }
  return found;
}

/** Shows text of others as plain text, with its line breaks. */
export function quoted(within: HTMLElement, text: string): void {
  within.dir = 'auto';
  within.textContent = visible(text);
}
