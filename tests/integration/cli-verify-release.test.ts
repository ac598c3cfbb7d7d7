// `operator verify` with the manifest of a release: an organisation's relay has its scripts, with another root key in them.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { encodeManifest, parseManifest } from '../../crypto/manifest.ts';
import { encodePublicKey, generateKeyPair, sign } from '../../crypto/minisign.ts';
import { buildWeb } from '../../web/build/build.ts';
import { useVerifying, withText } from '../support/verifying.ts';

const bench = useVerifying();
const { verify, found } = bench;

describe('with the manifest of a release', () => {
  let options: string[];
  beforeAll(async () => {
    const key = generateKeyPair();
    const web = join(bench.dir, 'release');
    const publicKey = join(bench.dir, 'release.pub');
    await writeFile(publicKey, encodePublicKey(key));
    await buildWeb({ rootKeyFile: publicKey, outDir: web });
    const { files } = parseManifest(await readFile(join(web, 'manifest.json')));
    const form = await Promise.all(Object.keys(files).map(async (path) => [`form/${path}`, await readFile(join(web, path))] as const));
    const json = encodeManifest(new Map(form));
    const file = join(bench.dir, 'release.json');
    await writeFile(file, json);
    await writeFile(`${file}.minisig`, sign(json, key, 'a release'));
    options = ['--release', file, '--release-key', publicKey];
  });

  it('an honest relay has the scripts of the release, with its own root key; pages are named as not compared', async () => {
    const { code, findings, notCompared } = await verify(...options);
    expect(findings).toEqual([]);
    expect(code).toBe(EXIT.ok);
    expect(notCompared).toEqual(expect.arrayContaining(['en/index.html', 'form.html', 'manifest.json', 'nowhere.html']));
    expect(notCompared.filter((path) => path.endsWith('.js'))).toEqual([]);
  });

  it('finds one changed byte in a script', async () => {
    const findings = await found(
      (served, path) => {
        if (path === '/seal-js.js') withText(served, (text) => `${text} `);
      },
      ...options,
    );
    expect(findings).toMatchObject([{ kind: 'changed', path: '/seal-js.js', to: null }]);
  });

  it('finds a script of others in a page, one in the page itself, and a page that differs by who asks', async () => {
    const findings = await found(
      (served, path, headers) => {
        if (path === '/') withText(served, (text) => text.replace('</head>', '<script src="/h4x.js"></script></head>'));
        if (path === '/h4x.js') Object.assign(served, { status: 200, body: Buffer.from('steal()') });
        if (path === '/en/')
          withText(served, (text) => text.replace('</head>', '<script>steal()</script><img src="https://example.org/x"></head>'));
        if (path === '/replies' && headers['user-agent'] === undefined) withText(served, (text) => `${text} `);
      },
      ...options,
    );
    expect(findings.map(({ kind, path }) => [path, kind])).toEqual([
      ['/en/', 'added'],
      ['/en/', 'changed'],
      ['/en/index.html', 'unlike'],
      ['/h4x.js', 'added'],
      ['/index.html', 'unlike'],
      ['/replies.html', 'unlike'],
    ]);
  });

  it('finds a file in the relay’s own manifest that no release has', async () => {
    const findings = await found(
      (served, path) => {
        if (path === '/manifest.json') withText(served, (text) => text.replace('"files": {', `"files": {"more.js": "${'ab'.repeat(32)}",`));
      },
      ...options,
    );
    expect(findings).toMatchObject([{ kind: 'added', path: '/more.js' }]);
  });
});
