// `operator verify`: a real relay is as it was built and signed, and a dishonest machine before it is found out.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeKeyring } from '../../crypto/keyring.ts';
import { encodePublicKey, generateKeyPair, parseSecretKey, sign, type SigningKey } from '../../crypto/minisign.ts';
import { EXIT } from '../../cli/errors.ts';
import { ASKERS } from '../../cli/verifying/askers.ts';
import type { Finding } from '../../cli/verifying/findings.ts';
import { cli } from '../support/cli.ts';
import { ONION, startSocksServer } from '../support/socks-server.ts';
import type { Served, Tamper } from '../support/tampering.ts';
import { sampled, thoroughly } from '../support/thorough.ts';
import { useVerifying, withText } from '../support/verifying.ts';

const bench = useVerifying();
const { verify, found } = bench;
let root: SigningKey;
let manifest: string;

beforeAll(async () => {
  const { layout } = bench.deployment;
  root = await parseSecretKey(await readFile(layout.rootSecretKey, 'utf8'));
  // As the administrator hands it out.
  manifest = join(bench.dir, 'manifest.json');
  const json = await readFile(join(layout.web, 'manifest.json'));
  await writeFile(manifest, json);
  await writeFile(`${manifest}.minisig`, sign(json, root, 'manifest.json'));
});

function replaceKeyring(served: Served, path: string, json: Uint8Array, signature: string): void {
  if (path === '/keyring.json') served.body = Buffer.from(json);
  if (path === '/keyring.json.minisig') served.body = Buffer.from(signature);
  if (path !== '/start.json') return;
  const started = JSON.parse(served.body.toString('utf8')) as object;
  served.body = Buffer.from(`${JSON.stringify({ ...started, keyring: Buffer.from(json).toString('utf8'), signature })}\n`);
}

describe('an honest relay', () => {
  it('is as it was built, and says so', async () => {
    const { code, findings, notCompared, answers } = await verify();
    expect(findings).toEqual([]);
    expect([code, notCompared]).toEqual([EXIT.ok, []]);
    expect(answers).toBeGreaterThan(ASKERS.length * 40);
    const { text } = await cli([
      ...['operator', 'verify', bench.deployment.url.replace(/\/$/, ''), '--root-key', bench.deployment.layout.rootKey],
      ...['--web', bench.deployment.layout.web],
    ]);
    expect(text).toMatch(/Everything is as it was signed\.\n$/);
  });

  it('is reached through a proxy, each visitor over a circuit of their own', async () => {
    const socks = await startSocksServer({ [ONION]: bench.proxy.port });
    try {
      const { code, err } = await cli([
        ...['operator', 'verify', `http://${ONION}`, '--socks', `127.0.0.1:${String(socks.port)}`],
        ...['--root-key', bench.deployment.layout.rootKey, '--web', bench.deployment.layout.web],
      ]);
      expect([code, err]).toEqual([EXIT.ok, '']);
      expect(new Set(socks.visits.map(({ password }) => password)).size).toBe(ASKERS.length);
    } finally {
      await socks.stop();
    }
  });
});

