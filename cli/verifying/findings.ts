// What can be wrong with what a relay serves, and who was shown it.

/** Each kind with what is said of it. */
export const FINDINGS = {
  changed: 'is not as it was signed',
  missing: 'was signed, and is not served',
  added: 'is served, and was not signed',
  header: 'comes with other headers',
  'root-key': 'has another root key in it',
  keyring: 'has a keyring that cannot be used',
  unlike: 'is not always the same',
  unanswered: 'is not answered',
} as const satisfies Record<string, string>;

export type FindingKind = keyof typeof FINDINGS;

/** `detail`: one line. `to`: names of those who were shown it, null when it was everybody who asked. */
export type Finding = { readonly kind: FindingKind; readonly path: string; readonly detail: string; readonly to: readonly string[] | null };

/** One deviation in one answer. */
export type Deviation = { readonly kind: FindingKind; readonly detail: string };

/** Collects what was seen in each answer, and tells in the end who was shown it. */
export class FindingList {
  readonly #seen = new Map<string, Omit<Finding, 'to'> & { readonly to: Set<string> }>();
  readonly #asked = new Map<string, Set<string>>();
  /** Answers that were looked at. */
  answers = 0;

  /** What one asker was shown at `path`. */
  note(path: string, asker: string, deviations: readonly Deviation[]): void {
    this.answers += 1;
    this.#asked.set(path, (this.#asked.get(path) ?? new Set()).add(asker));
    for (const { kind, detail } of deviations) this.#add(kind, path, detail, asker);
  }

  /** What is wrong beside single answers. @param asker who was shown it; null for everybody */
  add(kind: FindingKind, path: string, detail: string, asker: string | null = null): void {
    this.#add(kind, path, detail, asker);
  }

  list(): Finding[] {
    return [...this.#seen.values()]
      .map(({ to, ...rest }) => {
        const all = this.#asked.get(rest.path)?.size ?? 0;
        return { ...rest, to: to.size === 0 || to.size >= all ? null : [...to].sort() };
      })
      .sort((a, b) => (a.path === b.path ? a.kind.localeCompare(b.kind) : a.path < b.path ? -1 : 1));
  }

  #add(kind: FindingKind, path: string, detail: string, asker: string | null): void {
    const key = JSON.stringify([kind, path, detail]);
    const seen = this.#seen.get(key) ?? { kind, path, detail, to: new Set<string>() };
    if (asker !== null) seen.to.add(asker);
    this.#seen.set(key, seen);
  }
}
