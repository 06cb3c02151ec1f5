// @ts-check
// Stage: the canvas itself. Draws all views or one, and turns pointer, touch and keys into spots.

import { blocksOf, boxesIn, togetherOf } from "./blocks.js";
import { Drag } from "./drag.js";
import { heightFor, nearestPatch, patchAt, viewBoxes } from "./layout.js";
import { Overlays } from "./overlays.js";
import { overriddenTokens, overridesWith } from "./overrides.js";
import { blank, contextOf, labelsAt, Painter } from "./paint.js";
import { Pinch } from "./pinch.js";
import { coveredViews, insideOf, selectedSpots } from "./selection.js";
import { OVERLAYS } from "./state.js";
import { captionOf, cropsOf, pictureOf, shortName } from "./view_names.js";

/** @import { Palette } from "../common.js" */
/** @import { Block } from "./blocks.js" */
/** @import { Box } from "./layout.js" */
/** @import { Context, Picture } from "./paint.js" */
/** @import { Run } from "./run.js" */
/** @import { Selection } from "./selection.js" */
/** @import { Overlay, Spot, State, Tool } from "./state.js" */
/** @import { CaptionTexts, KindTexts } from "./view_names.js" */

/**
 * What the pointer and the keys ask for.
 *
 * @typedef {object} StageEvents
 * @property {(spot: Spot | null) => void} read
 * @property {(spot: Spot | null) => void} choose
 * @property {() => void} chooseHere
 * @property {() => void} leave Escape: what is selected, else what is pinned, else the enlarged view
 * @property {(down: number, right: number) => void} walk
 * @property {(views: number) => void} leap
 * @property {() => void} zoom
 * @property {(view: number | null) => void} enlarge this view alone, or all again
 * @property {() => void} play
 * @property {(step: number) => void} layer
 * @property {(overlay: Overlay) => void} overlay
 * @property {(step: number) => void} step
 * @property {(tool: Tool) => void} tool
 * @property {() => boolean} marks whether a click or a drag marks
 * @property {(selection: Selection) => void} select
 * @property {(down: number, right: number) => void} extend
 * @property {() => void} markSelected
 * @property {() => void} cancel
 * @property {() => void} undo
 * @property {() => void} clear
 * @property {() => void} redraw
 */

/** @typedef {{run: Run, painter: Painter, overlays: Overlays, palette: Palette}} Loaded a run and what draws it */

const GAP = 10; // CSS pixels, as CAPTION
const CAPTION = 20;
const SEAM = 2; // between crops of a picture
const MOST_ACROSS = 3; // crops that get the room of a view each
const TURNS = 52; // height of the caption beside which a single view has its buttons
const WIDE = 560; // CSS pixels from which the stage is that of a screen, see explorer.css
const LEAST = { wide: 120, narrow: 64 }; // CSS pixels a view is wide at least
const GROWING = 450; // ms in which links grow

export class Stage {
  /** @param {HTMLCanvasElement} canvas @param {{names: KindTexts, captions: CaptionTexts}} texts @param {StageEvents} on */
  constructor(canvas, texts, on) {
    this.canvas = canvas;
    this.texts = texts;
    this.on = on;
    this.keys = keysOf(on);
    /** @type {Loaded | null} */
    this.loaded = null;
    /** @type {Map<number, Box>} */
    this.boxes = new Map(); // of the shown views
    /** @type {{block: Block, box: Box}[]} */
    this.blocks = []; // what has one caption: a view, or all crops of a picture
    this.base = blank(1, 1); // the painted views, without what lies over them
    this.drawn = ""; // what the base was painted from
    this.linked = ""; // the round whose links are shown
    this.since = 0; // when they began to grow
    this.drag = new Drag(canvas, {
      start: (event) => (on.marks() ? this.spot(event) : null),
      nearest: (view, event) => this.nearest(view, event),
      select: on.select,
      mark: on.markSelected,
      cancel: on.cancel,
    });
    new Pinch(canvas, {
      apart: (middle) => on.enlarge(this.viewAt(middle)),
      together: () => on.enlarge(null),
    });
    canvas.addEventListener("pointermove", (event) => this.drag.isOn || on.read(this.spot(event)));
    canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && on.read(null));
    canvas.addEventListener("click", (event) => this.drag.wasDragged || this.click(event));
    canvas.addEventListener("dblclick", (event) => this.spot(event) && on.zoom());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /**
   * A new run with its prepared pictures.
   *
   * @param {Run} run
   * @param {Picture[]} pictures
   * @param {Palette} palette
   */
  load(run, pictures, palette) {
    const painter = new Painter(run, pictures, palette);
    this.loaded = { run, painter, overlays: new Overlays(run, palette), palette };
    this.drawn = "";
  }

  /** @param {MouseEvent} event */
  spot(event) {
    return this.loaded ? patchAt(this.loaded.run, this.boxes, ...this.point(event)) : null;
  }

