import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { absolutePath, integer, listenAddress, parseEnv, secretFile } from '../../runtime/env.ts';
import { createLog, errorCode, type LogFields } from '../../runtime/log.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'service-test-'));
  await writeFile(join(dir, 'secret'), '  hunter2\n');
  await writeFile(join(dir, 'empty'), '\n');
});
afterAll(() => rm(dir, { recursive: true }));

describe('the environment', () => {
  const good = [
    [listenAddress, 'unix:/run/relay.sock', { kind: 'unix', path: '/run/relay.sock' }],
    [listenAddress, '127.0.0.1:8080', { kind: 'loopback', port: 8080 }],
    [absolutePath, '/x', '/x'],
    [integer(1, 9), '9', 9],
  ] as const;
  it.each(good)('reads %#', (schema, text, value) => {
    expect(parseEnv<unknown>(z.object({ X: schema }), { X: text })).toEqual({ value: { X: value } });
  });

  const bad = [
    ...['0.0.0.0:80', '127.0.0.1', '127.0.0.1:70000', 'localhost:80', '[::1]:80', '192.168.0.1:80', 'unix:relative', 'unix:', '80', ''].map(
      (text) => [listenAddress, text] as const,
    ),
    ...['relative', ''].map((text) => [absolutePath, text] as const),
    ...['0', '10', '1.5', '-1', '1e0', ' 1', 'x', ''].map((text) => [integer(1, 9), text] as const),
  ];
  it.each(bad)('refuses %#: %s', (schema, text) => {
    expect(parseEnv<unknown>(z.object({ X: schema }), { X: text })).toEqual({ problems: [expect.stringMatching(/^X: /) as unknown] });
  });

  it('reads secrets from files, and reports why it cannot', () => {
    const schema = z.object({ X: secretFile });
    expect(parseEnv(schema, { X: join(dir, 'secret') })).toEqual({ value: { X: 'hunter2' } });
    expect(parseEnv(schema, { X: join(dir, 'empty') })).toEqual({ problems: ['X: the file is empty'] });
    expect(parseEnv(schema, { X: join(dir, 'none') })).toEqual({ problems: ['X: the file cannot be read (ENOENT)'] });
  });

  it('names every problem at once, missing settings as missing, and no values', () => {
    const schema = z.object({ A: absolutePath, B: integer(1, 9), C: listenAddress });
    const result = parseEnv<unknown>(schema, { A: 'hunter2', C: 'hunter2' });
    expect(result).toEqual({ problems: ['A: expected an absolute path', 'B: missing', 'C: expected unix:/path or 127.0.0.1:PORT'] });
  });
});

describe('the log', () => {
  function logged(fields: Record<string, unknown>): Record<string, unknown> {
    let line = '';
    createLog({ write: (text) => (line += text) }).warn('door closed', fields as LogFields);
    return JSON.parse(line) as Record<string, unknown>;
  }

  it('writes an event, its fields, and the time to the minute', () => {
    const { time, ...rest } = logged({ reason: 'pool', serial: 3 });
    expect(rest).toEqual({ level: 'warn', msg: 'door closed', reason: 'pool', serial: 3 });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/);
  });

  it('outputs no other field or value, whatever a caller casts', () => {
    const canary = 'canary';
    const line = logged({
      ip: canary,
      err: new Error(canary),
      reason: `${canary} in a sentence`,
      code: { nested: canary },
      file: `/path/${canary}`,
      inbox: [canary],
      kind: Symbol(canary),
      seconds: NaN,
      req: { headers: { 'user-agent': canary } },
      msg: canary,
      toJSON: () => canary,
    });
    expect(JSON.stringify(line)).not.toContain(canary);
    expect(line).toMatchObject({ reason: 'unprintable', file: 'unprintable' });
  });

  it('names an error in one word, never by its message', () => {
    const reply = Object.assign(new Error('OOM command not allowed: canary'), { name: 'ReplyError' });
    const coded = Object.assign(new Error('canary'), { code: 'ECONNREFUSED' });
    expect([reply, coded, new TypeError('canary'), 'canary', undefined].map(errorCode)).toEqual([
      'OOM',
      'ECONNREFUSED',
      'TypeError',
      'unknown',
      'unknown',
    ]);
  });
});
