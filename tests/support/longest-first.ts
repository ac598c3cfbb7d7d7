import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { ROOT } from '../../runtime/root.ts';

/** Rough seconds per file of a folder, and of files that take much longer than their neighbours. */
const FOLDER_SECONDS: Readonly<Record<string, number>> = { leak: 15, e2e: 20, fault: 15, integration: 6, property: 5, unit: 2 };
const FILE_SECONDS: Readonly<Record<string, number>> = {
  // These wait more than they compute, so others use the time.
  'tests/integration/bad-input.test.ts': 80,
  'tests/integration/worker-clock.test.ts': 45,
  'tests/integration/worker-process.test.ts': 45,
  'tests/integration/cli-keep.test.ts': 40,
  'tests/fault/admin-folder.test.ts': 40,
  'tests/fault/kill.test.ts': 40,
  'tests/e2e/desk-promises.test.ts': 35,
  'tests/e2e/onion.test.ts': 50,
  'tests/e2e/offline.test.ts': 40,
  'tests/leak/profile.test.ts': 35,
  'tests/integration/cli-root-key.test.ts': 35,
  'tests/integration/team-documents.test.ts': 30,
  'tests/e2e/desk-answering.test.ts': 30,
  'tests/e2e/axe.test.ts': 30,
  'tests/integration/cli-operator-setup.test.ts': 25,
  'tests/integration/cli-verify.test.ts': 25,
  'tests/integration/demo.test.ts': 25,
  'tests/integration/release.test.ts': 20,
  'tests/leak/canary.test.ts': 20,
  'tests/unit/engines.test.ts': 20,
  'tests/unit/recipes.test.ts': 15,
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