describe('finds', () => {
  it('one changed byte in a script', async () => {
    const findings = await found((served, path) => {
      if (path === '/seal-wasm.js') withText(served, (text) => `${text.slice(0, -2)}${text.at(-2) === ' ' ? '\t' : ' '}${text.slice(-1)}`);
    });
    expect(findings).toEqual([
      { kind: 'changed', path: '/seal-wasm.js', detail: expect.stringMatching(/^SHA-256 \w{64}, expected \w{64}$/) as string, to: null },
    ]);
  });

  thoroughly('a file that was added where browsers look', async () => {
    const findings = await found((served, path) => {
      if (path === '/sw.js') Object.assign(served, { status: 200, body: Buffer.from('self.onfetch = null;') });
    });
    expect(findings).toEqual([{ kind: 'added', path: '/sw.js', detail: 'status 200, expected 404', to: null }]);
  });

  it('a file that was added, and to which a page leads', async () => {
    const findings = await found((served, path) => {
      if (path === '/') withText(served, (text) => text.replace('</head>', '<script src="/h4x.js"></script></head>'));
      if (path === '/h4x.js') Object.assign(served, { status: 200, body: Buffer.from('steal()') });
    });
    expect(findings.map(({ kind, path }) => [kind, path])).toEqual([
      ['changed', '/'],
      ['added', '/h4x.js'],
    ]);
  });

  thoroughly('a file that is gone, and another page for what is not there', async () => {
    const findings = await found((served, path) => {
      if (path === '/replies.js') served.status = 404;
      else if (served.status === 404) withText(served, (text) => `${text}<!-- ${path} -->`);
    });
    expect(findings).toContainEqual({ kind: 'missing', path: '/replies.js', detail: 'status 404, expected 200', to: null });
    const others = findings.filter(({ kind }) => kind === 'changed').map(({ detail }) => detail);
    expect(others.length).toBeGreaterThan(10);
    for (const detail of others) expect(detail).toMatch(/^the page for unknown addresses: SHA-256/);
  });

  const HEADERS: readonly [string, Tamper, string][] = [
    [
      'changed',
      ({ headers }) => {
        for (const pair of headers)
          if (pair[0] === 'Content-Security-Policy') pair[1] = pair[1].replace("connect-src 'self'", 'connect-src *');
      },
      'Content-Security-Policy is "default-src',
    ],
    ['added', ({ headers }) => void headers.push(['Set-Cookie', 'id=1']), 'Set-Cookie: "id=1" was added'],
    ['added twice', ({ headers }) => void headers.push(['X-Frame-Options', 'DENY']), 'X-Frame-Options is there twice'],
    [
      'taken away',
      ({ headers }) =>
        void headers.splice(
          headers.findIndex(([name]) => name === 'Referrer-Policy'),
          1,
        ),
      'Referrer-Policy is not there',
    ],
  ];
  it.each(sampled(HEADERS, ([what]) => what === 'changed'))('a header that was %s', async (_what, change, detail) => {
    const findings = await found((served, path, headers) => {
      if (path === '/form.css') change(served, path, headers);
    });
    expect(findings).toEqual([{ kind: 'header', path: '/form.css', detail: expect.stringContaining(detail) as string, to: null }]);
  });

  it('another root key in the scripts', async () => {
    const other = encodePublicKey(generateKeyPair()).split('\n')[1] ?? '';
    const ours = encodePublicKey(root).split('\n')[1] ?? '';
    const findings = await found((served, path) => {
      if (/^\/seal-\w+\.js$/.test(path)) withText(served, (text) => text.replaceAll(ours, other));
    });
    expect(findings.map(({ kind, path }) => [path, kind]).toSorted()).toEqual([
      ['/seal-js.js', 'changed'],
      ['/seal-js.js', 'root-key'],
      ['/seal-wasm.js', 'changed'],
      ['/seal-wasm.js', 'root-key'],
    ]);
  });

  it('a keyring that another root key signed', async () => {
    const stranger = generateKeyPair();
    const findings = await found((served, path) => {
      if (path !== '/start.json') return;
      const { keyring, ...rest } = JSON.parse(served.body.toString('utf8')) as { keyring: string };
      served.body = Buffer.from(`${JSON.stringify({ ...rest, keyring, signature: sign(Buffer.from(keyring), stranger, 'x') })}\n`);
    });
    expect(findings).toEqual([
      { kind: 'keyring', path: '/start.json', detail: expect.stringContaining('(MINISIGN_KEY)') as string, to: null },
    ]);
  });

  const DIFFERENCES: readonly [string, string, string, string[]][] = [
    ['language', 'accept-language', 'ru', ['Chrome in Russian', 'Tor Browser in Russian']],
    ['program', 'user-agent', 'curl', ['curl']],
    ['cookie', 'cookie', 'seen', ['Safari that comes again']],
  ];
  it.each(sampled(DIFFERENCES, ([what]) => what === 'cookie'))(
    'a form that differs by the %s of whoever asks',
    async (_what, header, word, names) => {
      const findings = await found((served, path, headers) => {
        if (path === '/form.js' && String(headers[header]).startsWith(word)) withText(served, (text) => `${text}\n`);
      });
      expect(findings).toMatchObject([{ kind: 'changed', path: '/form.js', to: names }]);
    },
  );

  thoroughly('what is not answered at all', async () => {
    const findings = await found((_served, path) => {
      if (path === '/words.txt') throw new Error('cut off');
    });
    expect(findings).toMatchObject([{ kind: 'unanswered', path: '/words.txt', to: null }]);
  });

  it('another keyring of the same serial for some', async () => {
    const { keyring } = bench.deployment.keyring;
    const json = encodeKeyring({ ...keyring, answerTime: { en: 'never' } });
    const signature = sign(json, root, 'twin');
    const findings = await found((served, path, headers) => {
      if (String(headers['user-agent']).startsWith('curl')) replaceKeyring(served, path, json, signature);
    });
    expect(findings).toEqual([
      { kind: 'keyring', path: '/start.json', detail: expect.stringContaining('(KEYRING_TWICE)') as string, to: null },
    ]);
  });

  it('a keyring that is over, and an offline form that should be', async () => {
    const { layout } = bench.deployment;
    const url = `http://127.0.0.1:${String(bench.proxy.port)}`;
    const options = ['--root-key', layout.rootKey, '--web', layout.web, '--json'];
    const { code, text } = await cli(['operator', 'verify', url, ...options], { now: new Date('2099-01-01T00:00:00Z') });
    const { findings } = JSON.parse(text) as { findings: Finding[] };
    expect(code).toBe(EXIT.notAuthentic);
    expect(findings).toContainEqual({ kind: 'changed', path: '/form.html', detail: 'status 200, expected 410', to: null });
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'keyring', path: '/start.json', detail: expect.stringContaining('(KEYRING_EXPIRED)') as string }),
    );
  });

  thoroughly('something else for a query', async () => {
    const findings = await found((served, path) => {
      if (path.startsWith('/form.js?')) withText(served, (text) => `${text}\n`);
    });
    expect(findings).toMatchObject([{ kind: 'changed', path: '/form.js?…' }]);
  });

  it('another manifest than the one that was signed', async () => {
    const findings = await found(
      (served, path) => {
        if (path === '/manifest.json') withText(served, (text) => text.replace('"version": 1', '"version":  1'));
      },
      '--manifest',
      manifest,
    );
    expect(findings).toMatchObject([{ kind: 'changed', path: '/manifest.json' }]);
  });

  thoroughly('another signature of the manifest', async () => {
    const stranger = generateKeyPair();
    const json = await readFile(manifest);
    const findings = await found((served, path) => {
      if (path === '/manifest.json.minisig') served.body = Buffer.from(sign(json, stranger, 'manifest.json'));
    });
    expect(findings).toMatchObject([{ kind: 'changed', path: '/manifest.json.minisig' }]);
  });
});

