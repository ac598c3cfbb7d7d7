import type { Severity } from '../../operator/attention/attention.ts';
import type { Complaint } from '../../operator/doctor/complaint.ts';
import { visibleLine } from '../terminal/terminal.ts';
import type { Diagnosis } from './doctor.ts';

const LABEL: Readonly<Record<Severity, string>> = { critical: 'now', warning: 'soon' };

/** The verdict in one line, then what needs somebody, worst first, then what was looked at and what was not. */
export function describeDiagnosis({ complaints, ahead, hints, tried, seen, unseen }: Diagnosis): string {
  const arrived = tried.filter(({ outcome }) => outcome?.stage === 'arrived').map(({ inbox }) => inbox);
  const lines = [
    verdictOf(complaints),
    ...complaints.flatMap(describeComplaint),
    ...ahead.flatMap(({ what, advice, code }) => ['', `ahead  ${what}`, `       ${advice} (${code})`]),
    ...hints.flatMap((hint) => ['', `hint   ${hint}`]),
    ...(arrived.length === 0 ? [] : ['', `The test letter is at ${arrived.join(', ')}. ${MAY_BE_SPAM}`]),
    '',
    `Looked at: ${seen.join('; ')}`,
    'Not looked at:',
    ...unseen.map(({ what, how }) => `  ${what} (${how})`),
  ];
  return lines.map((line) => `${visibleLine(line)}\n`).join('');
}

const MAY_BE_SPAM = 'Where it is a mail server, ask a volunteer whether letters lie among spam there';

function verdictOf(complaints: readonly Complaint[]): string {
  const count = (severity: Severity): number => complaints.filter((each) => each.severity === severity).length;
  const [now, soon] = [count('critical'), count('warning')];
  if (now + soon === 0) return 'All is well, as far as this can see.';
  const things = (number: number): string => (number === 1 ? '1 thing' : `${String(number)} things`);
  if (now === 0) return `Nothing is urgent. ${things(soon)} to do soon.`;
  return soon === 0 ? `${things(now)} to do now.` : `${things(now)} to do now, ${String(soon)} soon.`;
}

function describeComplaint({ severity, code, what, advice, runbook }: Complaint): string[] {
  return ['', `${LABEL[severity].padEnd(5)}  ${what}`, `       ${advice}`, `       (${code}; ${runbook})`];
}
