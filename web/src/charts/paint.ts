/** Paints into a chart whatever is not a line. */
import type uPlot from 'uplot';
import type { Curve, Zone } from './curve.js';

type Colors = Readonly<Record<string, string>>;

const FONT_PX = 11;

function setFont(plot: uPlot, weight = 400): number {
  const px = FONT_PX * devicePixelRatio;
  plot.ctx.font = `${weight} ${px}px Inter Variable, sans-serif`;
  return px;
}

/** Shades ranges and draws limits, each with its name inside. */
export function paintZones(plot: uPlot, zones: readonly Zone[], colors: Colors): void {
  const { ctx, bbox } = plot;
  ctx.save();
  const px = setFont(plot);
  for (const { name, low, high, kind } of zones) {
    const bottom = plot.valToPos(low, 'y', true);
    const top = plot.valToPos(high, 'y', true);
    if (kind === 'target') {
      ctx.fillStyle = colors['target'];
      ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    } else {
      ctx.strokeStyle = colors['wrong'];
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, top);
      ctx.lineTo(bbox.left + bbox.width, top);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    ctx.fillStyle = kind === 'target' ? colors['target-ink'] : colors['wrong'];
    // Below a limit that lies at the upper edge, else above it.
    const isHigh = top - px < bbox.top;
    ctx.textBaseline = kind === 'target' || isHigh ? 'top' : 'bottom';
    ctx.textAlign = 'right';
    const above = kind === 'target' || isHigh ? px / 3 : -px / 4;
    ctx.fillText(name, bbox.left + bbox.width - px / 2, top + above);
  }
  ctx.restore();
}

/** Writes each line's name at its right end, moved apart where they would cover each other. */
export function nameLines(plot: uPlot, lines: readonly Curve[], colors: Colors): void {
  const { ctx, bbox, data } = plot;
  ctx.save();
  const px = setFont(plot, 500);
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  const x = data[0].at(-1);
  if (x === undefined) return;
  const left = Math.min(plot.valToPos(x, 'x', true) + px / 2, bbox.left + bbox.width + px / 2);
  const labels = lines.flatMap(({ name, color }, i) => {
    const value = data[i + 1].at(-1);
    if (value === null || value === undefined) return [];
    return [{ name, color, y: plot.valToPos(value, 'y', true) }];
  });
  labels.sort((a, b) => a.y - b.y);
  let free = bbox.top + px / 2;
  for (const { name, color, y } of labels) {
    const at = Math.max(y, free);
    ctx.fillStyle = colors[color];
    ctx.fillText(name, left, at);
    free = at + px * 1.15;
  }
  ctx.restore();
}
