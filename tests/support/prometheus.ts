// A real Prometheus with the rules of deploy/prometheus, in which minutes are seconds.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { choosePort } from '../../deploy/demo/port.ts';
import { endProcess } from '../../deploy/demo/supervisor.ts';
import { ROOT } from '../../runtime/root.ts';
import { until } from './worker.ts';

export const PROMETHEUS_FILES = join(ROOT, 'deploy/prometheus');
/** Longer than a scrape and shorter than a round: what is seen in one round alone still fires nothing. */
const FOR_SECONDS = 3;

const alertsSchema = z.object({
  data: z.object({
    alerts: z.array(
      z.object({ state: z.string(), labels: z.record(z.string(), z.string()), annotations: z.record(z.string(), z.string()) }),
    ),
  }),
});
export type FiringAlert = { readonly name: string; readonly labels: Readonly<Record<string, string>> };

export class TestPrometheus {
  readonly #url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.#url = url;
    this.#child = child;
  }

  /** @param target where the metrics are, `host:port` */
  static async start(dir: string, target: string): Promise<TestPrometheus> {
    await mkdir(join(dir, 'rules'), { recursive: true });
    const rules = (await readdir(join(PROMETHEUS_FILES, 'rules'))).map((name) => join('rules', name));
    for (const name of ['prometheus.yml', ...rules]) {
      const text = await readFile(join(PROMETHEUS_FILES, name), 'utf8');
      const quick = text.replaceAll(/(_interval|_timeout): \w+/g, '$1: 1s').replaceAll(/^( +for:) \w+$/gm, `$1 ${String(FOR_SECONDS)}s`);
      await writeFile(join(dir, name), quick.replace('operator:9464', target));
    }
    const address = `127.0.0.1:${String(await choosePort(0))}`;
    const args = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=${address}`];
    const prometheus = new TestPrometheus(`http://${address}`, spawn('prometheus', args, { stdio: 'ignore' }));
    await until('Prometheus ready', () => prometheus.#isReady());
    return prometheus;
  }

  #isReady(): Promise<boolean> {
    return fetch(`${this.#url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async stop(): Promise<void> {
    await endProcess(this.#child, 8_000);
  }

  async firing(): Promise<FiringAlert[]> {
    const answer = await fetch(`${this.#url}/api/v1/alerts`);
    const { alerts } = alertsSchema.parse(await answer.json()).data;
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => ({ name: labels['alertname'] ?? '', labels }));
  }
}
