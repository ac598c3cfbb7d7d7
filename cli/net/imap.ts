import type { ImapFlow } from 'imapflow';
import { CliError, UsageError } from '../errors.ts';
import { INPUT_BYTES_MAX, readInputText, tooLarge } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { readPassphraseFile } from '../terminal/passphrase.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { onionWithoutProxy } from './proxy.ts';

const IMAPS_PORT = 993;
/** More than anybody can read: of a larger folder, only the newest messages are read. */
const MESSAGES_MAX = 10_000;
/** How much is asked for at once: a round trip through Tor takes a second. */
const BATCH_MESSAGES = 100;
const BATCH_BYTES = 4 * 1024 * 1024;
const FOLDERS_NAMED_MAX = 20;
/** After more than this the reason is the connection, not a message. */
const HANG_UPS_MAX = 20;

export type ImapPlace = { user: string; host: string; port: number; folder: string };
/** `ca`, `passwordFile`: names of files; `socks`: HOST:PORT. */
export type ImapOptions = { passwordFile?: string | undefined; ca?: string | undefined; socks?: string | undefined };
export type ImapMessage = { name: string; read: () => Promise<Uint8Array> };

export const isImap = (path: string): boolean => /^imaps?:/i.test(path);

/**
 * Parses `imaps://user@host[:port]/Folder`; without a folder it is INBOX. Throws USAGE for anything else,
 * also with a password in it.
 */
export function parseImapUrl(text: string): ImapPlace {
  try {
    const { protocol, username, password, hostname, port, pathname, search, hash } = new URL(text);
    const folder = decodeURIComponent(pathname.slice(1));
    if (protocol === 'imaps:' && username !== '' && hostname !== '' && password === '' && search === '' && hash === '') {
      return {
        user: decodeURIComponent(username),
        host: hostname,
        port: Number(port || IMAPS_PORT),
        folder: folder === '' ? 'INBOX' : folder,
      };
    }
  } catch {
    // Said below, without the text: there may be a password in it.
  }
  throw new UsageError('a mailbox is imaps://user@host/Folder (an @ in the user is %40), always by TLS and without the password');
}

/**
 * The messages of a folder, selected for reading only: nothing is marked as seen. The certificate is checked. Throws IMAP_AWAY
 * when no server answers, IMAP_CERTIFICATE when its certificate is not valid, IMAP_REFUSED when it refuses the user,
 * PASSPHRASE_* when its password cannot be read or asked.
 */
export async function* imapMessages(place: ImapPlace, { passwordFile, ca, socks }: ImapOptions, io: Io): AsyncGenerator<ImapMessage> {
  if (socks === undefined && place.host.endsWith('.onion')) throw onionWithoutProxy();
  if (socks !== undefined && !/^[^\s/@]+:\d{1,5}$/.test(socks)) throw new UsageError('--socks must be HOST:PORT');
  const authority = ca === undefined ? undefined : await readInputText(ca, 'the certificate authority');
  const pass = await password(place, passwordFile, io);
  // Loaded only here: it takes longer than everything else that a command needs.
  const { ImapFlow: Client } = await import('imapflow');
  const make = (): ImapFlow =>
    new Client({
      host: place.host,
      port: place.port,
      secure: true,
      auth: { user: place.user, pass },
      tls: { minVersion: 'TLSv1.2', ...(authority === undefined ? {} : { ca: authority }) },
      // Tor gives connections with this user name circuits of their own: nobody can tell that whoever reads here
      // also sends to the relay.
      ...(socks === undefined ? {} : { proxy: `socks5://inbox:inbox@${socks}` }),
      logger: false,
      disableAutoIdle: true,
      maxLiteralSize: INPUT_BYTES_MAX,
      maxResponseSize: 2 * INPUT_BYTES_MAX,
    });
  const folder = new Folder(make, place);
  try {
    yield* messagesOf(folder, place, await folder.select());
  } catch (error) {
    throw explained(error, place);
  } finally {
    folder.close();
  }
}

type Fetched = { readonly uid: number; readonly source?: Uint8Array | undefined };

/** A folder at a server that may close the connection. */
class Folder {
  readonly #make: () => ImapFlow;
  readonly #place: ImapPlace;
  #client: ImapFlow | null = null;
  #hangUps = 0;

  constructor(make: () => ImapFlow, place: ImapPlace) {
    this.#make = make;
    this.#place = place;
  }

