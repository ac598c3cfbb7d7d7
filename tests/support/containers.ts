// Containers in which mail programs, providers and people put a letter, made byte by byte.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const base64Lines = (content: Uint8Array | string, columns = 76): string =>
  (
    Buffer.from(content)
      .toString('base64')
      .match(new RegExp(`.{1,${String(columns)}}`, 'g')) ?? []
  ).join('\r\n');

export function quotedPrintable(content: Uint8Array | string): string {
  return Buffer.from(content)
    .toString('latin1')
    .split('\n')
    .map((line) => {
      const coded = line
        .replace(/\r$/, '')
        .replace(/[^\x20-\x3c\x3e-\x7e]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
        .replaceAll(/=(?![0-9A-F]{2})/g, '=3D');
      return (coded.match(/(?:=[0-9A-F]{2}|[^=]){1,70}/g) ?? ['']).join('=\r\n');
    })
    .join('\r\n');
}

export type Part = {
  type: string;
  encoding?: 'base64' | 'quoted-printable' | '7bit';
  name?: string;
  disposition?: string;
  body: Uint8Array | string;
};

export function part({ type, encoding = 'base64', name, disposition, body }: Part): string {
  const coded =
    encoding === 'base64'
      ? base64Lines(body)
      : encoding === 'quoted-printable'
        ? quotedPrintable(body)
        : Buffer.from(body).toString('latin1');
  const said = disposition ?? (name === undefined ? '' : `Content-Disposition: attachment; filename="${name}"\r\n`);
  return `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n${said}\r\n${coded}`;
}

export const mailOf = (only: string): Uint8Array =>
  latin1(`From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n${only}\r\n`);
export const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

export function multipart(kind: string, parts: readonly string[], boundary = 'b'): string {
  const head = `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\nThis is a message in several parts.\r\n`;
  return `${head}${parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('')}--${boundary}--\r\n`;
}

export const mixed = (...parts: string[]): Uint8Array => mailOf(multipart('mixed', parts));

/** A part with a few words. */
export const HELLO = part({ type: 'text/plain; charset=utf-8', body: 'Привет, посмотри.' });

/** A part that is a file; `name` null: without a name. */
export function attachment(content: Uint8Array | string, name: string | null = 'letter.age', type = 'application/octet-stream'): string {
  return part({ type, body: content, ...(name === null ? {} : { name }) });
}

type Entry = { name: string; content: Uint8Array; method?: 'stored' | 'deflated'; flags?: number; methodNumber?: number };

export function zip(entries: readonly Entry[]): Uint8Array {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const { name, content, method = 'deflated', flags = 0, methodNumber } of entries) {
    const packed = method === 'stored' ? Buffer.from(content) : deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(methodNumber ?? (method === 'stored' ? 0 : 8), 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    8,
  );
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...locals, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end]));
}

export function tar(entries: readonly { name: string; content: Uint8Array }[]): Uint8Array {
  const blocks = entries.flatMap(({ name, content }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(content.length.toString(8).padStart(11, '0'), 124);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return new Uint8Array(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** Outlook's winmail.dat. */
export function tnef(attributes: readonly { id: number; value: Uint8Array }[]): Uint8Array {
  const parts = attributes.map(({ id, value }) => {
    const head = Buffer.alloc(9);
    head.writeUInt8(2, 0);
    head.writeUInt32LE(id, 1);
    head.writeUInt32LE(value.length, 5);
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(value.reduce((all, byte) => (all + byte) & 0xffff, 0));
    return Buffer.concat([head, value, sum]);
  });
  return new Uint8Array(Buffer.concat([Buffer.from([0x78, 0x9f, 0x3e, 0x22, 1, 0]), ...parts]));
}
export const tnefAttachment = (name: string, value: Uint8Array) => [
  { id: 0x00018010, value: latin1(`${name}\0`) },
  { id: 0x0006800f, value },
];

/** Signs or encrypts with a throwaway certificate, as S/MIME programs do. */
export function smime(content: Uint8Array, how: 'signed' | 'sealed', options: readonly string[] = []): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'relay-smime-'));
  try {
    const [key, cert, plain, out] = ['key.pem', 'cert.pem', 'in', 'out'].map((name) => join(dir, name)) as [string, string, string, string];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x', '-keyout', key, '-out', cert],
      { stdio: 'ignore' },
    );
    writeFileSync(plain, content);
    const command = how === 'signed' ? ['-sign', '-signer', cert, '-inkey', key, '-nodetach'] : ['-encrypt', '-recip', cert];
    execFileSync('openssl', ['cms', ...command, '-binary', '-outform', 'DER', '-in', plain, '-out', out, ...options], { stdio: 'ignore' });
    return new Uint8Array(readFileSync(out));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

export function uuencode(name: string, content: Uint8Array): string {
  const character = (six: number): string => String.fromCharCode(six === 0 ? 96 : six + 32);
  const lines: string[] = [];
  for (let at = 0; at < content.length; at += 45) {
    const row = content.subarray(at, at + 45);
    let line = character(row.length);
    for (let i = 0; i < row.length; i += 3) {
      const [a = 0, b = 0, c = 0] = row.subarray(i, i + 3);
      line += [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63].map(character).join('');
    }
    lines.push(line);
  }
  return `begin 644 ${name}\n${lines.join('\n')}\n\`\nend\n`;
}

export function utf16(text: string, isLittle = true, mark = true): Uint8Array {
  const bytes = Buffer.from((mark ? '\ufeff' : '') + text, 'utf16le');
  return new Uint8Array(isLittle ? bytes : bytes.swap16());
}

export function utf32(text: string, isLittle = true): Uint8Array {
  const bytes = Buffer.alloc(4 * (text.length + 1));
  [0xfeff, ...[...text].map((c) => c.codePointAt(0) ?? 0)].forEach((code, i) =>
    isLittle ? bytes.writeUInt32LE(code, 4 * i) : bytes.writeUInt32BE(code, 4 * i),
  );
  return new Uint8Array(bytes);
}
