import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { examine, whereaboutsOf, type Diagnosis } from '../operating/doctor.ts';
import { describeDiagnosis } from '../operating/doctor-view.ts';
import { REDIS_HELP, REDIS_OPTIONS } from '../operating/redis.ts';
import { visibleJson } from '../terminal/terminal.ts';

const NAME = 'operator doctor';

export const operatorDoctor = defineCommand({
  name: NAME,
  summary: 'Look at everything, and say what to do about it; send a test letter',
  usage: '[--state DIR] [--test-letter [INBOX…]] [options]',
  examples: ['support-relay operator doctor --state state', 'support-relay operator doctor --test-letter inbox-1'],
  details: `
Looks at what the status knows (relay, worker, inboxes, keyrings, Redis' settings and file, clocks, versions), at tor and the
onion address, at the disk, at permissions and owners of files, at keys that should be gone, and at swap and core dumps. The
verdict comes first, then what needs somebody, worst first, each with what to do, then what could not be looked at from here.

Ends with 0 when all is well, with 5 when something is to be done soon, with 6 when something is to be done now.

  --state DIR           the folder of the state; what OPERATOR_STATE says if left out. Without it nothing is said of files
  --test-letter         have the worker send a letter that says nothing to each INBOX (to all if none is named), and wait
                        some rounds for it: the only way to see that an inbox can be reached. Volunteers' tools pass it over
${REDIS_HELP}
  --json                one line of JSON: complaints (code, severity, what, advice, runbook), ahead, hints, tests, seen,
                        unseen`,
  options: { ...REDIS_OPTIONS, state: { type: 'string' }, 'test-letter': { type: 'boolean' }, json: { type: 'boolean' } },
  arguments: [0, 64],
  run: async (values, inboxes, io) => {
    const sends = values['test-letter'] === true;
    if (!sends && inboxes.length > 0) throw new UsageError('an INBOX goes with --test-letter', NAME);
    const diagnosis = await examine(whereaboutsOf(values, io, NAME), sends ? inboxes : null, io);
    io.out(values.json === true ? `${visibleJson(jsonOf(diagnosis))}\n` : describeDiagnosis(diagnosis));
    return exitCodeOf(diagnosis);
  },
});

function jsonOf({ complaints, ahead, hints, tried, seen, unseen }: Diagnosis): object {
  const tests = tried.map(({ inbox, outcome }) => ({ inbox, outcome: outcome?.stage ?? 'asked' }));
  return { complaints, ahead, hints, tests, seen, unseen };
}

function exitCodeOf({ complaints }: Diagnosis): number {
  if (complaints.some(({ severity }) => severity === 'critical')) return EXIT.urgent;
  return complaints.length > 0 ? EXIT.attention : EXIT.ok;
}
