// What a page or script makes a browser fetch: how `operator verify` finds what was added beside a signed form.
import { describe, expect, it } from 'vitest';
import { hasInlineScript, references } from '../../cli/verifying/references.ts';

const page = (body: string): string => `<!doctype html><html><body>${body}</body></html>`;

describe('a page leads to', () => {
  it.each<[string, string, string[], string[]]>([
    ['scripts and styles', '<script src="a.js"></script><link rel=stylesheet href=/b.css>', ['/b.css', '/en/a.js'], []],
    ['what it sends to', "<form action='/take?x=1'><button formaction=other></form>", ['/en/other', '/take'], []],
    [
      'other servers, which a browser asks by itself',
      '<img src="https://example.org/x.png?a=1&amp;b=2">',
      [],
      ['https://example.org/x.png?a=1&b=2'],
    ],
    [
      'links that somebody follows, where they stay here',
      '<a href="../replies">x</a><a href="https://example.org/">y</a>',
      ['/replies'],
      [],
    ],
    ['nothing', '<a href="about:blank">x</a><p title="src=/no.js">', [], []],
  ])('%s', (_what, body, here, elsewhere) => {
    expect(references('/en/', page(body))).toEqual({ here, elsewhere });
  });
});

it('a script leads to the files that it names', () => {
  const text = 'fetch("/start.json");new Worker(`seal-wasm.js`);import("https://example.org/no.js");const x="a.b"';
  expect(references('/form.js', text).here).toEqual(['/seal-wasm.js', '/start.json']);
});

it.each([
  ['<script>x()</script>', true],
  ['<script type="module">x()</script>', true],
  ['<p onclick="x()">', true],
  ['<a href="javascript:x()">', true],
  ['<script src="/form.js" defer></script><p>on = off</p>', false],
])('%s has code in the page: %s', (body, has) => {
  expect(hasInlineScript(page(body))).toBe(has);
});
