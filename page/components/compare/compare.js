// @ts-check
// Compare: one state, and the table, chart and tiles that show it. Nothing here asks the server.

import {
  fill,
  fillTexts,
  inPageLanguage,
  oncePerFrame,
  onResize,
  partsOf,
  removalOf,
  useColours,
  whole,
} from "../common.js";
import { captionOf } from "../explorer/view_names.js";
import { chart } from "./chart.js";
import { isRun, Table } from "./table.js";
import { Tiles } from "./tiles.js";
import { MethodTokens } from "./tokens.js";

/** @import { Mount, Palette } from "../common.js" */
/** @import { ViewRecord } from "../explorer/run.js" */
/** @import { KindTexts } from "../explorer/view_names.js" */
/** @import { Column } from "./table.js" */
/** @import { Shown, Spot } from "./tiles.js" */
/** @import { TokensRecord } from "./tokens.js" */

/**
 * A line of `compare_record` of record.py: what is known of any method.
 *
 * @typedef {object} MethodAbout
 * @property {string} name
 * @property {string} title
 * @property {string} paper its address; empty for a baseline
 * @property {string} variant what differs from the method as released
 * @property {string} settings
 * @property {string} refused why it was not run; empty if it was
 */

/**
 * What is known beside of one that ran.
 *
 * @typedef {object} MethodMeasured
 * @property {string} note why the budget is not met exactly
 * @property {["same" | "only", string][]} words
 * @property {boolean | null} right
 * @property {boolean} agrees whether the most likely first token is dense's
 * @property {Record<"kl" | "entering" | "mean" | "flops" | "kv" | "peak", number | null>} numbers
 * @property {string} flops
 * @property {string} kv
 * @property {string} peak most memory on a CUDA device; empty elsewhere
 * @property {number | null} ms
 * @property {number[] | null} spread
 * @property {number[]} counts visual tokens entering each layer
 * @property {TokensRecord} tokens
 */

/** @typedef {MethodAbout & MethodMeasured & {refused: ""}} Run */
/** @typedef {Run | MethodAbout} Row */
/** @typedef {{files: string[], question: string, model: string}} ComparedAsked what a comparison was asked */
/** @typedef {{asked: ComparedAsked | null, budget: string, measure: string, outside: boolean, numLayers: number, views: ViewRecord[], rows: Row[]}} CompareRecord */
/** @typedef {Record<"answersNow" | "right" | "wrong" | "variant" | "nearest" | "nats" | "otherFirst" | "layerSaid" | "alive" | "plot" | "pointed" | "lives" | "folded" | "foldedFirst" | "never" | "end", string> & {columns: Record<Column, string>, columnsHow: Record<Column, string>, captions: KindTexts}} CompareTexts */
/** @typedef {"root" | "asked" | "model" | "files" | "question" | "budget" | "outside" | "head" | "body" | "chart" | "pointed" | "layerSaid" | "frameSaid" | "tiles" | "read"} PartName */
/** @typedef {Record<PartName, HTMLElement> & Record<"layer" | "frame" | "all", HTMLInputElement>} CompareParts */
/** @typedef {{value: {pictures: {url: string}[], record: CompareRecord} | null, palette: Palette, texts: Record<"en" | "zh", CompareTexts>}} CompareProps */

