/** The common part of all pictures: palette, fonts, heading, legend and the way to a string. */

/** Okabe and Ito's colours, told apart under every colour-vision deficiency; yellow is left out. */
const PALETTE = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#555555'];
const FONT_FAMILY = "Inter, system-ui, 'DejaVu Sans', sans-serif";
const INK = '#1f2328';
export const FAINT_INK = '#656d76';
export const PAGE_MARGIN = 36;
export const LABEL_SIZE = 13;

export interface ChartOptions {
  title?: string;
  subtitle?: string;
  /** Pixels. Default 1200. */
  width?: number;
  /** Makes the elements. Default: the page's; in Node use `plot/node.js`, which brings one. */
  document?: Document;
}

/** A part of a picture: SVG markup and where its upper left corner goes, below the heading. */
export interface Part {
  x: number;
  y: number;
  markup: string;
}

/** @throws Error where there is neither an option nor a page. */
export function documentOf(options: ChartOptions): Document {
  const document = options.document ?? globalThis.document;
  if (document !== undefined) return document;
  throw new Error('document is missing: pass one, or in Node use the charts of plot/node.js');
}

/** The colour of the i-th thing; colours repeat after seven, dashes (`dashOf`) tell on. */
export function colorOf(i: number): string {
  return PALETTE[i % PALETTE.length];
}

/** The dash pattern of the i-th line: solid for the first seven, then dashed, then dotted. */
export function dashOf(i: number): string {
  return ['none', '8 4', '2 3'][Math.floor(i / PALETTE.length) % 3];
}

/**
 * An Observable Plot as markup in the frame's type and colour. They are set as attributes, which
 * every renderer reads; the plot's own style sheet (`:where`, `max-width`) means nothing in here.
 */
export function plotMarkup(svg: Element): string {
  svg.setAttribute('font-family', FONT_FAMILY);
  svg.setAttribute('font-size', String(LABEL_SIZE));
  svg.setAttribute('color', INK);
  svg.querySelector('style')?.remove();
  return svg.outerHTML;
}

/** An upper estimate of a text's width in pixels: Inter's letters are 0.58 em wide on average. */
export function textWidth(text: string, fontSize: number): number {
  return Math.ceil(text.length * fontSize * 0.6);
}

/** Puts parts under a heading on a white page, `bodyHeight` pixels high without the heading. */
export function composeSvg(parts: Part[], bodyHeight: number, options: ChartOptions): string {
  const { title, subtitle, width = 1200 } = options;
  let top = PAGE_MARGIN;
  const heading: string[] = [];
  if (title !== undefined) {
    heading.push(textMarkup(title, PAGE_MARGIN, top + 18, { size: 24, weight: 600 }));
    top += 34;
  }
  if (subtitle !== undefined) {
    heading.push(textMarkup(subtitle, PAGE_MARGIN, top + 12, { size: 15, fill: FAINT_INK }));
    top += 26;
  }
  if (heading.length > 0) top += 14;
  const height = top + bodyHeight + PAGE_MARGIN;
  const body = parts.map(({ x, y, markup }) => {
    return `<g transform="translate(${x},${top + y})">${markup}</g>`;
  });
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${FONT_FAMILY}" fill="${INK}">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...heading,
    ...body,
    '</svg>',
  ].join('\n');
}

interface TextStyle {
  size?: number;
  weight?: number;
  fill?: string;
}

export function textMarkup(text: string, x: number, y: number, style: TextStyle = {}): string {
  const { size = LABEL_SIZE, weight = 400, fill = INK } = style;
  const look = `font-size="${size}" font-weight="${weight}" fill="${fill}"`;
  return `<text x="${x}" y="${y}" ${look}>${escapeText(text)}</text>`;
}

/** Line samples with their names, in columns as wide as the longest name needs. */
export function legend(
  names: readonly string[],
  width: number,
): { markup: string; height: number } {
  const rowHeight = 24;
  const entryWidth = 56 + Math.max(...names.map((name) => textWidth(name, 14)));
  const numColumns = Math.max(1, Math.floor(width / entryWidth));
  const entries = names.map((name, i) => {
    const x = (i % numColumns) * entryWidth;
    const y = Math.floor(i / numColumns) * rowHeight;
    const stroke = `stroke="${colorOf(i)}" stroke-dasharray="${dashOf(i)}" stroke-width="3"`;
    const sample = `<line x1="${x}" x2="${x + 26}" y1="${y + 9}" y2="${y + 9}" ${stroke}/>`;
    return sample + textMarkup(name, x + 34, y + 14, { size: 14 });
  });
  return { markup: entries.join(''), height: Math.ceil(names.length / numColumns) * rowHeight };
}

export function checkFinite(value: number, name: string): void {
  if (Number.isFinite(value)) return;
  throw new RangeError(`${name} is ${value}: a finite number is needed`);
}

function escapeText(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}
