// The page as the scripts see it: which part shows, and where the focus is. Every text is already in the HTML.
import type { TemplateId } from './element-ids.ts';
import type { SealingStage } from './messages.ts';
import type { Action, Notice } from './notices.ts';

/** Ids in the templates, and those that the build and the scripts add. */
export type ElementId = TemplateId | `notice-${Notice}` | `notice-${Notice}-title` | `reply-${string}`;

export function element<E extends HTMLElement>(id: ElementId, type: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} ${id}`);
  return found;
}

/** Shows the parts that are true, and hides the others. */
export function setVisible(parts: Partial<Record<ElementId, boolean>>): void {
  for (const [id, isShown] of Object.entries(parts)) element(id as ElementId, HTMLElement).hidden = !isShown;
}

/** Fills every place in the page's texts that is called `name`. */
export function fill(name: string, text: string): void {
  for (const slot of document.querySelectorAll(`[data-slot="${name}"]`)) slot.textContent = text;
}

/** The groups are apart only by their style: the browser copies them in one piece. */
export function showGroups(id: ElementId, groups: readonly string[]): void {
  element(id, HTMLElement).replaceChildren(
    ...groups.map((group) => {
      const shown = document.createElement('span');
      shown.textContent = group;
      return shown;
    }),
  );
}

/** Shows one of these parts, or none. */
export function showOne(ids: readonly ElementId[], shown: ElementId | null): void {
  for (const id of ids) element(id, HTMLElement).hidden = id !== shown;
}

/** A page's views, of which one shows, or none. `withIntro`: with which of them the introduction shows. */
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

/** A page's notices, of which one shows, or none. */
export class Notices<Name extends NoticeIn<ElementId>> {
  readonly #names: readonly Name[];

  constructor(names: readonly Name[]) {
    this.#names = names;
  }

  /** Moves the focus to its heading, so that it is read out and scrolled to. `kept`: also says that the text is kept. */
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

/** For people, and always in UTC: a time zone says where somebody is. */
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

/** Shows a stage, with `done` of `of` finished; without them the bar is indeterminate. */
export function progress(stage: ProgressStage, done?: number, of?: number): void {
  const bar = element('progress-bar', HTMLProgressElement);
  showOne(['progress-sealing', 'progress-stamping', 'progress-slot', 'progress-sending'], `progress-${stage}`);
  if (done === undefined || of === undefined) bar.removeAttribute('value');
  else bar.value = Math.min(done / of, 1);
}