describe('remarks that are no findings', () => {
  it('a keyring that names a newer release', async () => {
    const { keyring } = bench.deployment.keyring;
    const json = encodeKeyring({ ...keyring, release: { version: '99.0.0', digest: 'ab'.repeat(32) } });
    const signature = sign(json, root, 'newer');
    bench.proxy.tamper = (served, path) => replaceKeyring(served, path, json, signature);
    const { code, remarks } = await verify();
    expect([code, remarks]).toEqual([EXIT.ok, [expect.stringContaining('There is a newer release of the programs, 99.0.0')]]);
  });

  thoroughly('no keyring at the moment', async () => {
    bench.proxy.tamper = (served, path) => {
      if (path === '/start.json') {
        const { door } = JSON.parse(served.body.toString('utf8')) as { door: object };
        served.body = Buffer.from(`${JSON.stringify({ door, keyring: null, signature: null })}\n`);
      }
      if (!path.startsWith('/keyring.json')) return;
      const headers = served.headers.map(([name, value]): [string, string] =>
        name === 'Content-Type' ? [name, 'application/json; charset=utf-8'] : [name, value],
      );
      Object.assign(served, { status: 503, headers, body: Buffer.from('{}') });
    };
    const { code, remarks } = await verify();
    expect([code, remarks]).toEqual([EXIT.ok, [expect.stringContaining('hands out no valid keyring')]]);
  });
});

describe('wrong use', () => {
  const use = (...options: string[]) =>
    cli(['operator', 'verify', 'http://127.0.0.1:1', '--root-key', bench.deployment.layout.rootKey, ...options]);

  it('says what is missing or does not go together', async () => {
    expect((await use()).err).toContain('give one of --manifest, --web and --release');
    expect((await use('--release', manifest)).err).toContain('--release and --release-key go together');
    expect((await use('--web', 'x', '--ignore-header', 'a b')).err).toContain('--ignore-header must be the name of a header');
    const { err } = await cli(['operator', 'verify', 'gopher://x', '--root-key', bench.deployment.layout.rootKey, '--web', 'x']);
    expect(err).toContain('URL must be http://….onion');
  });

  it('a manifest that the root key did not sign is refused before anything is asked', async () => {
    const file = join(bench.dir, 'foreign.json');
    const json = await readFile(manifest);
    await writeFile(file, json);
    await writeFile(`${file}.minisig`, sign(json, generateKeyPair(), 'x'));
    const { code, err } = await use('--manifest', file);
    expect([code, err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(MINISIGN_KEY)')]);
  });

  it('a relay that is not there', async () => {
    const { code, err } = await use('--web', bench.deployment.layout.web);
    expect([code, err]).toEqual([EXIT.unavailable, expect.stringContaining('(RELAY_AWAY)')]);
  });
});
