// @ts-check
// Timeline: every view as a column; how many of its tokens are kept now, and in each layer.

import { fill, percent } from "../common.js";
import { contextOf } from "./paint.js";
import { ALL_HEADS } from "./scores.js";
import { nameOf, shortName } from "./view_names.js";

/** @import { Palette } from "../common.js" */
/** @import { Context, Picture } from "./paint.js" */
/** @import { Run } from "./run.js" */
/** @import { Scorer, State } from "./state.js" */
/** @import { KindTexts } from "./view_names.js" */

/** @typedef {Record<"kept" | "keptOf" | "held" | "early" | "viewsLeft" | "topView" | "topViewNow" | "topViewBy", string> & {scorers: Record<Scorer, string>} & {names: KindTexts}} TimelineTexts */
/** @typedef {{time: HTMLCanvasElement, timeNote: HTMLElement}} TimelineParts */
/** @typedef {Pick<State, "view" | "layer">} Chosen */
/** @typedef {Record<"ink" | "muted" | "rule" | "font", string>} Style from the canvas's own */
/** @typedef {[head: number, iteration: number, scorer: Scorer]} Step of a scorer; infinite for the last iteration */
/** @typedef {{run: Run, pictures: Picture[], chosen: Chosen, step: Step, style: Style}} Shown */

const LEFT = 46; // CSS pixels: room of the layers' names
const THUMBS = 88; // room of the thumbnails and their numbers above the bars
const BARS = 34;
const COLUMN = { fine: 38, coarse: 48 }; // least width of a view, for a mouse and for a finger

