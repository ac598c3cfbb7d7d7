// Compares what a relay serves with what was signed, as several people who ask for it. docs/form.md, "Verifying a relay from
// elsewhere".
import { shuffled } from '../../crypto/bytes.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { OFFLINE_FORM_FILE } from '../../runtime/served.ts';
import { CliError } from '../errors.ts';
import { reason } from '../files.ts';
import { PAGE_FILES } from '../sending/page-requests.ts';
import type { RelayAddress } from '../sending/relay-address.ts';
import { Asker, type ServedAnswer } from './ask.ts';
import { ASKERS, TOR_BROWSER } from './askers.ts';
import { deviations, rootKeyDeviations } from './compare.ts';
import { documentAnswers, START_PATH } from './documents.ts';
import { expectedAnswers, nowhere, unsignedFiles, type Expected } from './expected.ts';
import { FindingList, type Deviation, type Finding } from './findings.ts';
import { probes, withQuery } from './probes.ts';
import { hasInlineScript, references } from './references.ts';
import { sha256, type Signed } from './signed.ts';
import { keyringsTogether, checkStart, releaseRemarks } from './start.ts';

/** As few requests at once as a browser makes over one circuit. */
const AT_ONCE = 3;

export type Report = {
  readonly findings: readonly Finding[];
  /** How many answers were compared, and as how many people was asked. */
  readonly answers: number;
  readonly askers: number;
  /** Files that nothing signed can be compared with. */
  readonly notCompared: readonly string[];
  readonly remarks: readonly string[];
};

export type Verifying = {
  readonly address: RelayAddress;
  readonly signed: Signed;
  readonly now: Date;
  /** Names of headers, in lower case, that a proxy before the relay adds. */
  readonly ignored: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
};

/** Throws RELAY_AWAY when nothing answers. */
export async function verifyRelay(verifying: Verifying): Promise<Report> {
  const askers = ASKERS.map((who) => new Asker(who, verifying.address, verifying.signal));
  try {
    return await new Verification(verifying).run(askers);
  } finally {
    for (const asker of askers) asker.leave();
  }
}

class Verification {
  readonly #verifying: Verifying;
  readonly #findings = new FindingList();
  readonly #keyrings = new Map<string, VerifiedKeyring>();
  /** Files that nothing signed lists: who was shown which, by their digests. */
  readonly #unsigned = new Map<string, Map<string, Set<string>>>();
  /** Texts that are not known to be right, by path: what do they lead to? */
  readonly #doubtful = new Map<string, Map<string, string>>();
  #done = 0;
  #total = 1;

  constructor(verifying: Verifying) {
    this.#verifying = verifying;
  }

