/** One line of a chart. */
export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  /** As many values as `x`; where one is not finite the line has a gap. */
  readonly y: readonly number[];
}

/** One chart: its own axes, any number of lines. */
export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly Series[];
  /** How values are written, default `number`. */
  readonly format?: 'number' | 'percent';
}

/** A picture of charts side by side. */
export interface LearningCurve {
  readonly title: string;
  readonly subtitle?: string;
  readonly panels: readonly Panel[];
}

// Of middle lightness, because the background is the reader's: every colour stands out on white and on black.
const COLOURS = ['#3b82f6', '#e8710a', '#0d9f6e', '#a855f7', '#e0447c'];
const TEXT = '#7b828e';
const STRONG = '#6b7280';
const GRID = '#8b93a1';
const FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

const PANEL = { width: 460, height: 300 };
const MARGIN = { top: 56, right: 20, bottom: 44, left: 56 };
const HEADER = 62;
/**
 * A line of more points is drawn as the mean of this many groups, in a band from their minimum to their
 * maximum.
 */
const GROUPS = 160;
/** If this part of the points, at one end, takes more than half of the height, the axis leaves them out. */
const TRIMMED = 0.06;
/** Lines of few points show each of them. */
const MARKERS = 40;

/**
 * A learning curve as a self-contained SVG document: charts side by side, on a transparent background, in
 * colours that can be read on light and dark pages.
 *
 * @param curve the title and the charts; a long series is drawn as its running mean in the band of its
 * extremes
 * @returns the text of an .svg file
 * @throws RangeError when a series has not as many x as y
 */
export function learningCurveSvg(curve: LearningCurve): string {
  const width = PANEL.width * Math.max(1, curve.panels.length);
  const height = HEADER + PANEL.height;
  const left = MARGIN.left - 36;
  const body = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" role="img" font-family="${FONT}" font-size="12" fill="${TEXT}">`,
    `<title>${escape(curve.title)}</title>`,
    text(left, 30, curve.title, `font-size="18" font-weight="600" fill="${STRONG}"`),
    curve.subtitle === undefined ? '' : text(left, 50, curve.subtitle, 'font-size="12.5"'),
    ...curve.panels.map(
      (panel, i) => `<g transform="translate(${i * PANEL.width} ${HEADER})">\n${drawPanel(panel)}\n</g>`,
    ),
    '</svg>',
  ];
  return `${body.filter((line) => line !== '').join('\n')}\n`;
}

function drawPanel(panel: Panel): string {
  const lines = panel.series.map((series, i) => prepare(series, COLOURS[i % COLOURS.length]!));
  const all = lines.flatMap((line) => line.points);
  const format = panel.format === 'percent' ? percent : number;
  const right = PANEL.width - MARGIN.right;
  const bottom = PANEL.height - MARGIN.bottom;
  const x = axis(range(all.map((point) => point.x)), [MARGIN.left, right], 6, 0.1);
  const y = axis(trimmedRange(all), [bottom, MARGIN.top], 5, 1);
  const parts = [
    text(MARGIN.left - 36, 20, panel.title, `font-size="14" font-weight="600" fill="${STRONG}"`),
  ];
  for (const tick of y.ticks) {
    const at = round(y.place(tick));
    parts.push(
      `<line x1="${MARGIN.left}" x2="${right}" y1="${at}" y2="${at}" ` +
        `stroke="${GRID}" stroke-opacity="0.25"/>`,
      text(MARGIN.left - 8, at + 4, format(tick, y.step), 'text-anchor="end"'),
    );
  }
  for (const tick of x.ticks) {
    const at = round(x.place(tick));
    parts.push(
      `<line x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}" stroke="${GRID}" stroke-opacity="0.7"/>`,
      text(at, bottom + 18, number(tick, x.step), 'text-anchor="middle"'),
    );
  }
  parts.push(
    `<line x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}" ` +
      `stroke="${GRID}" stroke-opacity="0.7"/>`,
    text((MARGIN.left + right) / 2, PANEL.height - 8, panel.xLabel, 'text-anchor="middle"'),
  );
  if (all.length === 0)
    parts.push(text(PANEL.width / 2, PANEL.height / 2, 'no data', 'text-anchor="middle"'));
  parts.push(
    `<clipPath id="frame"><rect x="${MARGIN.left - 4}" y="${MARGIN.top - 4}" ` +
      `width="${right - MARGIN.left + 8}" height="${bottom - MARGIN.top + 8}"/></clipPath>`,
    `<g clip-path="url(#frame)">${lines.map((line) => drawLine(line, x.place, y.place)).join('\n')}</g>`,
  );
  parts.push(drawLegend(lines, format));
  return parts.filter((part) => part !== '').join('\n');
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
  /** Runs of points without a gap. */
  readonly runs: readonly (readonly Point[])[];
  readonly banded: boolean;
}

