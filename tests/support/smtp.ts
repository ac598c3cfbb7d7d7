import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

export type ReceivedMail = {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Buffer;
  readonly hello: string;
  readonly secure: boolean;
  readonly user: string;
};

export type TestSmtp = {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  readonly connections: number;
  stop(): Promise<void>;
};

/** The server's replies: a code with an optional enhanced code (`550 5.7.1`), or null to accept. */
export type Answers = {
  mailFrom?: () => string | null;
  rcptTo?: () => string | null;
  data?: (raw: Buffer) => string | null;
  /** Cuts the connection instead of answering the end of DATA. */
  hangUp?: () => boolean;
};

/** A real SMTP server on loopback. */
export async function startSmtp(options: SMTPServerOptions = {}, answers: Answers = {}, port = 0): Promise<TestSmtp> {
  const mails: ReceivedMail[] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    disabledCommands: options.secure === true || options.key ? [] : ['STARTTLS'],
    ...options,
    onConnect: (_session, done) => {
      connections += 1;
      done();
    },
    onMailFrom: (_address, _session, done) => {
      done(refusal(answers.mailFrom?.()));
    },
    onRcptTo: (_address, _session, done) => {
      done(refusal(answers.rcptTo?.()));
    },
    onData: (stream, session, done) => {
      whenWhole(stream, (raw) => {
        const refused = refusal(answers.data?.(raw));
        if (refused) {
          done(refused);
          return;
        }
        mails.push(receivedMail(raw, session));
        if (answers.hangUp?.() === true) cutConnections(server);
        else done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    get connections() {
      return connections;
    },
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

function refusal(answer: string | null | undefined): Error | null {
  if (answer === null || answer === undefined) return null;
  const [code, enhanced = ''] = answer.split(' ');
  return Object.assign(new Error(`${enhanced} somebody@example.org is not welcome`.trim()), { responseCode: Number(code) });
}

/** Calls `use` at the end of the stream; never if it breaks off. */
function whenWhole(stream: SMTPServerDataStream, use: (raw: Buffer) => void): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    use(Buffer.concat(chunks));
  });
}

function receivedMail(raw: Buffer, session: SMTPServerSession): ReceivedMail {
  const { mailFrom, rcptTo } = session.envelope;
  return {
    from: mailFrom === false ? '' : mailFrom.address,
    to: rcptTo.map(({ address }) => address),
    raw,
    hello: session.hostNameAppearsAs,
    secure: session.secure,
    user: typeof session.user === 'string' ? session.user : '',
  };
}

/** Without an SMTP reply, as when the network fails. */
function cutConnections(server: SMTPServer): void {
  for (const connection of server.connections) (connection as unknown as { _socket: { destroy(): void } })._socket.destroy();
}

/** A loopback port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export type Certificate = { readonly dir: string; readonly key: Buffer; readonly cert: Buffer; readonly file: string; remove(): void };

/** A throwaway self-signed certificate. @param subject such as `IP:127.0.0.1` or `DNS:mail.example.org,IP:127.0.0.1` */
export function makeCertificate(subject: string): Certificate {
  const dir = mkdtempSync(join(tmpdir(), 'relay-certificate-'));
  const [keyFile, file] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-keyout', keyFile, '-out', file, '-subj', '/CN=test', '-addext', `subjectAltName=${subject}`],
    { stdio: 'ignore' },
  );
  return { dir, key: readFileSync(keyFile), cert: readFileSync(file), file, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
