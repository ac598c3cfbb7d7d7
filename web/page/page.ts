// The page as the scripts see it: which part shows, and where the focus is. Every word is already in the HTML.
import type { TemplateId } from './element-ids.ts';
import type { Step } from './messages.ts';
import { NOTICES, type Action, type Notice } from './notices.ts';

/** What a template has, and what the build and the scripts add to it. */
export type ElementId = TemplateId | `notice-${Notice}` | `notice-${Notice}-title` | `reply-${number}`;

export function element<E extends HTMLElement>(id: ElementId, type: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} ${id}`);
  return found;
}

/** Shows the parts that are true, and hides the others. */
export function visible(parts: Partial<Record<ElementId, boolean>>): void {
  for (const [id, isShown] of Object.entries(parts)) element(id as ElementId, HTMLElement).hidden = !isShown;
}

/** Fills every place in the page's sentences that is called `name`. */
export function fill(name: string, text: string): void {
  for (const slot of document.querySelectorAll(`[data-slot="${name}"]`)) slot.textContent = text;
}

/** Only the look of the page parts the groups: what a browser copies is one piece. */
export function showGroups(id: ElementId, groups: readonly string[]): void {
  element(id, HTMLElement).replaceChildren(...groups.map((group) => {
    const shown = document.createElement('span');
    shown.textContent = group;
    return shown;
  }));
}

export type View = 'opening' | 'form' | 'progress' | 'accepted';
const VIEWS: readonly View[] = ['opening', 'form', 'progress', 'accepted'];

/** Shows one part of the page, or none (under a notice that says why). */
export function show(view: View | null): void {
  for (const name of VIEWS) element(name, HTMLElement).hidden = name !== view;
  element('intro', HTMLElement).hidden = view === 'progress' || view === 'accepted';
}

export function focusOn(id: ElementId): void {
  element(id, HTMLElement).focus();
}

/** Shows one notice, or none. The focus moves to its heading, so that it is read out and scrolled to. */
export function notify(notice: Notice | null, { kept = false } = {}): void {
  for (const name of Object.keys(NOTICES) as Notice[]) element(`notice-${name}`, HTMLElement).hidden = name !== notice;
  element('kept', HTMLElement).hidden = notice === null || !kept;
  if (notice !== null) focusOn(`notice-${notice}-title`);
}

/** The notice that shows, or null. */
export function noticeShown(): Notice | null {
  const names = Object.keys(NOTICES) as Notice[];
  return names.find((name) => !element(`notice-${name}`, HTMLElement).hidden) ?? null;
}

export function onClick(id: ElementId, listener: () => void): void {
  element(id, HTMLButtonElement).addEventListener('click', listener);
}

export function onAction(listener: (action: Action) => void): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-action]')) {
    button.addEventListener('click', () => listener(button.dataset['action'] as Action));
  }
}

export type ProgressStep = Step | 'slot' | 'sending';
const STEPS: readonly ProgressStep[] = ['sealing', 'stamping', 'slot', 'sending'];

/** `done` of `of`; without them the bar only shows that something is going on. */
export function progress(step: ProgressStep, done?: number, of?: number): void {
  const bar = element('progress-bar', HTMLProgressElement);
  for (const name of STEPS) element(`progress-${name}`, HTMLElement).hidden = name !== step;
  if (done === undefined || of === undefined) bar.removeAttribute('value');
  else bar.value = Math.min(done / of, 1);
}
