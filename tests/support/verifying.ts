// For tests of `operator verify`: a real deployment, and a machine before it that may be dishonest.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import type { Finding } from '../../cli/verifying/findings.ts';
import { cli } from './cli.ts';
import { shareDeployment, type Deployment } from './deployment.ts';
import { TamperingProxy, type Served, type Tamper } from './tampering.ts';

type Verified = { code: number; findings: Finding[]; answers: number; notCompared: string[]; remarks: string[] };

export type VerifyingBench = {
  dir: string;
  deployment: Deployment;
  proxy: TamperingProxy;
  /** Runs the command; without options against the folder of the form. */
  verify(...options: string[]): Promise<Verified>;
  /** What is found where the machine in between does this. */
  found(tamper: Tamper, ...options: string[]): Promise<Finding[]>;
};

/** To be called at the top of a file. */
export function useVerifying(): VerifyingBench {
  const bench = {
    async verify(...options) {
      const { rootKey, web } = bench.deployment.layout;
      const signed = options.length > 0 ? options : ['--web', web];
      const url = `http://127.0.0.1:${String(bench.proxy.port)}`;
      const { code, text, err } = await cli(['operator', 'verify', url, '--root-key', rootKey, ...signed, '--json']);
      expect(err).toBe('');
      return { ...(JSON.parse(text) as Omit<Verified, 'code'>), code };
    },
    async found(tamper, ...options) {
      bench.proxy.tamper = tamper;
      const { code, findings } = await bench.verify(...options);
      expect(code).toBe(findings.length === 0 ? EXIT.ok : EXIT.notAuthentic);
      return findings;
    },
  } as VerifyingBench;
  beforeAll(async () => {
    bench.dir = await mkdtemp(join(tmpdir(), 'verify-test-'));
    bench.deployment = await shareDeployment();
    bench.proxy = await TamperingProxy.start(bench.deployment.url);
  });
  afterEach(() => {
    bench.proxy.tamper = null;
  });
  afterAll(async () => {
    await bench.proxy?.stop();
    await bench.deployment?.stop();
    await rm(bench.dir, { recursive: true, force: true });
  });
  return bench;
}

export function withText(served: Served, change: (text: string) => string): void {
  served.body = Buffer.from(change(served.body.toString('latin1')), 'latin1');
}
