import { runbookOf, WARNINGS, type Attention, type Severity } from '../attention/attention.ts';

/** What the doctor finds on the machine itself; what the status knows has its own codes (operator/attention/attention.ts). */
export const AILMENTS = {
  FILE_READABLE: 'critical',
  FILE_WRITABLE: 'critical',
  FILE_OWNER: 'critical',
  KEY_OVERDUE: 'critical',
  DAMAGED_COPY: 'warning',
  ROOT_KEY_HERE: 'warning',
  SWAP_ON: 'warning',
  CORE_DUMPS: 'warning',
  TEST_LETTER: 'critical',
} as const satisfies Record<string, Severity>;

export type Ailment = { readonly code: keyof typeof AILMENTS; readonly what: string; readonly advice: string };
/** What needs somebody. */
export type Complaint = (Ailment | Attention) & { readonly severity: Severity; readonly runbook: string };

/** Where docs/operations.md says more of what the doctor alone finds. */
const OWN_RUNBOOK = 'docs/operations.md#what-the-doctor-finds';

/** What could not be looked at from here, and how to look at it. */
export type Unseen = { readonly what: string; readonly how: string };

/** What one part of the examination looked at. `seen`: in a few words. */
export type Examined = {
  readonly ailments: readonly Ailment[];
  readonly hints?: readonly string[];
  readonly seen: readonly string[];
  readonly unseen: readonly Unseen[];
};

const isOwn = (code: Complaint['code']): code is Ailment['code'] => code in AILMENTS;

/** Worst first; otherwise in the order found. */
export function complaintsOf(found: readonly (Ailment | Attention)[]): Complaint[] {
  const all = found.map((each): Complaint => {
    const { code } = each;
    return {
      ...each,
      ...(isOwn(code) ? { severity: AILMENTS[code], runbook: OWN_RUNBOOK } : { severity: WARNINGS[code], runbook: runbookOf(code) }),
    };
  });
  return [...all.filter(({ severity }) => severity === 'critical'), ...all.filter(({ severity }) => severity === 'warning')];
}