function prepare({ name, x, y }: Series, colour: string): Line {
  if (x.length !== y.length) {
    throw new RangeError(`Series "${name}" has ${x.length} x and ${y.length} y; each point needs both.`);
  }
  const banded = x.length > 2 * GROUPS;
  const size = banded ? Math.ceil(x.length / GROUPS) : 1;
  const runs: Point[][] = [[]];
  for (let start = 0; start < x.length; start += size) {
    const group = y.slice(start, start + size).filter(Number.isFinite);
    if (group.length === 0) {
      runs.push([]);
      continue;
    }
    runs[runs.length - 1]!.push({
      x: x[Math.min(start + (size >> 1), x.length - 1)]!,
      y: group.reduce((a, b) => a + b) / group.length,
      low: Math.min(...group),
      high: Math.max(...group),
    });
  }
  return { name, colour, banded, points: runs.flat(), runs: runs.filter((run) => run.length > 0) };
}

type Place = (value: number) => number;

function drawLine(line: Line, px: Place, py: Place): string {
  const path = (points: readonly Point[], value: (point: Point) => number): string =>
    points.map((point) => `${round(px(point.x))} ${round(py(value(point)))}`).join('L');
  const parts = line.runs.map((run) => {
    const band = line.banded
      ? `<path d="M${path(run, (p) => p.high)}L${path([...run].reverse(), (p) => p.low)}Z" ` +
        `fill="${line.colour}" fill-opacity="0.16"/>`
      : '';
    return (
      band +
      `<path d="M${path(run, (p) => p.y)}" fill="none" stroke="${line.colour}" stroke-width="2" ` +
      'stroke-linejoin="round" stroke-linecap="round"/>'
    );
  });
  if (line.points.length <= MARKERS) {
    for (const point of line.points) {
      parts.push(
        `<circle cx="${round(px(point.x))}" cy="${round(py(point.y))}" r="3" fill="${line.colour}"/>`,
      );
    }
  }
  return parts.join('\n');
}

/** Names with their last values, right-aligned on the line of the panel's title; widths are estimated. */
function drawLegend(lines: readonly Line[], format: (value: number) => string): string {
  let right = PANEL.width - MARGIN.right;
  const parts: string[] = [];
  for (const line of [...lines].reverse()) {
    const last = line.points[line.points.length - 1];
    const label = last === undefined ? line.name : `${line.name} ${format(last.y)}`;
    const left = right - 6.6 * label.length;
    parts.unshift(
      `<circle cx="${round(left - 10)}" cy="16" r="4.5" fill="${line.colour}"/>` +
        text(round(left), 20, label, ''),
    );
    right = left - 34;
  }
  return parts.join('\n');
}

interface Axis {
  readonly ticks: readonly number[];
  readonly step: number;
  readonly place: Place;
}

type Range = readonly [low: number, high: number];

function range(values: readonly number[]): Range {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(low <= high)) return [0, 1];
  const margin = low === high ? Math.max(0.5, Math.abs(low) / 2) : 0;
  return [low - margin, high + margin];
}

/**
 * The range of y. If a few points, such as the first steps of a training, would flatten all others, it
 * leaves them out.
 */
function trimmedRange(points: readonly Point[]): Range {
  const whole = range(points.flatMap((point) => [point.low, point.high]));
  const sorted = [...points].sort((a, b) => a.y - b.y);
  const cut = Math.floor(sorted.length * TRIMMED);
  const kept = sorted.slice(cut, sorted.length - cut);
  const trimmed = range(kept.flatMap((point) => [point.low, point.high]));
  const low = sorted[0]?.y ?? 0;
  const high = sorted[sorted.length - 1]?.y ?? 1;
  // The end that the trimming moved much is the end with the outliers; the other one stays whole.
  if (trimmed[1] - trimmed[0] > (high - low) / 2) return whole;
  return trimmed[0] - low > high - trimmed[1] ? [trimmed[0], whole[1]] : [whole[0], trimmed[1]];
}

/**
 * A linear axis with ticks at multiples of 1, 2 or 5 times a power of ten; an end that is at most `reach`
 * steps from the next tick is moved there.
 */
function axis([low, high]: Range, [from, to]: Range, count: number, reach: number): Axis {
  const step = niceStep((high - low) / count);
  const below = Math.floor(low / step + 1e-9) * step;
  const above = Math.ceil(high / step - 1e-9) * step;
  const start = low - below <= reach * step ? below : low;
  const end = above - high <= reach * step ? above : high;
  const ticks: number[] = [];
  for (let k = Math.ceil(start / step - 1e-9); k * step <= end + step * 1e-9; k++) ticks.push(k * step);
  return { ticks, step, place: (value) => from + ((value - start) / (end - start)) * (to - from) };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
}

/** A number with the digits that a step of its axis needs, or with four significant ones. */
function number(value: number, step?: number): string {
  if (step === undefined) return value === 0 ? '0' : String(Number(value.toPrecision(4)));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (digits > 5 || Math.abs(value) >= 1e6) return value.toExponential(1);
  return value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1');
}

function percent(value: number, step?: number): string {
  return `${step === undefined ? (100 * value).toFixed(2) : number(100 * value, 100 * step)} %`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${escape(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  // XML has no way to write the control characters that are taken out here.
  return content.replace(/[^\P{Cc}\t\n\r]/gu, '').replace(/[&<>"]/g, (character) => entities[character]!);
}