  /** A patch is chosen; a caption enlarges its view. @param {MouseEvent} event */
  click(event) {
    const spot = this.spot(event);
    const view = spot || this.boxes.size === 1 ? null : this.viewAt(event);
    if (view === null) this.on.choose(spot);
    else this.on.enlarge(view);
  }

  /** @param {{clientX: number, clientY: number}} event @returns {number | null} the view there, its caption included */
  viewAt(event) {
    const [x, y] = this.point(event);
    const caption = (CAPTION * this.canvas.width) / this.canvas.clientWidth;
    const isInside = (/** @type {Box} */ { x: left, y: top, w, h }) =>
      x >= left && x < left + w && y >= top && y < top + h + caption;
    return [...this.boxes].find(([, box]) => isInside(box))?.[0] ?? null;
  }

  /** @param {number} view @param {MouseEvent} event */
  nearest(view, event) {
    const box = this.boxes.get(view);
    return this.loaded && box ? nearestPatch(this.loaded.run.views[view], box, ...this.point(event)) : 0;
  }

  /** @param {{clientX: number, clientY: number}} event @returns {[x: number, y: number]} on the canvas, in its pixels */
  point({ clientX, clientY }) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / width;
    return [(clientX - left) * ratio, (clientY - top) * ratio];
  }

  /**
   * Everything, from the state. Views are painted again only if something they depend on has changed.
   *
   * @param {State} state
   */
  draw(state) {
    const { canvas, loaded } = this;
    canvas.dataset.tool = state.tool;
    if (loaded) this.room(loaded);
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const ctx = contextOf(canvas);
    ctx.clearRect(0, 0, width, height);
    if (!loaded || !width) return;
    this.place(loaded, state, ratio);
    this.paint(loaded, state);
    ctx.drawImage(this.base, 0, 0);
    this.captions(ctx, loaded, state, ratio);
    this.links(ctx, loaded, state);
    this.overrides(ctx, loaded, state);
    this.selection(ctx, loaded, state);
  }

  /** Room for all views at a size at which they can be read. @param {Loaded} loaded */
  room({ run }) {
    const { clientWidth, parentElement } = this.canvas;
    const least = clientWidth < WIDE ? LEAST.narrow : LEAST.wide;
    const all = [...run.views.keys()];
    const blocks = blocksOf(run.views, all, ({ height, width }) => width / height); // the same in every overlay
    const across = Math.min(MOST_ACROSS, Math.max(...blocks.map((block) => block.across)));
    const proportions = blocks.map(({ proportion }) => proportion);
    const together = togetherOf(run.views, blocks);
    const height = heightFor(clientWidth, proportions, GAP, CAPTION, least * across, together);
    parentElement?.style.setProperty("--needed", `${height}px`);
  }

  /** @param {Loaded} loaded @param {State} state @param {number} ratio */
  place({ run }, state, ratio) {
    const { width, height } = this.canvas;
    const shown = state.zoom ? [state.view] : [...Array(run.numViews).keys()];
    const blocks = blocksOf(run.views, shown, ({ height, width, seen }) =>
      state.overlay === "original" && seen ? seen[1] / seen[0] : width / height,
    );
    const proportions = blocks.map(({ proportion }) => proportion);
    const [gap, caption] = [GAP, isTurned(run, state) ? TURNS : CAPTION].map((size) => Math.round(size * ratio));
    const boxes = viewBoxes(width, height, proportions, gap, caption, togetherOf(run.views, blocks));
    this.blocks = boxes.map((box, i) => ({ block: blocks[i], box }));
    const seam = Math.round(SEAM * ratio);
    this.boxes = new Map(this.blocks.flatMap(({ block, box }) => boxesIn(run.views, block, box, seam)));
  }

  /** @param {Loaded} loaded @param {State} state */
  paint({ painter }, state) {
    const { width, height } = this.canvas;
    const { overlay, layer, scale, scorer, round, wipe, head, iteration } = state;
    const choice = { overlay, layer, scale, scorer, round, wipe, head, iteration };
    const wanted = JSON.stringify([choice, state.zoom && state.view, width, height]);
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    Object.assign(this.base, { width, height });
    const ctx = contextOf(this.base);
    for (const [view, box] of this.boxes) painter.view(ctx, view, box, choice);
  }

  /** @param {Context} ctx @param {Loaded} loaded @param {State} state @param {number} ratio */
  captions(ctx, { run, palette }, state, ratio) {
    const style = getComputedStyle(this.canvas);
    ctx.textAlign = "left";
    for (const { block, box } of this.blocks) {
      const chosen = block.views.includes(state.view);
      ctx.font = `${chosen ? "600 " : ""}${Math.round(12 * ratio)}px ${style.fontFamily}`;
      ctx.fillStyle = chosen ? style.color : style.getPropertyValue("--muted");
      const view = block.views.find((own) => own === state.at?.view) ?? block.views[0];
      const isMany = block.views.length > 1 && view !== state.at?.view;
      const long = isMany ? cropsOf(run, this.texts, view, block.views.length) : captionOf(run, this.texts, view);
      const short = isMany ? pictureOf(run, this.texts, view) : shortName(run, view);
      const text = ctx.measureText(long).width <= box.w ? long : short;
      ctx.fillText(text, box.x, box.y + box.h + Math.round(15 * ratio));
      if (!chosen || state.zoom) continue;
      ctx.fillStyle = palette.alive;
      ctx.fillRect(box.x, box.y + box.h + Math.round(ratio), box.w, Math.round(2 * ratio));
    }
  }

  /**
   * Links of the round that is shown; they grow where motion is welcome.
   *
   * @param {Context} ctx
   * @param {Loaded} loaded
   * @param {State} state
   */
  links(ctx, { run, overlays }, state) {
    const round = Math.min(state.round, run.merging.rounds);
    const wanted = state.overlay === "groups" && state.links ? `${round}` : "";
    if (wanted !== this.linked) [this.linked, this.since] = [wanted, performance.now()];
    if (!wanted) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const grown = still ? 1 : Math.min(1, (performance.now() - this.since) / GROWING);
    for (const [view, box] of this.boxes) overlays.links(ctx, box, view, round, grown);
    if (grown < 1) this.on.redraw();
  }

  /** @param {Context} ctx @param {Loaded} loaded @param {State} state */
  overrides(ctx, { run, painter, overlays, palette }, state) {
    const { at, pinned, overlay, round } = state;
    const kinds = overriddenTokens(run, previewed(run, state));
    const [token, hovered] = [pinned, at].map((spot) => (spot ? run.token(spot.view, spot.patch) : -1));
    for (const [view, box] of this.boxes) {
      const holds = (/** @type {number} */ one) => run.members(view, one).length > 0;
      const isLit = pinned !== null && holds(token);
      if (pinned && !isLit) overlays.veil(ctx, box);
      overlays.overrides(ctx, box, view, kinds);
      if (at?.view === view) {
        const label = labelsAt(run, view, overlay === "groups" ? round : Infinity);
        if (overlay === "groups") painter.group(ctx, view, box, (patch) => label(patch) === label(at.patch));
        overlays.cursor(ctx, box, at, label);
      } else if (at && holds(hovered)) overlays.outline(ctx, box, view, hovered, palette.line, 0);
      if (isLit) overlays.pin(ctx, box, view, token);
    }
  }

  /** @param {Context} ctx @param {Loaded} loaded @param {State} state */
  selection(ctx, { run, overlays }, { selection, through }) {
    if (!selection) return;
    for (const view of coveredViews(run, selection, through)) {
      const box = this.boxes.get(view);
      if (box) overlays.selection(ctx, box, view, insideOf(run.views[view].cols, selection));
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (!this.loaded || event.altKey) return;
    const command = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
    const shift = event.shiftKey && event.key.startsWith("Arrow") ? "Shift+" : "";
    const act = this.keys.get(command + shift + event.key);
    if (!act) return;
    act();
    event.preventDefault();
  }
}

