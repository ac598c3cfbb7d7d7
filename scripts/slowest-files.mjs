// A vitest reporter that lists the slowest test files, setup included, so that a slow one is noticed when it is added.
import { relative } from 'node:path';
import { root } from './bootstrap.mjs';

const SHOWN = 10;

class SlowestFiles {
  #files = [];

  onTestModuleEnd(module) {
    const { duration, collectDuration, prepareDuration, setupDuration } = module.diagnostic();
    const seconds = (duration + collectDuration + prepareDuration + setupDuration) / 1_000;
    this.#files.push({ name: relative(root, module.moduleId), seconds, cases: [...module.children.allTests()].length });
  }

  onTestRunEnd() {
    const slowest = this.#files.sort((a, b) => b.seconds - a.seconds).slice(0, SHOWN);
    console.log('\nThe slowest files (seconds, cases):');
    for (const { name, seconds, cases } of slowest) {
      console.log(`${seconds.toFixed(1).padStart(7)} ${String(cases).padStart(5)}  ${name}`);
    }
  }
}

// Vitest takes the default export.
export { SlowestFiles as default };
