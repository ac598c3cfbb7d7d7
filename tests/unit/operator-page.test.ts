// What the operator's page says of what it shows: when it was seen, and what the charts come to.
import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../runtime/installation.ts';
import { History } from '../../operator/history.ts';
import { inUtc, toSeconds } from '../../operator/moments.ts';
import { renderOperatorPage } from '../../operator/page/page.ts';
import { sightOf, type Sight } from '../../operator/sight.ts';
import { TROUBLED_SIGHT, WELL_SIGHT } from '../support/operator-sights.ts';

const page = (sight: Sight, history = new History()): string => renderOperatorPage(sight, history).replace(/\s+/g, ' ');
const captions = (history: History): string[] =>
  [...page(WELL_SIGHT, history).matchAll(/<figcaption>(.*?)<\/figcaption>/g)].map(([, caption = '']) => caption);
const HOUR_MS = 3_600_000;

describe('when', () => {
  it('the next look comes is said of all, and of each thing that setup mends', () => {
    expect(page(WELL_SIGHT)).toMatch(
      /Seen in the round of <time [^>]+>2026-11-30, 17:05 UTC<\/time>\. The next look comes within 6 minutes:/,
    );
    expect(page(TROUBLED_SIGHT)).not.toContain('If you have done this since');
    const missing: Sight = { ...TROUBLED_SIGHT, attention: [{ code: 'ROOT_MISSING', what: 'w', advice: 'a' }] };
    expect(page(missing)).toMatch(
      /As of the round of <time [^>]+>[^<]+<\/time>\. If you have done this since, the next look, within 6 minutes, no/,
    );
  });

  it('a visit is under way is said, and what it will find is not', () => {
    const status = WELL_SIGHT.status;
    if (status === null) throw new Error('a status is needed here');
    const reading = { now: new Date('2026-11-30T17:08:00Z'), roundMs: 300_000, status: { ...status, attention: [] } };
    const visiting = (onion: Sight['surroundings']['onion']): string =>
      page(sightOf(reading, { disk: null, onion }, true, commandsOf('docker')));
    expect(visiting(null)).toContain('<h1>All is well so far</h1>');
    expect(visiting('reachable')).toContain('<h1>All is well</h1>');
    expect(visiting('no-network')).toMatch(/<h1>1 thing needs you<\/h1>.*docker compose logs --tail 50 tor/);
    for (const onion of [null, 'reachable', 'no-network'] as const) expect(visiting(onion)).toContain('is being visited under its onion');
    expect(page(WELL_SIGHT)).not.toContain('is being visited');
  });
});

describe('a chart', () => {
  it('says what is now and what was the most', () => {
    const history = new History();
    const { status } = WELL_SIGHT;
    if (status === null) throw new Error('a status is needed here');
    const needs = Array.from({ length: 7 }, () => ({ code: 'DISK_FULL', what: '', advice: '' }) as const);
    const before = { ...WELL_SIGHT, at: new Date(WELL_SIGHT.at.getTime() - 6 * HOUR_MS) };
    history.add({ ...before, status: { ...status, pool: '10000+', replies: '0' }, attention: needs });
    history.add({ ...WELL_SIGHT, status: { ...status, pool: '1-9', replies: '0' }, attention: needs });
    expect(captions(history)).toEqual([
      'Parcels in the pool: now 1 to 9, at its highest 10,000 or more',
      'Letters waiting for an inbox, where most wait: now 1 to 9, as at its highest',
      'Answers waiting: none',
      'Things that needed you: now 5 or more, as at its highest',
    ]);
  });
});

it.each([
  ['2026-12-28T00:00:00.000Z', '2026-12-28, 00:00 UTC', '2026-12-28T00:00:00Z'],
  ['2026-12-28T00:00:00Z', '2026-12-28, 00:00 UTC', '2026-12-28T00:00:00Z'],
])('%s is %s for people and %s for programs', (moment, words, iso) => {
  expect([inUtc(moment), toSeconds(moment)]).toEqual([words, iso]);
});