/** @param {Run} run @param {State} state @returns {boolean} whether a view is alone that has neighbours to turn to */
export function isTurned(run, { zoom }) {
  return zoom && run.numViews > 1;
}

/**
 * The overrides as they are about to be while something is selected.
 *
 * @param {Run} run
 * @param {State} state
 */
function previewed(run, { overrides, selection, through, tool }) {
  if (!selection || tool === "look") return overrides;
  return overridesWith(run, overrides, selectedSpots(run, selection, through), tool);
}

/** @param {StageEvents} on @returns {Map<string, () => void>} what each key does */
function keysOf(on) {
  return new Map([
    ["ArrowLeft", () => on.walk(0, -1)],
    ["ArrowRight", () => on.walk(0, 1)],
    ["ArrowUp", () => on.walk(-1, 0)],
    ["ArrowDown", () => on.walk(1, 0)],
    ["Shift+ArrowLeft", () => on.extend(0, -1)],
    ["Shift+ArrowRight", () => on.extend(0, 1)],
    ["Shift+ArrowUp", () => on.extend(-1, 0)],
    ["Shift+ArrowDown", () => on.extend(1, 0)],
    ["PageUp", () => on.leap(-1)],
    ["PageDown", () => on.leap(1)],
    ["Enter", on.chooseHere],
    [" ", on.chooseHere],
    ["Escape", on.leave],
    ["Ctrl+z", on.undo],
    ["z", on.zoom],
    ["p", on.play],
    ["[", () => on.layer(-1)],
    ["]", () => on.layer(1)],
    [",", () => on.step(-1)],
    [".", () => on.step(1)],
    ["l", () => on.tool("look")],
    ["+", () => on.tool("protect")],
    ["-", () => on.tool("remove")],
    ["c", on.clear],
    ...OVERLAYS.map((overlay, i) => /** @type {const} */ ([String(i + 1), () => on.overlay(overlay)])),
  ]);
}
