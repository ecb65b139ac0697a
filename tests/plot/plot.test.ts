import { describe, expect, it } from 'vitest';
import { lineChart as drawLines, scoreChart as drawScores } from '../../src/plot/index.js';
import { lineChart, renderPng, scoreChart } from '../../src/plot/node.js';

const ROWS = [
  { task: 'serving/a-v1', policy: 'random', mean: 0.1, lo: 0.05, hi: 0.15 },
  { task: 'serving/a-v1', policy: 'greedy', mean: 0.7, lo: 0.6, hi: 0.8 },
  { task: 'serving/b-v1', policy: 'greedy', mean: -0.4, lo: -0.5, hi: -0.3 },
];
const LINE = { name: 'ppo', x: [0, 1, 2], y: [0.1, 0.4, 0.3] };

/** Width and height from a PNG's header. */
function pngSize(png: Uint8Array): [number, number] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  expect(view.getUint32(0)).toBe(0x89504e47);
  return [view.getUint32(16), view.getUint32(20)];
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe('scoreChart', () => {
  it('draws a dot and a mean for every row, best first', () => {
    const svg = scoreChart(ROWS, { title: 'Scores', subtitle: 'seeds 0..14' });
    expect(count(svg, '<circle')).toBe(3);
    for (const text of ['Scores', 'seeds 0..14', '0.700', '−0.400']) {
      expect(svg).toContain(`>${text}<`);
    }
    expect(svg.indexOf('>0.700<')).toBeLessThan(svg.indexOf('>0.100<'));
    expect(svg.indexOf('serving/a-v1')).toBeLessThan(svg.indexOf('serving/b-v1'));
  });

  it('keeps a policy in its colour from panel to panel', () => {
    const fills = [...scoreChart(ROWS).matchAll(/<circle[^>]*fill="([^"]+)"/g)].map((m) => m[1]);
    expect(fills[0]).toBe(fills[2]); // greedy leads both panels
    expect(fills[0]).not.toBe(fills[1]);
  });

  it('escapes what people write', () => {
    expect(scoreChart(ROWS, { title: 'a < b & "c"' })).toContain('a &lt; b &amp; &quot;c&quot;');
  });

  it('is as wide as asked, and two columns are lower than one', () => {
    const rows = Array.from({ length: 6 }, (_, i) => ({ ...ROWS[0], task: `t${i}` }));
    const [width, height] = pngSize(renderPng(scoreChart(rows, { width: 800 }), 1));
    expect(width).toBe(800);
    const [, tall] = pngSize(renderPng(scoreChart(rows.slice(0, 3), { width: 800 }), 1));
    expect(height).toBe(tall);
  });

  it('refuses rows that make no picture', () => {
    expect(() => scoreChart([])).toThrow('rows is empty');
    expect(() => scoreChart([{ ...ROWS[0], hi: Number.NaN }])).toThrow('rows[0].hi is NaN');
    expect(() => scoreChart([{ ...ROWS[0], lo: 0.2 }])).toThrow('must not fall');
    expect(() => scoreChart([ROWS[0], ROWS[0]])).toThrow('random on serving/a-v1 is there already');
  });
});

describe('lineChart', () => {
  it('draws lines, bands and a legend', () => {
    const band = { ...LINE, name: 'dqn', lo: [0, 0.3, 0.2], hi: [0.2, 0.5, 0.4] };
    const svg = lineChart([LINE, band], { title: 'Training', x: 'steps', y: 'score' });
    expect(count(svg, 'aria-label="line"')).toBe(2);
    expect(count(svg, 'aria-label="area"')).toBe(1);
    for (const text of ['ppo', 'dqn', 'Training']) expect(svg).toContain(`>${text}<`);
    expect(svg).toMatch(/>steps[^<]*</);
    expect(svg).toMatch(/>[^<]*score</);
  });

  it('refuses series that do not fit', () => {
    expect(() => lineChart([])).toThrow('series is empty');
    expect(() => lineChart([{ ...LINE, y: [1] }])).toThrow('series "ppo" has lengths 3, 1');
    expect(() => lineChart([{ ...LINE, lo: [0, 0, 0] }])).toThrow('only one of lo and hi');
    const broken = { ...LINE, y: [0, Number.NaN, 1] };
    expect(() => lineChart([broken])).toThrow('series "ppo", y[1] is NaN');
  });
});

describe('renderPng', () => {
  const page = (body: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="30">${body}</svg>`;

  it('sets text without any font of the machine', () => {
    const text = (weight: number) =>
      renderPng(page(`<text y="20" font-family="Inter" font-weight="${weight}">Ag</text>`));
    expect(text(400)).not.toEqual(renderPng(page('')));
    expect(text(600)).not.toEqual(text(400));
  });

  it('scales', () => {
    expect(pngSize(renderPng(page('')))).toEqual([160, 60]);
    expect(pngSize(renderPng(page(''), 1))).toEqual([80, 30]);
    expect(() => renderPng(page(''), 0)).toThrow('scale is 0');
  });
});

it('says what is missing outside a browser', () => {
  expect(() => drawScores(ROWS)).toThrow('document is missing');
  expect(() => drawLines([LINE])).toThrow('document is missing');
});
