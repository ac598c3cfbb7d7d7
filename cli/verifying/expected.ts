// What an honest relay answers: each address of the form with its status, headers and content.
import { MANIFEST_NAME, MANIFEST_SIGNATURE_NAME, parseManifest } from '../../crypto/manifest.ts';
import { verify } from '../../crypto/minisign.ts';
import {
  addressesOf,
  endedPageOf,
  isToBeSaved,
  NOWHERE_PAGE,
  OFFLINE_FORM_FILE,
  typeOf,
  type ResponseHeader,
} from '../../runtime/served.ts';
import { keyLine, sha256, type Signed } from './signed.ts';

/**
 * `headers`: beside those that every response has. `content` says what is wrong with the body, null when nothing is; or it is a file that
 * nothing signed lists, of which all must be shown the same.
 */
export type Expected = {
  readonly path: string;
  readonly status: number;
  readonly headers: readonly ResponseHeader[];
  readonly content: ((body: Uint8Array) => string | null) | { readonly unsigned: string };
};

const VARY: ResponseHeader = ['Vary', 'Accept-Encoding'];
const GONE = 410;

const ofType = (path: string): ResponseHeader[] => [['Content-Type', typeOf(path)], VARY];
const isEmpty = (body: Uint8Array): string | null => (body.length === 0 ? null : `${String(body.length)} bytes, expected none`);

/** Every address of the form, and those beside it that do not change. @param hasEnded whether the offline form is over */
export function expectedAnswers(signed: Signed, hasEnded: boolean): Expected[] {
  const files = [...signed.files.keys()].flatMap((path) => expectedFile(signed, path, hasEnded));
  const folders = [...signed.files.keys()].map((path) => /^(?<folder>(?:.+\/)?)paste\/accepted\.html$/.exec(path)?.groups?.['folder']);
  const redirects = folders.flatMap((folder) => (folder === undefined ? [] : [redirect(`/${folder}paste`, `/${folder}`)]));
  const posts = ['/parcel', '/mailbox'].map((path) => ({ ...nowhere(signed, path), status: 405, headers: [...htmlHeaders, ALLOW] }));
  return [...files, ...redirects, ...posts, ...expectedManifest(signed)];
}

const htmlHeaders = ofType(NOWHERE_PAGE);
const ALLOW: ResponseHeader = ['Allow', 'POST'];

/** An address that leads nowhere: the same page whatever it is. */
export function nowhere(signed: Signed, path: string): Expected {
  return { path, status: 404, headers: htmlHeaders, content: contentOf(signed, NOWHERE_PAGE) };
}

function redirect(path: string, to: string): Expected {
  return { path, status: 308, headers: [['Location', to]], content: isEmpty };
}

function expectedFile(signed: Signed, path: string, hasEnded: boolean): Expected[] {
  const { addresses, redirects } = addressesOf(path);
  const isOver = hasEnded && isToBeSaved(path);
  const file = isOver ? endedPageOf(path) : path;
  const attachment: ResponseHeader[] = isToBeSaved(file) ? [['Content-Disposition', 'attachment']] : [];
  const headers = [...ofType(file), ...attachment];
  const content = contentOf(signed, file);
  return [
    ...addresses.map((address) => ({ path: address, status: isOver ? GONE : 200, headers, content })),
    ...redirects.map(([from, to]) => redirect(from, to)),
  ];
}

/** Pages of a release have no words of an organisation in them (a site file's, a link to the offline form), so they may differ. */
function contentOf(signed: Signed, path: string): Expected['content'] {
  const digest = signed.files.get(path);
  if (digest === undefined || (signed.of === 'release' && path.endsWith('.html'))) return { unsigned: path };
  return (body) => {
    const is = sha256(path.endsWith('.js') ? asReleased(body, signed) : body);
    return is === digest ? null : `SHA-256 ${is}, expected ${digest}`;
  };
}

/** The script with the release key where the root key is: docs/protocol.md, § Release. */
function asReleased(body: Uint8Array, signed: Signed): Uint8Array {
  if (signed.of === 'form') return body;
  return Buffer.from(Buffer.from(body).toString('latin1').replaceAll(keyLine(signed.root), keyLine(signed.releaseKey)), 'latin1');
}

function expectedManifest(signed: Signed): Expected[] {
  const file = (name: string, content: Expected['content']): Expected => ({
    path: `/${name}`,
    status: 200,
    headers: ofType(name),
    content,
  });
  if (signed.of === 'release') return [file(MANIFEST_NAME, { unsigned: MANIFEST_NAME })];
  const { json, root, isSigned } = signed;
  const manifest = file(MANIFEST_NAME, (body) => (sha256(body) === sha256(json) ? null : 'another manifest than the one given'));
  const signature = file(MANIFEST_SIGNATURE_NAME, (body) => {
    try {
      verify(json, Buffer.from(body).toString('utf8'), root);
      return null;
    } catch {
      return 'no signature of the manifest by the root key';
    }
  });
  return isSigned ? [manifest, signature] : [manifest];
}

/** Of an organisation's form: what a release does not have. */
const OF_ORGANISATION = new RegExp(`(?:^|/)form(?:-ended)?\\.html$|^${OFFLINE_FORM_FILE.replace('.', '\\.')}$`);

/**
 * Files in the relay's own manifest that are not of the release: the offline form, with nothing to compare it with, and the paths of those
 * that no form has.
 */
export function unsignedFiles(signed: Signed, manifest: Uint8Array, hasEnded: boolean): { files: Expected[]; strange: string[] } {
  const listed = listedIn(manifest).filter((path) => !signed.files.has(path));
  const own = listed.filter((path) => OF_ORGANISATION.test(path));
  return { files: own.flatMap((path) => expectedFile(signed, path, hasEnded)), strange: listed.filter((path) => !own.includes(path)) };
}

function listedIn(manifest: Uint8Array): string[] {
  try {
    return Object.keys(parseManifest(manifest).files);
  } catch {
    return [];
  }
}