  async run(askers: readonly Asker[]): Promise<Report> {
    const { signed } = this.#verifying;
    const [first] = askers;
    if (first === undefined) throw new Error('nobody asks');
    const expected = await this.#expected(first);
    const known = [...expected, ...documentAnswers(signed, null)].map(({ path }) => path);
    const strange = probes([...new Set([...signed.files.keys(), ...known.map((path) => path.slice(1))])].filter((path) => path !== ''));
    const curious = askers.filter(({ who }) => who === TOR_BROWSER || who.name === 'nobody');
    this.#total = askers.length * (expected.length + documentAnswers(signed, null).length) + curious.length * strange.length;
    await Promise.all(askers.map((asker) => this.#visit(asker, expected)));
    await Promise.all(curious.map((asker) => inTurn(shuffled(strange), (path) => this.#compare(asker, nowhere(signed, path)))));
    await this.#askWithQuery(first, expected);
    await this.#follow(first, new Set(known));
    this.#compareAmongAskers();
    return this.#report(askers.length);
  }

  /** The answers to expect, once it is known until when the offline form is served and which files an organisation has beside a release. */
  async #expected(first: Asker): Promise<Expected[]> {
    const { signed, now } = this.#verifying;
    await first.get('/').catch((error: unknown) => {
      throw new CliError('RELAY_AWAY', `the relay does not answer: ${reason(error)}`, 'see that the address is right, and run this again');
    });
    const bodyOf = async (path: string): Promise<Uint8Array> => (await first.get(path).catch(() => null))?.body ?? new Uint8Array();
    const untilMs = signed.files.has(OFFLINE_FORM_FILE) || signed.of === 'release' ? untilIn(await bodyOf(`/${OFFLINE_FORM_FILE}`)) : null;
    const hasEnded = untilMs !== null && now.getTime() >= untilMs;
    const { files, strange } =
      signed.of === 'form' ? { files: [], strange: [] } : unsignedFiles(signed, await bodyOf('/manifest.json'), hasEnded);
    for (const path of strange) this.#findings.add('added', `/${path}`, "it is in the relay's own manifest, and not of the release");
    return [...expectedAnswers(signed, hasEnded), ...files];
  }

  /** Tor Browser loads the first page in its order; all else, and everybody else, in any. */
  async #visit(asker: Asker, expected: readonly Expected[]): Promise<void> {
    const { signed, now } = this.#verifying;
    const start = await this.#get(asker, START_PATH);
    const started = start === null || start.body === null ? null : checkStart(start.body, signed, now);
    const verified = started?.verified ?? null;
    if (verified !== null) this.#keyrings.set(verified.digest, verified);
    const documents = documentAnswers(signed, started?.json ?? null);
    const all = [...expected, ...documents];
    const order = asker.who === TOR_BROWSER ? PAGE_FILES.flat().map(({ path }) => path) : [];
    const page = order.flatMap((path) => all.find((each) => each.path === path) ?? []);
    const others = shuffled(all.filter((each) => !page.includes(each)));
    await inTurn([...page, ...others], (each) =>
      this.#compare(asker, each, each.path === START_PATH ? { answer: start, more: started?.deviations ?? [] } : undefined),
    );
  }

  async #compare(asker: Asker, expected: Expected, given?: { answer: ServedAnswer | null; more: readonly Deviation[] }): Promise<void> {
    const { signed, ignored } = this.#verifying;
    const { path } = expected;
    const answer = given === undefined ? await this.#get(asker, path) : given.answer;
    this.#verifying.onProgress((this.#done += 1) / this.#total);
    if (answer === null) return;
    const found = deviations(expected, answer, asker.who, ignored);
    const body = answer.body ?? new Uint8Array();
    const keys = answer.status === 200 && /\.(?:js|html)$/.test(path) ? rootKeyDeviations(path, body, signed) : [];
    this.#findings.note(path, asker.who.name, [...found, ...keys, ...(given?.more ?? [])]);
    if (answer.status !== expected.status) return;
    if (typeof expected.content !== 'function') this.#noteUnsigned(expected.content.unsigned, sha256(body), asker.who.name);
    else if (found.every(({ kind }) => kind !== 'changed')) return;
    if (!/(?:\/|\.html|\.js|\.css)$/.test(path)) return;
    const texts = this.#doubtful.get(path) ?? new Map<string, string>();
    this.#doubtful.set(path, texts.set(sha256(body), Buffer.from(body).toString('utf8')));
  }

  #noteUnsigned(file: string, digest: string, asker: string): void {
    const shown = this.#unsigned.get(file) ?? new Map<string, Set<string>>();
    this.#unsigned.set(file, shown.set(digest, (shown.get(digest) ?? new Set()).add(asker)));
  }

  async #get(asker: Asker, path: string): Promise<ServedAnswer | null> {
    try {
      return await asker.get(path);
    } catch (error) {
      if (this.#verifying.signal.aborted) throw error;
      this.#findings.note(path, asker.who.name, [{ kind: 'unanswered', detail: reason(error) }]);
      return null;
    }
  }

  /** A query changes nothing at an honest relay. */
  async #askWithQuery(asker: Asker, expected: readonly Expected[]): Promise<void> {
    const { ignored } = this.#verifying;
    const asked = expected.filter(({ path, status }) => status === 200 && /(?:\/|\.js)$/.test(path));
    await inTurn(asked, async (each) => {
      const answer = await this.#get(asker, withQuery(each.path));
      if (answer !== null) this.#findings.note(`${each.path}?…`, asker.who.name, deviations(each, answer, asker.who, ignored));
    });
  }

  /** Looks at what pages and scripts that nobody signed lead to. */
  async #follow(asker: Asker, known: ReadonlySet<string>): Promise<void> {
    const { signed, ignored } = this.#verifying;
    for (const [path, texts] of this.#doubtful) {
      for (const text of texts.values()) {
        // The offline form holds all its scripts, under a policy of its own that allows no network.
        if (/\/form\.html$/.test(path)) continue;
        const { here, elsewhere } = references(path, text);
        for (const address of elsewhere) this.#findings.add('added', path, `it makes the browser fetch ${address}`);
        if (/(?:\/|\.html)$/.test(path) && hasInlineScript(text)) this.#findings.add('changed', path, 'it has a script in the page itself');
        for (const named of here.filter((each) => !known.has(each))) {
          const answer = await this.#get(asker, named);
          if (answer === null) continue;
          this.#findings.note(named, asker.who.name, deviations(nowhere(signed, named), answer, asker.who, ignored));
        }
      }
    }
  }

  #compareAmongAskers(): void {
    for (const [file, shown] of this.#unsigned) {
      const [usual, ...others] = [...shown.values()].sort((a, b) => b.size - a.size);
      for (const askers of others) {
        for (const asker of askers) this.#findings.add('unlike', `/${file}`, `most are shown another (${String(usual?.size)})`, asker);
      }
    }
    for (const { kind, detail } of keyringsTogether([...this.#keyrings.values()])) this.#findings.add(kind, START_PATH, detail);
  }

  #report(askers: number): Report {
    const { signed } = this.#verifying;
    const remarks = new Set([...this.#keyrings.values()].flatMap((verified) => releaseRemarks(verified, signed)));
    if (this.#keyrings.size === 0) remarks.add('The relay hands out no valid keyring at the moment, so nobody can write.');
    return {
      findings: this.#findings.list(),
      answers: this.#findings.answers,
      askers,
      notCompared: [...this.#unsigned.keys()].sort(),
      remarks: [...remarks],
    };
  }
}

/** Works through a list, several at once. */
async function inTurn<T>(list: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const left = list.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const each of left) await work(each);
    }),
  );
}

/** Until when the offline form may be served, in Unix time (ms); null where it does not say. */
function untilIn(body: Uint8Array): number | null {
  const [, until = ''] = /^\{"until":"([^"]{1,40})"\}\s*$/.exec(Buffer.from(body).toString('utf8')) ?? [];
  const untilMs = Date.parse(until);
  return Number.isNaN(untilMs) ? null : untilMs;
}
