// The page as the scripts see it: which part shows, and where the focus is. Every word is already in the HTML.
import type { TemplateId } from './element-ids.ts';
import type { SealingStage } from './messages.ts';
import type { Action, Notice } from './notices.ts';

/** What a template has, and what the build and the scripts add to it. */
export type ElementId = TemplateId | `notice-${Notice}` | `notice-${Notice}-title` | `reply-${number}`;

export function element<E extends HTMLElement>(id: ElementId, type: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} ${id}`);
  return found;
}

/** Shows the parts that are true, and hides the others. */
export function setVisible(parts: Partial<Record<ElementId, boolean>>): void {
  for (const [id, isShown] of Object.entries(parts)) element(id as ElementId, HTMLElement).hidden = !isShown;
}

/** Fills every place in the page's sentences that is called `name`. */
export function fill(name: string, text: string): void {
  for (const slot of document.querySelectorAll(`[data-slot="${name}"]`)) slot.textContent = text;
}

/** Only the look of the page parts the groups: what a browser copies is one piece. */
export function showGroups(id: ElementId, groups: readonly string[]): void {
  element(id, HTMLElement).replaceChildren(
    ...groups.map((group) => {
      const shown = document.createElement('span');
      shown.textContent = group;
      return shown;
    }),
  );
}

/** Of these parts one shows, or none. */
export function showOne(ids: readonly ElementId[], shown: ElementId | null): void {
  for (const id of ids) element(id, HTMLElement).hidden = id !== shown;
}

/** A page's views: of these one shows, or none, and `intro` with some of them. */
export function createViews<View extends ElementId>(
  views: readonly View[],
  withIntro: readonly (View | null)[],
): (view: View | null) => void {
  return (view) => {
    showOne(views, view);
    setVisible({ intro: withIntro.includes(view) });
  };
}

export function focusOn(id: ElementId): void {
  element(id, HTMLElement).focus();
}

type NoticeIn<Id> = Id extends `notice-${infer Name}-title` ? Name : never;

/** A page's notices: of these one shows, or none, and whether a text is kept. */
export class Notices<Name extends NoticeIn<ElementId>> {
  readonly #names: readonly Name[];

  constructor(names: readonly Name[]) {
    this.#names = names;
  }

  /** The focus moves to its heading, so that it is read out and scrolled to. */
  show(notice: Name | null, { kept = false } = {}): void {
    showOne(
      this.#names.map((name) => `notice-${name}` as const),
      notice && `notice-${notice}`,
    );
    setVisible({ kept: notice !== null && kept });
    if (notice !== null) focusOn(`notice-${notice}-title`);
  }

  get shown(): Name | null {
    return this.#names.find((name) => !element(`notice-${name}`, HTMLElement).hidden) ?? null;
  }
}

/** For people, and the same wherever they are: time zones say where somebody is. */
export function momentText(date: Date): string {
  return new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(date);
}

export function onClick(id: ElementId, listener: () => void): void {
  element(id, HTMLButtonElement).addEventListener('click', listener);
}

export function onAction(listener: (action: Action) => void): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-action]')) {
    button.addEventListener('click', () => listener(button.dataset['action'] as Action));
  }
}

export type ProgressStage = SealingStage | 'slot' | 'sending';

/** `done` of `of`; without them the bar only shows that something is going on. */
export function progress(stage: ProgressStage, done?: number, of?: number): void {
  const bar = element('progress-bar', HTMLProgressElement);
  showOne(['progress-sealing', 'progress-stamping', 'progress-slot', 'progress-sending'], `progress-${stage}`);
  if (done === undefined || of === undefined) bar.removeAttribute('value');
  else bar.value = Math.min(done / of, 1);
}
