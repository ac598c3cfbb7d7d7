import { readReleaseKey, readRootPublicKey } from '../keys/root-key.ts';
import { ready } from '../../crypto/sodium.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { relayFrom } from '../sending/destination.ts';
import { withProgress } from '../terminal/progress.ts';
import { visibleJson } from '../terminal/terminal.ts';
import { describeReport } from '../verifying/report.ts';
import { builtForm, signedForm, signedRelease, type Signed } from '../verifying/signed.ts';
import { verifyRelay } from '../verifying/verify.ts';

const NAME = 'operator verify';
/** As a header is spelled (RFC 9110 § 5.6.2). */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

export const operatorVerify = defineCommand({
  name: NAME,
  summary: 'Compare what a relay serves with what was signed, from elsewhere',
  usage: 'URL --root-key FILE (--manifest FILE | --web DIR | --release FILE --release-key FILE)\n         [--socks HOST:PORT] [options]',
  examples: [
    `support-relay operator verify http://….onion --socks 127.0.0.1:9150 --root-key root.pub \\
    --manifest manifest.json`,
    'support-relay operator verify http://….onion --socks 127.0.0.1:9150 --root-key root.pub --web web',
  ],
  details: `
Fetches everything that the relay serves, as Tor Browser does and as eight other visitors, each over a circuit of its own,
and compares it with a manifest: byte by byte, header by header. It also looks at addresses that must lead nowhere, at the
root key in the scripts and at the keyring. Run it where nobody who runs the relay can touch it, more than once, and get the
keys and the manifest from somebody you trust, never from the relay.

  URL                  http://….onion, https://…, unix:/path/relay.sock or http://127.0.0.1:PORT
  --socks HOST:PORT    through this SOCKS 5 proxy, such as Tor's (127.0.0.1:9150 while Tor Browser is open); the name is
                       resolved there
  --root-key FILE      the organisation's public root key (root.pub)
  --manifest FILE      manifest.json of the form, with FILE.minisig beside it, which the root key made
  --web DIR            a form that you built yourself, as it was built for the relay
  --release FILE       manifest.json of a release, with FILE.minisig beside it: scripts and styles are compared; pages and
                       the offline form, which have an organisation's words and keyrings in them, are only looked through
  --release-key FILE   the project's public release key (release.pub)
  --ignore-header NAME a header that a proxy before the relay adds or changes, such as Date; may be given several times
  --json               one line of JSON: url, manifest (its SHA-256), answers, askers, findings (kind, path, detail, to),
                       notCompared, remarks

Kinds of findings: changed, missing, added, header, root-key, keyring, unlike (not always the same), unanswered. "to" lists
the visitors who were shown it; null means everybody.

Ends with 0 when everything is as it was signed, with 1 when anything differs, with 69 when the relay does not answer.`,
  options: {
    socks: { type: 'string' },
    'root-key': { type: 'string' },
    manifest: { type: 'string' },
    web: { type: 'string' },
    release: { type: 'string' },
    'release-key': { type: 'string' },
    'ignore-header': { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean' },
  },
  arguments: [1, 1],
  run: async (values, [url = ''], io) => {
    const address = relayFrom(url, values.socks, NAME, 'URL');
    const ignored = new Set(values['ignore-header'].map(headerName));
    await ready;
    const root = await readRootPublicKey(required(values['root-key'], 'root-key', NAME));
    const signed = await signedBy(values, root);
    const report = await io.stoppable((signal) =>
      withProgress(io, 'Comparing', (onProgress) =>
        verifyRelay({ address, signed, now: io.now(), ignored, signal, onProgress }).catch((error: unknown) => {
          if (signal.aborted) throw new CliError('INTERRUPTED', 'stopped before everything was compared', 'run it again');
          throw error;
        }),
      ),
    );
    if (values.json === true) io.out(`${visibleJson({ url, manifest: signed.digest, ...report })}\n`);
    else io.out(describeReport(report, signed, url));
    return report.findings.length === 0 ? EXIT.ok : EXIT.notAuthentic;
  },
});

type Values = { manifest?: string | undefined; web?: string | undefined; release?: string | undefined; 'release-key'?: string | undefined };

/** What to compare with. Throws USAGE unless it is one thing. */
async function signedBy({ manifest, web, release, 'release-key': releaseKey }: Values, root: PublicKey): Promise<Signed> {
  const given = [manifest, web, release].filter((value) => value !== undefined && value !== '');
  if (given.length !== 1) throw new UsageError('give one of --manifest, --web and --release', NAME);
  if ((release === undefined) !== (releaseKey === undefined)) throw new UsageError('--release and --release-key go together', NAME);
  if (manifest !== undefined) return signedForm(manifest, root);
  if (web !== undefined) return builtForm(web, root);
  return signedRelease(release ?? '', await readReleaseKey(required(releaseKey, 'release-key', NAME)), root);
}

function headerName(name: string): string {
  if (HEADER_NAME.test(name)) return name.toLowerCase();
  throw new UsageError(`--ignore-header must be the name of a header, not "${name}"`, NAME);
}
