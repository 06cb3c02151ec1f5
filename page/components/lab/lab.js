// @ts-check
// Lab: one sweep: its cost, how far it is, and one state that chart and table show. Nothing here asks the server.

import { addressOf, standsIn } from "../../address.js";
import {
  fill,
  fillTexts,
  inPageLanguage,
  make,
  oncePerFrame,
  onResize,
  partsOf,
  removalOf,
  useColours,
  whole,
} from "../common.js";
import { COSTS, VALUES } from "./axes.js";
import { chart, mark, methodsOf } from "./chart.js";
import { inPercent, inSpan, Table } from "./table.js";

/** @import { Mount, Palette } from "../common.js" */
/** @import { Cost, Value } from "./axes.js" */
/** @import { Published } from "./chart.js" */
/** @import { Column } from "./table.js" */

/** @typedef {[value: number, low: number, high: number]} Interval */
/**
 * A setting, of `lab_record` of record.py.
 *
 * @typedef {object} LabRow
 * @property {string} name
 * @property {string} method
 * @property {string} title
 * @property {string} said its settings and frames
 * @property {number} n questions that it answered
 * @property {number} refused
 * @property {boolean} sure whether its intervals say anything
 * @property {Interval | null} right
 * @property {Interval} alike
 * @property {number | null} ofDense
 * @property {number} kl
 * @property {number | null} share
 * @property {string} flopsSaid
 * @property {number} ms
 * @property {number} kv
 * @property {string} kvSaid
 * @property {["explore" | "compare", string]} link
 */
/** @typedef {{flops: string, seconds: number | null, leftOut: string[], beyond: string}} LabCost */
/** @typedef {{ended: "" | "done" | "stopped" | "time" | "kept", left: number | null, failed: number}} LabProgress */
/** @typedef {{key: string, model: string, other: string, cells: number, done: number, questions: number, settings: number, videos: number, cost: LabCost | null, progress: LabProgress | null, goOn: boolean, rows: LabRow[], known: boolean, sure: boolean, refusals: string[]}} LabRecord */
/** @typedef {Record<"cellsOf" | "nothing" | "next" | "model" | "embedded" | "accuracy" | "other" | "left" | "failed" | "chart" | "detail" | "detailRight" | "point" | "explore" | "compare" | "publishedHow" | "publishedWithout" | "sure" | "unsure" | "seconds" | "minutes" | "hours", string> & {ended: Record<string, string>, values: Record<Value, string>, costs: Record<Cost, string>, columns: Record<Column, string>}} LabTexts */
/** @typedef {"root" | "empty" | "cost" | "cells" | "cellsOf" | "flops" | "time" | "beyond" | "next" | "leftOut" | "leftOutList" | "progress" | "bar" | "progressSaid" | "results" | "model" | "x" | "y" | "chart" | "legend" | "detailSaid" | "caption" | "head" | "body" | "sure" | "refusals" | "refusalsList"} PartName */
/** @typedef {Record<PartName, HTMLElement> & {open: HTMLAnchorElement, published: HTMLInputElement}} LabParts */
/** @typedef {{value: LabRecord | null, palette: Palette, published: Published[], source: string, texts: Record<"en" | "zh", LabTexts>}} LabProps */

