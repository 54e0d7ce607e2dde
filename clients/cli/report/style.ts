import { Markup } from './markup.ts';

/** Of lines. */
export const COLOURS = 8;

/** Of a report's page. Lines have the colours of Okabe & Ito (2008), which the colour-blind can tell apart, lighter in the dark. */
export const STYLE = new Markup(`
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --soft: #5c5c5c; --rule: #d4d4d4; --mark: #0b5cad;
  --c0: #0072b2; --c1: #d55e00; --c2: #007f5f; --c3: #b5528c; --c4: #7a5c00; --c5: #1a1a1a; --c6: #2f86b8; --c7: #a33c00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --paper: #161616; --soft: #a8a8a8; --rule: #3d3d3d; --mark: #7fb8f0;
    --c0: #56b4e9; --c1: #ff8a3c; --c2: #35c99a; --c3: #e29ac4; --c4: #f0e442; --c5: #ececec; --c6: #9ad0f2; --c7: #ffb48a; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
p, ul, figure { max-width: 60rem; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--rule); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.decision { font-size: 1.2rem; font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--rule); text-align: left; font-weight: normal; }
thead th { font-weight: 600; vertical-align: bottom; }
tbody th { min-width: 7rem; overflow-wrap: anywhere; }
tbody td:last-child:not(.number) { min-width: 11rem; }
.number { text-align: right; white-space: nowrap; }
figure { margin: 1rem 0; }
figcaption span { margin-right: 1.2rem; white-space: nowrap; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg.key { width: 34px; height: 10px; }
@media (max-width: 45rem) {
  main { padding: 1rem; }
  figure { overflow-x: auto; }
  svg[role="img"] { min-width: 40rem; }
}
.grid { stroke: var(--rule); }
.zero { stroke: var(--ink); stroke-width: 1.5; }
.line { fill: none; stroke-width: 2; }
.bar { stroke: var(--mark); stroke-width: 3; }
.dot { fill: var(--mark); }
.band { fill: var(--mark); fill-opacity: .18; }
.course { fill: none; stroke: var(--mark); stroke-width: 2; }
${Array.from({ length: COLOURS }, (_, n) => `.c${n} { stroke: var(--c${n}); }`).join('\n')}
`);
