import { keyName } from '../../crypto/minisign.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { FINDINGS, type Finding } from './findings.ts';
import type { Signed } from './signed.ts';
import type { Report } from './verify.ts';

/** What was compared with what, and everything that differs, for people. */
export function describeReport(report: Report, signed: Signed, url: string): string {
  const { findings, answers, askers, notCompared, remarks } = report;
  const lines = [
    `Compared ${visibleLine(url)} with ${describeSigned(signed)}:`,
    `${String(signed.files.size)} files, ${String(answers)} answers, asked as ${String(askers)} different visitors.`,
    ...findings.map(describeFinding),
    ...(notCompared.length === 0
      ? []
      : [`Not compared, since nothing signed says what is in them: ${notCompared.map(visibleLine).join(', ')}`]),
    ...remarks.map(visibleLine),
    findings.length === 0
      ? 'Everything is as it was signed.'
      : `NOT AS SIGNED: ${counted(findings.length)}. Do not use this relay; tell the administrator.`,
  ];
  return `${lines.join('\n')}\n`;
}

function describeSigned(signed: Signed): string {
  const key = `root key ${keyName(signed.root.id)}`;
  if (signed.of === 'release') return `a release, signed by ${keyName(signed.releaseKey.id)}, with ${key} in it`;
  return signed.isSigned ? `a manifest signed by ${key}` : `a form with ${key} that was built here, and that nobody signed`;
}

function describeFinding({ kind, path, detail, to }: Finding): string {
  const whom = to === null ? '' : ` (shown only to: ${to.join(', ')})`;
  return `! ${visibleLine(path)} ${FINDINGS[kind]}: ${visibleLine(detail)}${whom}`;
}

const counted = (count: number): string => (count === 1 ? 'one difference' : `${String(count)} differences`);
