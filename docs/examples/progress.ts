/** What a progress bar writes to; `process.stdout` is one. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** How a progress bar is set up. */
export interface ProgressOptions {
  /** What is in progress, such as `epoch 1/3`. */
  readonly label: string;
  /** How many items make the whole. */
  readonly total: number;
  /** How many of them were finished before, by an earlier run; default 0. */
  readonly from?: number;
  /** What the items are, default `images`. */
  readonly unit?: string;
  /** Default `process.stdout`. */
  readonly terminal?: Terminal;
  /** A clock in milliseconds, default `performance.now`. */
  readonly now?: () => number;
}

/** The numbers shown beside the bar; one that is missing is left out. */
export interface ProgressValues {
  readonly loss?: number;
  /** From 0 to 1. */
  readonly accuracy?: number;
}

const BAR = { longest: 30, fair: 10, shortest: 6, full: '━', half: '╸', empty: '─' };
const CLEAR_LINE = '\r\u001b[K';
/** Redrawing oftener than this is work that no eye sees. */
const REDRAW_MS = 80;
/** Without a terminal a line is written for each of these parts of the whole, but not oftener than this … */
const LINE_PART = 0.1;
const LINE_MIN_MS = 1000;
/** … and after this time in any case. */
const LINE_MAX_MS = 5000;

/**
 * Progress for people: on a terminal one line that is redrawn, with bar, percentage, loss, accuracy, speed
 * and the time left; elsewhere (a log, a pipe) a plain line now and then, and always one at the end.
 *
 * @param options label, total and, for tests, terminal and clock
 * @example
 * const progress = new Progress({ label: 'epoch 1/3', total: 60000 });
 * progress.update(64, { loss: 2.3, accuracy: 0.1 });
 * progress.finish({ loss: 0.2, accuracy: 0.97 });
 */
export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #from: number;
  readonly #unit: string;
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #start: number;
  #done = 0;
  #values: ProgressValues = {};
  #shownAt = -Infinity;
  #shownDone = 0;
  #onScreen = false;

  constructor({ label, total, from = 0, unit = 'images', terminal, now }: ProgressOptions) {
    this.#label = label;
    this.#total = total;
    this.#from = from;
    this.#done = from;
    this.#shownDone = from;
    this.#unit = unit;
    this.#terminal = terminal ?? process.stdout;
    this.#now = now ?? (() => performance.now());
    this.#start = this.#now();
    if (!this.#isTTY) this.#shownAt = this.#start;
  }

  /**
   * Tells how far it is; shows it if it is time to. Cheap enough to call after every batch.
   *
   * @param done items finished so far
   * @param values the newest loss and accuracy
   */
  update(done: number, values: ProgressValues = {}): void {
    this.#done = done;
    this.#values = values;
    const now = this.#now();
    const since = now - this.#shownAt;
    if (this.#isTTY) {
      if (since >= REDRAW_MS) this.#redraw(now);
      return;
    }
    const part = (done - this.#shownDone) / this.#total;
    if (since >= LINE_MAX_MS || (part >= LINE_PART && since >= LINE_MIN_MS))
      this.#writeLine(now, this.#left(now));
  }

  /**
   * Ends the progress: the line stays, with the time taken in place of the time left.
   *
   * @param values the final loss and accuracy, default the last ones given
   */
  finish(values: ProgressValues = this.#values): void {
    this.#done = this.#total;
    this.#values = values;
    this.#erase();
    const now = this.#now();
    this.#writeLine(now, duration(now - this.#start));
  }

  /**
   * Writes a message on lines of its own; a bar that is on the screen moves below it with the next update.
   *
   * @param message the text, without a line break at the end
   */
  note(message: string): void {
    this.#erase();
    this.#terminal.write(`${message}\n`);
  }

  get #isTTY(): boolean {
    return this.#terminal.isTTY === true;
  }

  #redraw(now: number): void {
    // One column stays free: some terminals break the line when the last one is used.
    const columns = (this.#terminal.columns || 80) - 1;
    const room = (fields: readonly string[]): number =>
      columns - this.#label.length - fields.join('  ').length - 3;
    let fields = this.#fields(now, this.#left(now));
    if (room(fields) < BAR.fair) fields = fields.map((field) => field.replace(/^accuracy/, 'acc'));
    const rest = room(fields);
    const line = [`${this.#label} ${bar(this.#part, Math.min(BAR.longest, rest))}`, ...fields].join('  ');
    this.#terminal.write(CLEAR_LINE + line.slice(0, columns));
    this.#onScreen = true;
    this.#shownAt = now;
  }

  #writeLine(now: number, time: string): void {
    this.#terminal.write(`${[this.#label, ...this.#fields(now, time)].join('  ')}\n`);
    this.#shownAt = now;
    this.#shownDone = this.#done;
  }

  #erase(): void {
    if (!this.#onScreen) return;
    this.#terminal.write(CLEAR_LINE);
    this.#onScreen = false;
    this.#shownAt = -Infinity;
  }

  #fields(now: number, time: string): string[] {
    const { loss, accuracy } = this.#values;
    const seconds = (now - this.#start) / 1000;
    const fields = [`${Math.floor(100 * this.#part)}%`.padStart(4)];
    if (loss !== undefined) fields.push(`loss ${loss.toFixed(4)}`);
    if (accuracy !== undefined) fields.push(`accuracy ${(100 * accuracy).toFixed(2)}%`);
    if (seconds > 0)
      fields.push(`${Math.round((this.#done - this.#from) / seconds).toLocaleString('en')} ${this.#unit}/s`);
    if (time !== '') fields.push(time);
    return fields;
  }

  get #part(): number {
    return this.#total > 0 ? Math.min(1, this.#done / this.#total) : 1;
  }

  #left(now: number): string {
    const done = this.#done - this.#from;
    if (done === 0) return '';
    return `${duration(((now - this.#start) / done) * (this.#total - this.#done))} left`;
  }
}

/** A bar of `width` columns, in steps of half a column; nothing when there is no room for one. */
function bar(part: number, width: number): string {
  if (width < BAR.shortest) return '';
  const halves = Math.round(part * width * 2);
  const filled = BAR.full.repeat(halves >> 1) + (halves % 2 === 1 ? BAR.half : '');
  return filled + BAR.empty.repeat(width - filled.length);
}

/** 0.4 s, 12 s, 3:05 min, 1:02:03 h. */
function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => String(n % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole)} min`;
  return `${Math.floor(minutes / 60)}:${two(minutes)}:${two(whole)} h`;
}
