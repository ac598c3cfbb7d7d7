// What mail programs, providers and people put a letter into, made byte by byte.
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
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\nThis is a message in several parts.\r\n${parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('')}--${boundary}--\r\n`;
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

const END_OF_CHAIN = 0xfffffffe;
const FREE = 0xffffffff;
const SECTOR = 512;

/** A compound file as Outlook's .msg is one; the sectors of every stream in another order than that of the stream. */
export function compound(streams: readonly { name: string; content: Uint8Array }[]): Uint8Array {
  const large = streams.filter(({ content }) => content.length >= 4096);
  const small = streams.filter(({ content }) => content.length < 4096);
  const smallFat: number[] = [];
  const smallParts: Buffer[] = [];
  const starts = new Map<string, number>();
  for (const { name, content } of small) {
    const count = Math.ceil(content.length / 64);
    starts.set(name, smallFat.length);
    for (let i = 0; i < count; i += 1) smallFat.push(i === count - 1 ? END_OF_CHAIN : smallFat.length + 1);
    smallParts.push(Buffer.concat([content, Buffer.alloc(count * 64 - content.length)]));
  }
  const root = Buffer.concat(smallParts);
  const numbers = (list: readonly number[]): Buffer => {
    const buffer = Buffer.alloc(Math.ceil(list.length / 128) * SECTOR, 0xff);
    list.forEach((number, i) => buffer.writeUInt32LE(number, 4 * i));
    return buffer;
  };
  const [sectors, fat]: [Buffer[], number[]] = [[], []];
  /** Backwards, so that nothing lies in one run. */
  const place = (content: Buffer): number => {
    const count = Math.ceil(content.length / SECTOR);
    const first = sectors.length;
    for (let i = count - 1; i >= 0; i -= 1) {
      sectors.push(Buffer.concat([content.subarray(i * SECTOR, (i + 1) * SECTOR), Buffer.alloc(SECTOR)]).subarray(0, SECTOR));
      fat.push(i === count - 1 ? END_OF_CHAIN : sectors.length - 2);
    }
    return first + count - 1;
  };
  for (const { name, content } of large) starts.set(name, place(Buffer.from(content)));
  const rootStart = root.length === 0 ? END_OF_CHAIN : place(root);
  const smallFatStart = smallFat.length === 0 ? END_OF_CHAIN : place(numbers(smallFat));
  const entry = (name: string, type: number, start: number, size: number): Buffer => {
    const buffer = Buffer.alloc(128);
    buffer.write(name, 0, 'utf16le');
    buffer.writeUInt16LE(2 * (name.length + 1), 64);
    buffer.writeUInt8(type, 66);
    buffer.writeUInt32LE(start, 116);
    buffer.writeUInt32LE(size, 120);
    return buffer;
  };
  const directory = Buffer.concat([
    entry('Root Entry', 5, rootStart, root.length),
    ...streams.map(({ name, content }) => entry(name, 2, starts.get(name) ?? 0, content.length)),
  ]);
  const directoryStart = place(directory);
  // Each sector of the table holds 128 numbers, and has one itself.
  const fatSectors = Math.ceil(fat.length / 127);
  const fatStart = sectors.length;
  for (let i = 0; i < fatSectors; i += 1) fat.push(0xfffffffd);
  const header = Buffer.alloc(SECTOR);
  header.write('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1');
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(fatSectors, 44);
  header.writeUInt32LE(directoryStart, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(smallFatStart, 60);
  header.writeUInt32LE(END_OF_CHAIN, 68);
  for (let i = 0; i < 109; i += 1) header.writeUInt32LE(i < fatSectors ? fatStart + i : FREE, 76 + 4 * i);
  return new Uint8Array(Buffer.concat([header, ...sectors, numbers(fat)]));
}

/** With a certificate of its own, as S/MIME programs do. */
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