/** @type {Record<string, [view: number, layer: number]>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Timeline {
  /**
   * @param {TimelineParts} parts
   * @param {TimelineTexts} texts
   * @param {Palette} palette
   * @param {(chosen: Partial<Chosen>) => void} choose
   */
  constructor(parts, texts, palette, choose) {
    this.canvas = parts.time;
    this.note = parts.timeNote;
    this.texts = texts;
    this.palette = palette;
    /** @type {Shown | null} */
    this.shown = null;
    this.drawn = "";
    this.revealed = 0; // the view that was scrolled to
    this.canvas.addEventListener("click", (event) => {
      const spot = this.shown && this.spotAt(this.shown.run, event.offsetX, event.offsetY);
      if (spot) choose(spot);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || !this.shown) return;
      event.preventDefault();
      const { view, layer } = this.shown.chosen;
      choose({ view: view + step[0], layer: layer + step[1] });
    });
  }

  /**
   * Where things are, in CSS pixels.
   *
   * @param {Run} run
   */
  measures(run) {
    const width = this.canvas.clientWidth;
    const left = LEFT;
    const column = (width - left) / run.numViews;
    const tallest = Math.max(...run.views.map((view) => view.height / view.width));
    const thumb = Math.min(64, Math.max(10, (column - 4) * tallest));
    const matrixTop = THUMBS + BARS + 10;
    return { width, left, column, thumb, barTop: THUMBS, matrixTop, height: this.canvas.clientHeight };
  }

  /** @param {Run} run @param {number} x @param {number} y @returns {Partial<Chosen> | null} */
  spotAt(run, x, y) {
    const { left, column, matrixTop, height } = this.measures(run);
    const view = Math.floor((x - left) / column);
    if (view < 0 || view >= run.numViews) return null;
    const layer = Math.floor(((y - matrixTop) / (height - matrixTop)) * run.layers);
    return y < matrixTop ? { view } : { view, layer: Math.min(run.layers - 1, layer) };
  }

  /**
   * Draw a run with the chosen view and layer marked.
   *
   * @param {Run | null} run
   * @param {Picture[]} pictures
   * @param {State} state
   */
  show(run, pictures, { view, layer, overlay, scorer, head, iteration }) {
    const { canvas } = this;
    const column = matchMedia("(pointer: coarse)").matches ? COLUMN.coarse : COLUMN.fine;
    canvas.style.setProperty("--wide", `${LEFT + column * (run?.numViews ?? 0)}px`);
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const own = getComputedStyle(canvas);
    /** @type {Step} */
    const step =
      overlay === "scores" ? [head, iteration, run?.knownScorer(scorer) ?? scorer] : [ALL_HEADS, Infinity, "pagerank"];
    const wanted = JSON.stringify([view, layer, step, canvas.clientWidth, ratio, own.color]);
    if (run === (this.shown?.run ?? null) && wanted === this.drawn) return;
    this.drawn = wanted;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    if (!run) return;
    const [muted, rule] = ["--muted", "--rule"].map((name) => own.getPropertyValue(name));
    const style = { ink: own.color, muted, rule, font: `11px ${own.fontFamily}` };
    this.shown = { run, pictures, chosen: { view, layer }, step, style };
    if (!canvas.width) return;
    const ctx = contextOf(canvas);
    ctx.scale(ratio, ratio);
    this.thumbs(ctx, this.shown);
    this.bars(ctx, this.shown);
    this.matrix(ctx, this.shown);
    this.note.textContent = this.sentence(this.shown);
    this.reveal(this.shown);
  }

  /** Scroll sideways to the chosen view, if it was not there before. @param {Shown} shown */
  reveal({ run, chosen: { view } }) {
    if (view === this.revealed) return;
    this.revealed = view;
    const { left, column } = this.measures(run);
    const box = this.canvas.parentElement;
    if (!box) return;
    const [start, end] = [left + view * column - LEFT, left + (view + 1) * column];
    box.scrollLeft = Math.min(start, Math.max(box.scrollLeft, end - box.clientWidth));
  }

  /** @param {Context} ctx @param {Shown} shown */
  thumbs(ctx, { run, pictures, chosen, style }) {
    const { left, column, thumb } = this.measures(run);
    for (const [view, { width, height }] of run.views.entries()) {
      const wide = Math.min(column - 4, (thumb * width) / height);
      const x = left + view * column + (column - wide) / 2;
      ctx.drawImage(pictures[view].plain, x, 66 - thumb, wide, thumb);
      const colour = view === chosen.view ? style.ink : style.muted;
      write(ctx, style, shortName(run, view), left + (view + 0.5) * column, 80, colour, "center");
      if (view !== chosen.view) continue;
      ctx.strokeStyle = this.palette.alive;
      ctx.lineWidth = 2.5;
      ctx.strokeRect(x - 1, 65 - thumb, wide + 2, thumb + 2);
    }
  }

  /** @param {Context} ctx @param {Shown} shown */
  bars(ctx, { run, chosen, style }) {
    const { left, column, barTop } = this.measures(run);
    write(ctx, style, this.texts.kept, 0, barTop + 22, style.muted, "left");
    for (const [view, all] of run.tokens.entries()) {
      const kept = run.aliveInView(view, chosen.layer);
      const tall = all ? (BARS * kept) / all : 0;
      const x = left + view * column + 2;
      Object.assign(ctx, { fillStyle: style.rule, globalAlpha: 0.45 });
      ctx.fillRect(x, barTop, column - 4, BARS);
      Object.assign(ctx, { fillStyle: this.palette.alive, globalAlpha: 0.65 });
      ctx.fillRect(x, barTop + BARS - tall, column - 4, tall);
      ctx.globalAlpha = 1;
      const long = fill(this.texts.keptOf, { kept, all });
      const text = [long, String(kept)].find((one) => ctx.measureText(one).width < column - 8);
      if (text) write(ctx, style, text, left + (view + 0.5) * column, barTop + 21, style.ink, "center");
    }
  }

  /** @param {Context} ctx @param {Shown} shown */
  matrix(ctx, shown) {
    const { run, chosen, style } = shown;
    const { width, left, column, matrixTop, height } = this.measures(run);
    const row = (height - matrixTop) / run.layers;
    const every = Math.ceil(13 / row);
    for (let layer = 0; layer < run.layers; layer++) {
      const y = matrixTop + layer * row;
      const isChosen = layer === chosen.layer;
      if (isChosen || (layer % every === 0 && Math.abs(layer - chosen.layer) >= every))
        write(ctx, style, `L${layer}`, left - 10, y + row / 2 + 4, isChosen ? style.ink : style.muted, "right");
      for (let view = 0; view < run.numViews; view++)
        this.cell(ctx, shown, { x: left + view * column, y, w: column, h: row }, view, layer);
    }
    ctx.strokeStyle = style.ink;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(left, matrixTop + chosen.layer * row + 0.5, width - left - 1, row - 1);
  }

  /**
   * How many tokens of a view enter a layer.
   *
   * @param {Context} ctx
   * @param {Shown} shown
   * @param {{x: number, y: number, w: number, h: number}} box in CSS pixels
   * @param {number} view
   * @param {number} layer
   */
  cell(ctx, { run, style }, { x, y, w, h }, view, layer) {
    const alive = run.aliveInView(view, layer);
    ctx.fillStyle = style.rule;
    ctx.globalAlpha = 0.45;
    ctx.fillRect(x + 1, y + 1, w - 2, h - 2);
    ctx.fillStyle = this.palette.alive;
    ctx.globalAlpha = alive ? 0.1 + (0.55 * alive) / run.tokens[view] : 0;
    ctx.fillRect(x + 1, y + 1, w - 2, h - 2);
    ctx.globalAlpha = 1;
    if (w < 26 || h < 12) return;
    const colour = alive ? style.ink : style.muted;
    write(ctx, style, String(alive || "·"), x + w / 2, y + h / 2 + 4, colour, "center");
  }

  /**
   * The picture in one sentence, for everyone and for screen readers.
   *
   * @param {Shown} shown
   */
  sentence({ run, chosen: { layer }, step }) {
    const { texts } = this;
    const left = run.views.filter((_, view) => run.aliveInView(view, layer)).length;
    const alive = fill(texts.viewsLeft, { layer, left, views: run.numViews });
    const measured = run.measured(layer);
    if (measured === null) return alive;
    const shares = [...run.viewShares(measured, ...step)];
    const top = shares.indexOf(Math.max(...shares));
    const best = { name: nameOf(run, texts, top), share: percent(shares[top]), layer: measured };
    const [head, iteration, scorer] = step;
    const early = run.earlyOf(measured, scorer);
    const place = early === null ? [] : [fill(texts.early, { early: early.toFixed(2) })];
    if (scorer !== "pagerank")
      return [alive, fill(texts.topViewBy, { ...best, scorer: texts.scorers[scorer] }), ...place].join(" ");
    const isEnd = head === ALL_HEADS && iteration === Infinity;
    if (!isEnd && run.recordedScores.isRecorded(measured)) return `${alive} ${fill(texts.topViewNow, best)}`;
    const held = run.held[run.scored.indexOf(measured)];
    const sentences = [alive, fill(texts.topView, best)];
    if (held !== null) sentences.push(fill(texts.held, { share: percent(held), layer: measured }));
    return [...sentences, ...place].join(" ");
  }
}

/**
 * @param {Context} ctx
 * @param {Style} style
 * @param {string} string
 * @param {number} x
 * @param {number} y
 * @param {string} colour
 * @param {CanvasTextAlign} align
 */
function write(ctx, { font }, string, x, y, colour, align) {
  Object.assign(ctx, { font, fillStyle: colour, textAlign: align });
  ctx.fillText(string, x, y);
}