/** @param {Mount<LabProps>} mount */
export function start({ element, props, watch }) {
  /** @type {LabParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  /** @type {{cost: Cost, value: Value | null, on: string | null}} */
  const state = { cost: "share", value: null, on: null };

  fillTexts(element, texts);
  useColours(parts.root, props.palette);
  const open = (/** @type {LabRow} */ { link: [page, hash] }) => `${addressOf(page === "explore" ? "" : page)}#${hash}`;
  const table = new Table(parts, texts.columns, open, point);
  const redraw = oncePerFrame(draw);

  /** @param {string | null} name */
  function point(name) {
    if (name === state.on) return;
    state.on = name;
    for (const own of parts.results.querySelectorAll("[data-name]"))
      if (own.matches("a, tr")) own.setAttribute("data-on", String(own.getAttribute("data-name") === name));
    tellPoint();
  }

  function tellPoint() {
    const row = (props.value || null)?.rows.find(({ name }) => name === state.on);
    parts.open.hidden = !row;
    parts.detailSaid.textContent = row ? detailOf(row) : texts.point;
    if (!row) return;
    parts.open.href = open(row);
    parts.open.textContent = texts[row.link[0]];
  }

  /** @param {LabRow} row */
  function detailOf(row) {
    const right = row.right ? fill(texts.detailRight, { right: told(row.right, row.sure) }) : "";
    const share = row.share === null ? "–" : `${Number((100 * row.share).toPrecision(3))} %`;
    const own = {
      title: row.title,
      said: row.said,
      right,
      alike: told(row.alike, row.sure),
      kl: row.kl.toPrecision(2),
    };
    return fill(texts.detail, {
      ...own,
      share,
      flops: row.flopsSaid,
      ms: Number(row.ms.toPrecision(3)),
      kv: row.kvSaid,
      n: row.n,
    });
  }

  function draw() {
    const record = props.value || null;
    if (!record?.rows.length) return;
    const value =
      state.value && (record.known || !needsAnswers(state.value)) ? state.value : record.known ? "right" : "alike";
    const published = parts.published.checked && value === "ofDense" && state.cost === "share" ? props.published : [];
    for (const [part, name, isOff] of /** @type {const} */ ([
      [parts.x, state.cost, () => false],
      [parts.y, value, (/** @type {Value} */ own) => !record.known && needsAnswers(own)],
    ]))
      for (const input of part.querySelectorAll("input")) {
        input.checked = input.value === name;
        input.disabled = isOff(/** @type {Value} */ (input.value));
      }
    parts.published.disabled = !record.known;
    parts.caption.textContent = record.known ? texts.publishedHow : texts.publishedWithout;
    const best = chart(
      parts.chart,
      { rows: record.rows, cost: state.cost, value, isSure: record.sure, on: state.on, published },
      { name: texts.chart, x: texts.costs[state.cost], y: texts.values[value], said: detailOf, open },
      point,
    );
    table.show(record.rows, best);
    const methods = methodsOf(record.rows);
    parts.legend.replaceChildren(...methods.map((method) => legend(record, method, methods)));
    tellPoint();
  }

  function tell() {
    const record = props.value || null; // Gradio has "" for none
    parts.empty.hidden = record !== null;
    parts.results.hidden = !record?.rows.length;
    parts.cost.hidden = !record?.cost || Boolean(record.progress);
    parts.progress.hidden = !record?.progress;
    if (!record) return;
    if (record.cost) tellCost(record, record.cost);
    if (record.progress) tellProgress(record, record.progress);
    const name = record.model
      ? fill(texts.model, { model: record.model })
      : `${texts.embedded} ${record.known ? texts.accuracy : ""}`;
    parts.model.textContent = record.other ? `${name} ${fill(texts.other, { model: record.other })}` : name;
    parts.sure.textContent = record.sure ? texts.sure : texts.unsure;
    list(parts.refusals, parts.refusalsList, record.refusals);
    stand(record);
    redraw();
  }

  /** @param {LabRecord} record @param {LabCost} cost */
  function tellCost(record, cost) {
    parts.cells.textContent = whole(record.cells - record.done);
    parts.cellsOf.textContent = fill(texts.cellsOf, {
      settings: record.settings,
      questions: record.questions,
      done: whole(record.done),
    });
    parts.flops.textContent = cost.seconds === null ? "0" : cost.flops;
    parts.time.textContent = cost.seconds === null ? "0" : `≈ ${spelled(cost.seconds, texts)}`;
    parts.beyond.textContent = cost.beyond;
    parts.next.textContent = cost.beyond ? "" : cost.seconds === null ? texts.nothing : texts.next;
    list(parts.leftOut, parts.leftOutList, cost.leftOut);
  }

  /** @param {LabRecord} record @param {LabProgress} progress */
  function tellProgress(record, { ended, left, failed }) {
    parts.bar.setAttribute("aria-valuemax", String(record.cells));
    parts.bar.setAttribute("aria-valuenow", String(record.done));
    parts.bar.style.setProperty("--done", `${(100 * record.done) / record.cells}%`);
    const rest = ended === "" && left !== null ? fill(texts.left, { left: spelled(left, texts) }) : "";
    const isWhole = record.done >= record.cells;
    const said = fill(texts.ended[ended === "" ? "going" : isWhole ? "done" : ended === "done" ? "failed" : ended], {
      done: whole(record.done),
      cells: whole(record.cells),
    });
    parts.progress.dataset.ended = isWhole ? "done" : ended;
    parts.progressSaid.textContent = [said, rest, failed ? fill(texts.failed, { failed }) : ""]
      .filter(Boolean)
      .join(" ");
  }

  for (const [part, names, said] of /** @type {const} */ ([
    [parts.y, VALUES, texts.values],
    [parts.x, COSTS, texts.costs],
  ]))
    for (const name of names) {
      const input = make("input", { type: "radio", name: part === parts.x ? "lb-x" : "lb-y", value: name });
      input.addEventListener("change", () =>
        choose(part === parts.x ? { cost: /** @type {Cost} */ (name) } : { value: /** @type {Value} */ (name) }),
      );
      part.append(make("label", {}, input, make("span", {}, /** @type {any} */ (said)[name])));
    }

  /** @param {Partial<typeof state>} change */
  function choose(change) {
    Object.assign(state, change);
    if (state.cost !== "share" || state.value !== "ofDense") parts.published.checked = false;
    redraw();
  }

  parts.published.addEventListener("change", () => {
    if (parts.published.checked) Object.assign(state, { cost: "share", value: "ofDense" });
    redraw();
  });
  onResize(parts.chart, redraw, removalOf(element));
  watch("value", tell);
  tell();
}

