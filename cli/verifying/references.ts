// What a page or script leads a browser to: whatever is not of the form was added.

const ATTRIBUTE = /\s(?:src|srcset|href|action|formaction|data|poster|ping)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi;
const IN_SCRIPT = /["'`]((?:\.{0,2}\/)?[A-Za-z0-9_-][A-Za-z0-9_./-]*\.(?:js|mjs|css|wasm|html|json|txt|png|svg))["'`]/g;
/** Only where somebody clicks does a page lead elsewhere. */
const LINK = /<a\s[^>]*>/gi;

/** Paths on the same relay that the text names, without query; `elsewhere`: addresses of others that a browser would fetch by itself. */
export function references(path: string, text: string): { here: string[]; elsewhere: string[] } {
  const isPage = /<html|<!doctype/i.test(text.slice(0, 1_000));
  const links = isPage ? [...text.matchAll(LINK)].map(([tag]) => tag) : [];
  const rest = isPage ? text.replaceAll(LINK, '') : text;
  const named = isPage ? namesIn(rest) : [...text.matchAll(IN_SCRIPT)].map(([, name = '']) => name);
  const base = new URL(path, 'http://relay.invalid');
  const resolved = (names: readonly string[]): URL[] => names.flatMap((name) => urlOf(name, base) ?? []);
  const isHere = (url: URL): boolean => url.origin === base.origin;
  const fetched = resolved(named);
  const here = [...fetched, ...resolved(links.flatMap(namesIn))].filter(isHere);
  return {
    here: [...new Set(here.map(({ pathname }) => pathname))].sort(),
    elsewhere: [...new Set(fetched.filter((url) => !isHere(url) && url.protocol !== 'about:').map(({ href }) => href))].sort(),
  };
}

function namesIn(markup: string): string[] {
  return [...markup.matchAll(ATTRIBUTE)].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}

function urlOf(name: string, base: URL): URL | null {
  try {
    return new URL(name.replaceAll('&amp;', '&'), base);
  } catch {
    return null;
  }
}

/** True for a page with code in it that is not in a file: the policy in the headers forbids it, and none of ours has any. */
export function hasInlineScript(text: string): boolean {
  return /<script(?![^>]*\ssrc=)[^>]*>|<[a-z][^>]*\son[a-z]+\s*=|javascript:/i.test(text);
}