  get client(): ImapFlow {
    if (this.#client === null) throw new Error('the folder is not selected');
    return this.#client;
  }

  /** Connects and selects the folder. @returns how many messages there are */
  async select(): Promise<number> {
    this.close();
    this.#client = this.#make();
    // An error without a listener would end the program; the call that is under way throws it as well.
    this.#client.on('error', () => undefined);
    await this.#client.connect();
    return selectFolder(this.#client, this.#place);
  }

  close(): void {
    this.#client?.close();
  }

  /**
   * Fetches messages. When the server refuses, each is asked for by itself, so that one message that it cannot read does not
   * hide the others; some servers close the connection over such a message.
   */
  async fetch(uids: readonly number[]): Promise<Fetched[]> {
    const query = { uid: true, source: { start: 0, maxLength: INPUT_BYTES_MAX } } as const;
    try {
      return await this.client.fetchAll(uids.join(','), query, { uid: true });
    } catch (error) {
      if (!isRefusal(error)) {
        this.#hangUps += 1;
        if (this.#hangUps > HANG_UPS_MAX) throw error;
        await this.select();
      }
      if (uids.length === 1) return [];
      const each: Fetched[] = [];
      for (const uid of uids) each.push(...(await this.fetch([uid])));
      return each;
    }
  }
}

/**
 * Selects a folder. An address divides folders by `/`; a server may use another delimiter, and a prefix before all of them.
 * @returns how many messages there are. Throws INPUT_MISSING when there is no such folder.
 */
async function selectFolder(client: ImapFlow, { host, port, folder }: ImapPlace): Promise<number> {
  const levels = folder.split('/').filter((level) => level !== '');
  try {
    // From a list, the library makes the path with the server's delimiter and prefix.
    return (await client.mailboxOpen(levels, { readOnly: true })).exists;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const all = await client.list();
    const sought = all.find(({ path, delimiter }) => [folder, `INBOX/${folder}`].includes(path.split(delimiter || '/').join('/')));
    if (sought !== undefined) return (await client.mailboxOpen(sought.path, { readOnly: true })).exists;
    const names = all.slice(0, FOLDERS_NAMED_MAX).map(({ path, delimiter }) => visibleLine(path.split(delimiter || '/').join('/')));
    const more = all.length > names.length ? ` and ${String(all.length - names.length)} more` : '';
    throw new CliError(
      'INPUT_MISSING',
      `${host}:${String(port)} does not open the folder ${folder}; it has ${names.join(', ')}${more}`,
      'give one of these',
    );
  }
}

/** The server answered, and refused. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'responseStatus' in error && (error.responseStatus === 'NO' || error.responseStatus === 'BAD');
}

async function* messagesOf(selected: Folder, { host, folder }: ImapPlace, count: number): AsyncGenerator<ImapMessage> {
  if (count === 0) return;
  const first = Math.max(1, count - MESSAGES_MAX + 1);
  const fails = (name: string, error: CliError): ImapMessage => ({ name, read: () => Promise.reject(error) });
  if (first > 1) yield fails(`${host}/${folder}`, tooMany(first - 1));
  const all = (await selected.client.fetchAll(`${String(first)}:*`, { uid: true, size: true })).map(({ uid, size = 0 }) => ({ uid, size }));
  const nameOf = (uid: number): string => `imaps://${host}/${folder}#${String(uid)}`;
  for (const { uid } of all.filter(({ size }) => size > INPUT_BYTES_MAX)) yield fails(nameOf(uid), tooLarge(nameOf(uid)));
  for (const uids of batches(all.filter(({ size }) => size <= INPUT_BYTES_MAX))) {
    const messages = await selected.fetch(uids);
    for (const uid of uids) {
      const source = messages.find((message) => message.uid === uid)?.source;
      if (source === undefined) yield fails(nameOf(uid), notGiven());
      else yield { name: nameOf(uid), read: () => Promise.resolve(new Uint8Array(source)) };
    }
  }
}

function tooMany(skipped: number): CliError {
  return new CliError('INPUT_TOO_LARGE', `${String(skipped)} older messages are not read`, 'move what is done into another folder');
}

function notGiven(): CliError {
  return new CliError(
    'INPUT_MISSING',
    'the mail server does not give it',
    'somebody may just have moved it: try again; if it stays so, have it sent once more',
  );
}

function batches(messages: readonly { uid: number; size: number }[]): number[][] {
  const groups: { uids: number[]; bytes: number }[] = [];
  for (const { uid, size } of messages) {
    const last = groups.at(-1);
    if (last !== undefined && last.uids.length < BATCH_MESSAGES && last.bytes + size <= BATCH_BYTES) {
      last.uids.push(uid);
      last.bytes += size;
    } else {
      groups.push({ uids: [uid], bytes: size });
    }
  }
  return groups.map(({ uids }) => uids);
}

function password({ user, host }: ImapPlace, file: string | undefined, io: Io): Promise<string> {
  if (file !== undefined) return readPassphraseFile(file);
  if (io.stdinIsTerminal) return io.askSecret(`Password of ${visibleLine(user)} at ${host} (nothing is shown while you type): `);
  throw new CliError(
    'PASSPHRASE_UNASKABLE',
    `the password of ${host} cannot be asked: standard input is not a terminal`,
    'run it at a terminal or give --imap-password-file FILE',
  );
}

/** The error in our words, never in the library's: those may hold what the server said. */
function explained(error: unknown, { host, port, folder }: ImapPlace): unknown {
  if (error instanceof CliError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const server = `${host}:${String(port)}`;
  if ('authenticationFailed' in error && error.authenticationFailed === true) {
    return new CliError(
      'IMAP_REFUSED',
      `${server} does not take the user and password`,
      'check both; some providers need a separate password for programs',
    );
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return new CliError(
      'IMAP_CERTIFICATE',
      `the certificate of ${server} is not valid (${code})`,
      'nothing was sent; give --ca FILE if the server has its own authority, otherwise tell the administrator',
    );
  }
  if ('responseStatus' in error) {
    return new CliError('INPUT_MISSING', `${server} does not open the folder ${folder}`, 'check its name');
  }
  return new CliError(
    'IMAP_AWAY',
    `${server} does not answer as a mail server does${code === '' ? '' : ` (${code})`}`,
    'check the address and the network, then try again',
  );
}