/** Once the page is set up: go on with a sweep that was under way when its page was closed. @param {LabRecord | null} record */
export function goOn(record) {
  if (!record?.goOn) return;
  const press = () => {
    /** @type {HTMLButtonElement | null} */
    const run = document.querySelector("#run");
    if (run?.disabled) requestAnimationFrame(press);
    else run?.click();
  };
  press();
}

/** The address names the sweep, and whether it is under way. @param {LabRecord} record */
function stand({ key, progress, goOn }) {
  if (progress) standsIn(`sweep=${key}${progress.ended === "" || goOn ? "&going=1" : ""}`);
}

/** @param {Value} value */
function needsAnswers(value) {
  return value === "right" || value === "ofDense";
}

/** @param {LabRecord} record @param {string} method @param {string[]} methods */
function legend({ rows }, method, methods) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({
    viewBox: "0 0 18 18",
    width: "18",
    height: "18",
    "aria-hidden": "true",
  }))
    svg.setAttribute(name, value);
  svg.append(mark(method, methods, 9, 9));
  return make("li", {}, svg, rows.find((row) => row.method === method)?.title ?? method);
}

/** @param {HTMLElement} part @param {HTMLElement} inside @param {string[]} sentences */
function list(part, inside, sentences) {
  part.hidden = sentences.length === 0;
  inside.replaceChildren(...sentences.map((sentence) => make("li", {}, sentence)));
}

/** @param {Interval} interval @param {boolean} isSure */
function told(interval, isSure) {
  const span = inSpan(interval, isSure);
  return span ? `${inPercent(interval)} (${span})` : inPercent(interval);
}

/** Roughly, in the unit that fits. @param {number} seconds @param {LabTexts} texts */
function spelled(seconds, texts) {
  if (seconds >= 7200) return fill(texts.hours, { count: (seconds / 3600).toFixed(1) });
  if (seconds >= 120) return fill(texts.minutes, { count: Math.round(seconds / 60) });
  return fill(texts.seconds, { count: Math.max(1, Math.round(seconds)) });
}
