import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { ROOT } from '../../runtime/root.ts';

/** Rough seconds per file of a folder, and of files that take much longer than their neighbours. */
const FOLDER_SECONDS: Readonly<Record<string, number>> = { leak: 60, e2e: 40, fault: 30, integration: 10, property: 5, unit: 2 };
const FILE_SECONDS: Readonly<Record<string, number>> = {
  'tests/integration/bad-input.test.ts': 80,
  'tests/integration/worker-process.test.ts': 60,
  'tests/integration/worker-clock.test.ts': 45,
  'tests/integration/cli-keep.test.ts': 45,
  'tests/integration/cli-root-key.test.ts': 40,
  'tests/integration/demo.test.ts': 40,
  'tests/integration/cli-send.test.ts': 30,
  'tests/integration/cli-operator-setup.test.ts': 30,
  'tests/unit/recipes.test.ts': 60,
  'tests/unit/engines.test.ts': 20,
  'tests/unit/finding-forms.test.ts': 10,
  'tests/unit/finding-containers.test.ts': 10,
};

/**
 * Long files first, so that the last ones are short and no core waits for one long file. Nothing is remembered from earlier runs: a
 * fresh clone runs in the same order.
 */
export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId }: TestSpecification): number => {
      const path = relative(ROOT, moduleId);
      return FILE_SECONDS[path] ?? FOLDER_SECONDS[path.split('/')[1] ?? ''] ?? 0;
    };
    return Promise.resolve(files.toSorted((a, b) => seconds(b) - seconds(a) || a.moduleId.localeCompare(b.moduleId)));
  }
}