/** @param {Mount<CompareProps>} mount */
export function start({ element, props, watch }) {
  /** @type {CompareParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  /** @type {CompareRecord | null} */
  let record = null;
  /** @type {Run[]} */
  let runs = [];
  /** @type {Map<string, MethodTokens>} */
  let tokens = new Map(); // of each run
  /** @type {Shown} */
  const state = { layer: 0, view: 0, all: false, at: null, on: null };

  fillTexts(element, texts);
  useColours(parts.root, props.palette);
  const show = oncePerFrame(draw);

  /** @param {Partial<Shown>} change */
  function set(change) {
    Object.assign(state, change);
    show();
  }

  const point = (/** @type {string | null} */ on) => on !== state.on && set({ on });
  const table = new Table(parts, texts, point);
  const tiles = new Tiles(parts.tiles, props.palette, (at) => isOther(at, state.at) && set({ at }), point);

  function draw() {
    if (!record || !runs.length) return;
    const last = record.numLayers - 1;
    parts.layer.max = String(last);
    parts.layer.value = String(state.layer);
    parts.layerSaid.textContent = fill(texts.layerSaid, { layer: state.layer, last });
    parts.frame.max = String(record.views.length - 1);
    parts.frame.value = String(state.view);
    parts.frame.disabled = state.all || record.views.length < 2;
    parts.frameSaid.textContent = captionOf(record, texts, state.view);
    for (const line of parts.body.querySelectorAll("tr"))
      line.setAttribute("data-on", String(line.dataset.name === state.on));
    parts.chart.replaceChildren(chart(runs, state.on, point, texts.plot));
    const pointed = runs.find(({ name }) => name === state.on);
    parts.pointed.textContent = pointed
      ? fill(texts.pointed, { title: pointed.title, counts: pointed.counts.map(whole).join(" · ") })
      : "";
    tiles.show(state, (alive, of) => fill(texts.alive, { alive: whole(alive), of: whole(of) }));
    parts.read.textContent = state.at ? lives(state.at) : "";
  }

  /** Until which layer each run keeps what is under the pointer. @param {Spot} at */
  function lives({ view, patch }) {
    const last = (record?.numLayers ?? 0) - 1;
    return runs
      .map(({ name, title }) => {
        const own = tokens.get(name);
        const token = own ? own.token(view, patch) : -1;
        const until = own ? own.last[token] : -1;
        const [never, goes] = own?.isFolded(token) ? [texts.foldedFirst, texts.folded] : [texts.never, texts.lives];
        const said = until < 0 ? never : until === last ? texts.end : fill(goes, { layer: until });
        return `${title}: ${said}`;
      })
      .join(" · ");
  }

  async function load() {
    const value = props.value;
    parts.root.hidden = !value;
    if (!value) return;
    const isFirst = !record;
    record = value.record;
    runs = record.rows.filter(isRun);
    const views = record.views.map(({ grid: [rows, cols] }) => ({ rows, cols, patches: rows * cols }));
    tokens = new Map(runs.map((run) => [run.name, new MethodTokens(views, run.tokens)]));
    const isThere = state.at !== null && state.at.patch < (views[state.at.view]?.patches ?? 0);
    Object.assign(state, { at: isThere ? state.at : null, view: Math.min(state.view, views.length - 1) });
    state.layer = Math.min(isFirst ? Math.floor(record.numLayers / 2) : state.layer, record.numLayers - 1);
    const { asked } = record;
    parts.asked.hidden = !asked;
    parts.model.textContent = asked ? fill(texts.answersNow, asked) : "";
    parts.files.textContent = asked?.files.join(", ") ?? "";
    parts.question.textContent = asked?.question ?? "";
    parts.budget.textContent = record.budget;
    parts.outside.hidden = !record.outside;
    parts.root.dataset.outside = String(record.outside);
    table.show(record.rows, record.measure);
    const loading = tiles.load(
      value.pictures.map(({ url }) => url),
      views,
    );
    tiles.begin(runs, ({ name }) => /** @type {MethodTokens} */ (tokens.get(name)));
    show();
    await loading;
    show();
  }

  parts.layer.addEventListener("input", () => set({ layer: Number(parts.layer.value) }));
  parts.frame.addEventListener("input", () => set({ view: Number(parts.frame.value) }));
  parts.all.addEventListener("change", () => set({ all: parts.all.checked }));
  const removal = removalOf(element);
  onResize(parts.tiles, show, removal);
  const theme = new MutationObserver(show); // dark or light is a class of the body
  theme.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  removal.addEventListener("abort", () => theme.disconnect());
  watch("value", load);
  load();
}

/** @param {Spot | null} one @param {Spot | null} other */
function isOther(one, other) {
  return one?.view !== other?.view || one?.patch !== other?.patch;
}
