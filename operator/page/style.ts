import { createHash } from 'node:crypto';

/** In the page itself, whose policy allows this style and nothing else. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2420; --quiet: #55605a; --ground: #f6f7f4; --card: #fff; --line: #d5dad4;
  --well: #1d6b3a; --warning: #8a5200; --critical: #b3261e; --bar: #3f7f63; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebe7; --quiet: #a4b0a9; --ground: #141816; --card: #1d2320; --line: #39423d;
  --well: #7fd6a0; --warning: #f2b45c; --critical: #ff8f85; --bar: #7fc4a2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
h3 { margin: 0 0 .25rem; font-size: 1rem; }
p { margin: 0 0 .5rem; }
.quiet { color: var(--quiet); font-size: .9rem; }
header, section { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); padding: 1rem; margin-bottom: 1rem; }
header { border-left-width: .5rem; border-left-color: var(--well); }
header.warning { border-left-color: var(--warning); }
header.critical { border-left-color: var(--critical); }
.well h1, .well-text { color: var(--well); }
.warning h1, .warning-text { color: var(--warning); }
.critical h1, .critical-text { color: var(--critical); }
ol, ul { margin: 0; padding: 0; list-style: none; }
li + li { border-top: 1px solid var(--line); margin-top: .75rem; padding-top: .75rem; }
li p:last-child { margin-bottom: 0; }
.badge { font-weight: 600; }
.facts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); margin-bottom: 1rem; }
.facts section { margin: 0; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: minmax(6rem, 2fr) 5fr; gap: .75rem; padding: .25rem 0; }
dl div + div { border-top: 1px solid var(--line); }
dt { color: var(--quiet); }
dd { margin: 0; }
header p { margin: .25rem 0 0; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
figure { margin: 0; }
figcaption { margin-bottom: .25rem; }
svg { display: block; width: 100%; height: 3rem; border-bottom: 1px solid var(--line); }
rect { fill: var(--bar); }
code { font-size: .9em; }
`;

export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;
