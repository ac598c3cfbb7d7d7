import { MAGNITUDES } from '../../redis/state.ts';
import { HISTORY_DAYS, type Point } from '../history.ts';
import { inWords } from './facts.ts';
import { html, type Markup } from './html.ts';

const WIDTH = 10;
/** One step of a bar, and what shows that something is known and is nothing. */
const [STEP, FLOOR] = [10, 1.5];
const LEVELS = MAGNITUDES.length - 1;
const HEIGHT = LEVELS * STEP + FLOOR;
const MANY = LEVELS;

type Chart = { readonly title: string; readonly of: (point: Point) => number; readonly nameOf: (level: number) => string };

const magnitudeOf = (level: number): string => inWords(MAGNITUDES[level] ?? '0');
const CHARTS: readonly Chart[] = [
  { title: 'Parcels in the pool', of: ({ pool }) => pool, nameOf: magnitudeOf },
  { title: 'Letters waiting for an inbox, where most wait', of: ({ letters }) => letters, nameOf: magnitudeOf },
  { title: 'Answers waiting', of: ({ answers }) => answers, nameOf: magnitudeOf },
  {
    title: 'Things that needed you',
    of: ({ needs }) => Math.min(needs, MANY),
    nameOf: (level) => (level === MANY ? `${String(MANY)} or more` : String(level)),
  },
];

/** Bars of the last days: the most of each three hours, in the same coarse steps as everything else. */
export function renderCharts(points: readonly (Point | null)[]): Markup {
  return html`<section aria-labelledby="history">
    <h2 id="history">The last ${HISTORY_DAYS} days</h2>
    <p class="quiet">The most of each three hours, in steps of ten. Empty before the last start of this service.</p>
    <div class="charts">${CHARTS.map((chart) => renderChart(chart, points))}</div>
  </section>`;
}

function renderChart({ title, of, nameOf }: Chart, points: readonly (Point | null)[]): Markup {
  const levels = points.map((point) => (point === null ? null : of(point)));
  const known = levels.filter((level) => level !== null);
  const summary = summaryOf(known, nameOf);
  return html`<figure>
    <figcaption>${title}: ${summary}</figcaption>
    <svg viewBox="0 0 ${points.length * WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}: ${summary}">
      ${levels.map((level, index) => (level === null ? null : bar(index, level)))}
    </svg>
  </figure>`;
}

/** The highest steps have no end, so that nothing is said to be “at most” one of them. */
function summaryOf(known: readonly number[], nameOf: Chart['nameOf']): string {
  const [now, most] = [known.at(-1) ?? 0, Math.max(0, ...known)];
  if (most === 0) return 'none';
  return now === most ? `now ${nameOf(now)}, as at its highest` : `now ${nameOf(now)}, at its highest ${nameOf(most)}`;
}

function bar(index: number, level: number): Markup {
  const height = level * STEP + FLOOR;
  return html`<rect x="${index * WIDTH}" y="${HEIGHT - height}" width="${WIDTH - 1}" height="${height}" />`;
}
