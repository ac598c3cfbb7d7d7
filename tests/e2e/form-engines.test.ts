// What the form seals with: WebAssembly where it works, and JavaScript alone where it is missing or refused.
import { describe, expect, it } from 'vitest';
import { FormPage } from '../support/form-page.ts';
import { usePages, useSite } from '../support/page-bench.ts';
import { enginesFor } from '../support/thorough.ts';

const WASM_ALLOWED = " 'wasm-unsafe-eval'";

const site = useSite();

describe.each(enginesFor('firefox'))('sealing in %s', (name) => {
  const bench = usePages(name, site, { excused: /wasm|WebAssembly|CSP violation/i });
  const page = new FormPage(bench);
  const requested = (file: string): number => bench.front.seen.filter(({ path }) => path === file).length;

  /** As in a browser that reads the policy differently: the page and its worker may not compile WebAssembly. */
  function forbidWasm(): void {
    for (const path of ['/', '/seal-wasm.js']) {
      bench.front.rules.set(path, (exchange, response) =>
        bench.front.pass(exchange, response, (headers) => {
          const policy = String(headers['content-security-policy']);
          expect(policy).toContain(WASM_ALLOWED);
          return { ...headers, 'content-security-policy': policy.replaceAll(WASM_ALLOWED, '') };
        }),
      );
    }
  }

  function damageWasm(): void {
    bench.front.rules.set(
      '/sodium.wasm',
      (_, response) => void response.writeHead(200, { 'content-type': 'application/wasm' }).end(Buffer.alloc(70_000)),
    );
  }

  it.each<[string, () => void]>([
    ['refused by the policy', forbidWasm],
    ['damaged', damageWasm],
  ])('works without WebAssembly: %s', async (_, prepare) => {
    prepare();
    await page.open();
    const text = `Без WebAssembly, ${name}`;
    await page.type(text);
    await bench.tab.page.click('#send');
    await bench.tab.until('#accepted');
    await bench.deployment.untilDelivered([text]);
    expect([requested('/sodium.wasm'), requested('/seal-js.js')]).toEqual([1, 1]);
  });

  it('loads no other build where WebAssembly works', async () => {
    await page.open();
    expect([requested('/seal-wasm.js'), requested('/seal-js.js')]).toEqual([1, 0]);
  });
});
