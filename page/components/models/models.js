// @ts-check
// Models: which model answers, which others there are, and how far one is that is being loaded.

import { fill, fillTexts, inPageLanguage, make, partsOf, removalOf } from "../common.js";
import { sliderOf } from "../sliders.js";

/** @import { Mount } from "../common.js" */

/** @typedef {{weights: number, kv: number, activations: number, total: number}} Needs bytes */
/**
 * A row of `models_record` of component.py.
 *
 * @typedef {object} ModelRow
 * @property {string} key
 * @property {string | null} name null: the embedded model
 * @property {string} family
 * @property {number} parameters
 * @property {"shapes" | "videos" | "pictures" | "random" | ""} knows
 * @property {boolean} isHere
 * @property {boolean} isKept whether it is in memory
 * @property {boolean} answers
 * @property {Needs | null} needs of one that is here
 * @property {number} least bytes
 * @property {boolean} fits
 */
/**
 * `models_record` of component.py.
 *
 * @typedef {object} ModelsRecord
 * @property {number} serial how often another model has begun to answer
 * @property {boolean} isFitted whether the page came with it as it is for that model
 * @property {"all" | "key" | "nobody"} switchers who may switch
 * @property {boolean} mayAny whether any id may be named
 * @property {number} frames that needs are counted for
 * @property {Weights} weights with which a model would be loaded
 * @property {number | null} free bytes
 * @property {number} share of what is free that may be taken
 * @property {ModelRow[]} rows none as long as the picker is shut
 * @property {{name: string | null, layers: number, parameters: number}} now
 */
/**
 * `state_record` of component.py.
 *
 * @typedef {object} ModelsState
 * @property {number} serial
 * @property {LoadingRecord | null} loading
 * @property {UnloadedRecord | null} unloaded
 */
/** @typedef {"look" | "fetch" | "try" | "load"} Stage */
/** @typedef {{name: string, stage: Stage, shard: number, shards: number, done: number, all: number, left: number | null}} LoadingRecord */
/** @typedef {{name: string, why: "memory" | "killed" | "failed" | "stopped", sentence: string, needs: Needs | null, free: number, share: number, frames: number, fewer: number, smaller: string, bits: Weights | ""}} UnloadedRecord */
/** @typedef {"full" | "int8" | "int4"} Weights */
/** @typedef {"name" | "family" | "parameters" | "needs" | "knows" | "here"} Column */
/**
 * @typedef {Record<"embedded" | "now" | "memory" | "unknown" | "needsHow" | "least" | "tooLarge" | "isHere" | "notHere" | "inMemory" | "choose" | "answers" | "onlyOwner" | "nobody" | "everyone" | "pace" | "left" | "fewer" | "smaller" | "fewerBits" | "nothing" | "weights", string>
 *   & {columns: Record<Column, string>, knows: Record<string, string>, bits: Record<Weights, string>, stages: Record<Stage, string>, whyNot: Record<"memory" | "killed" | "failed" | "stopped", string>}} ModelsTexts
 */
/** @typedef {Record<"root" | "now" | "memory" | "head" | "rows" | "key" | "who" | "said" | "bar", HTMLElement> & {box: HTMLDetailsElement, any: HTMLFormElement, id: HTMLInputElement, bits: HTMLSelectElement, secret: HTMLInputElement, progress: HTMLProgressElement, stop: HTMLButtonElement}} ModelsParts */

const WHO = /** @type {const} */ ({ all: "everyone", key: "onlyOwner", nobody: "nobody" });
const SOON = 700; // ms between two looks while a model is loaded or has just been asked for
const LATER = 20_000;

/** @param {Mount<{value: ModelsRecord | null, texts: Record<"en" | "zh", ModelsTexts>, address: string, embedded: string, weights: Weights[]}>} mount */
export function start({ element, props, watch, trigger }) {
  /** @type {ModelsParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  const signal = removalOf(element);
  let timer = 0;
  let asked = 0; // when the last choice was made
  let isPicked = false; // whether a visitor has said how weights are to be kept
  let fittedTo = -1; // serial of the model that the page is made for
  fillTexts(element, texts);
  const columns = /** @type {Column[]} */ (Object.keys(texts.columns));
  const titles = columns.map((name) => make("th", { scope: "col" }, texts.columns[name]));
  parts.head.append(make("tr", {}, ...titles, make("td")));

  parts.bits.append(...props.weights.map((own) => make("option", { value: own }, texts.bits[own])));

  const wanted = () => ({
    frames: Number(sliderOf("frames")?.value) || 8,
    ...(isPicked ? { weights: parts.bits.value } : {}),
  });

  /** @param {object} what */
  function choose(what) {
    asked = Date.now();
    trigger("choose", { ...what, ...wanted(), secret: parts.secret.value });
    soon();
  }

  function show() {
    const record = props.value;
    parts.root.hidden = !record;
    if (!record) return;
    if (record.isFitted) fittedTo = record.serial;
    const { now, switchers } = record;
    const count = { layers: now.layers, parameters: rounded(now.parameters) };
    parts.now.textContent = fill(texts.now, { name: now.name ?? texts.embedded, ...count });
    parts.memory.textContent = record.free === null ? texts.unknown : fill(texts.memory, memory(record));
    if (parts.box.open && !record.rows.length) trigger("look", wanted());
    parts.rows.replaceChildren(...record.rows.map((row) => line(record, row)));
    if (!isPicked) parts.bits.value = record.weights;
    parts.any.hidden = !record.mayAny || switchers === "nobody";
    parts.key.hidden = switchers !== "key";
    parts.who.textContent = texts[WHO[switchers]];
  }

  /** @param {ModelsRecord} record @param {ModelRow} row */
  function line(record, row) {
    const name = row.name ?? texts.embedded;
    /** @type {Record<Column, (Node | string)[]>} */
    const cells = {
      name: [name],
      family: [row.family],
      parameters: [rounded(row.parameters)],
      needs: needed(record, row),
      knows: [texts.knows[row.knows] ?? ""],
      here: [row.isKept ? texts.inMemory : row.isHere ? texts.isHere : texts.notHere],
    };
    const press = make("button", { type: "button", "aria-label": `${texts.choose} ${name}` }, texts.choose);
    press.disabled = !row.fits || record.switchers === "nobody";
    press.addEventListener("click", () => choose({ key: row.key }));
    const act = row.answers ? texts.answers : press;
    const tds = columns.map((one) => make(one === "name" ? "th" : "td", { "data-name": one }, ...cells[one]));
    return make("tr", { "data-key": row.key, "data-answers": String(row.answers) }, ...tds, make("td", {}, act));
  }

  /** @param {ModelsRecord} record @param {ModelRow} row */
  function needed(record, { needs, least, fits }) {
    const said = needs ? gigabytes(needs.total) : least ? fill(texts.least, { least: gigabytes(least) }) : "";
    const how = needs ? [make("small", {}, fill(texts.needsHow, { ...figures(needs), frames: record.frames }))] : [];
    const refused = fits ? [] : [make("small", {}, fill(texts.tooLarge, memory(record)))];
    return [said, ...how, ...refused];
  }

  /** @param {ModelsState} state */
  function tell({ serial, loading, unloaded }) {
    const sentence = loading ? progressed(loading) : unloaded ? refused(unloaded) : "";
    if (parts.said.textContent !== sentence) parts.said.textContent = sentence;
    parts.bar.hidden = !loading;
    if (loading?.all) parts.progress.value = loading.done / loading.all;
    else parts.progress.removeAttribute("value");
    if (props.value && serial !== fittedTo) trigger("fit", {});
    schedule(loading || Date.now() - asked < 5000 ? SOON : LATER);
  }

  /** @param {LoadingRecord} loading */
  function progressed({ name, stage, shard, shards, done, all, left }) {
    const pace = all
      ? fill(texts.pace, { shard, shards, done: gigabytes(done), all: gigabytes(all) }) +
        (left === null ? "" : fill(texts.left, { left: Math.ceil(left) }))
      : "";
    return fill(texts.stages[stage], { name }) + pace;
  }

  /** @param {UnloadedRecord} record */
  function refused({ name, why, sentence, needs, free, share, frames, fewer, smaller, bits }) {
    const figured = needs ? { ...figures(needs), total: gigabytes(needs.total) } : {};
    const room = { free: gigabytes(free), may: gigabytes(share * free) };
    const said = fill(texts.whyNot[why], { name, sentence, frames, ...figured, ...room });
    if (why !== "memory") return said;
    const others = [
      bits ? fill(texts.fewerBits, { bits: texts.bits[bits] }) : "",
      fewer ? fill(texts.fewer, { fewer }) : "",
      smaller ? fill(texts.smaller, { smaller }) : "",
    ].filter(Boolean);
    return [said, ...(others.length ? others : [texts.nothing])].join(" ");
  }

  async function ask() {
    const reply = await fetch(new URL(props.address, document.baseURI), { signal });
    if (reply.ok) tell(await reply.json());
    else schedule(LATER);
  }

  /** @param {number} wait in ms */
  function schedule(wait) {
    clearTimeout(timer);
    timer = setTimeout(soon, wait);
  }

  function soon() {
    clearTimeout(timer);
    if (signal.aborted) return;
    if (document.hidden) schedule(LATER);
    else ask().catch(() => schedule(LATER));
  }

  parts.box.addEventListener("toggle", () => {
    if (parts.box.open) trigger("look", wanted());
  });
  parts.bits.addEventListener("change", () => {
    isPicked = true;
    trigger("look", wanted());
  });
  parts.any.addEventListener("submit", (event) => {
    event.preventDefault();
    choose({ key: parts.id.value });
  });
  parts.stop.addEventListener("click", () => choose({ stop: true }));
  document.addEventListener("visibilitychange", () => !document.hidden && soon(), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  watch("value", () => {
    show();
    soon();
  });
  show();
  if (props.value) soon();
}

/** @param {ModelsRecord} record */
function memory({ free, share }) {
  return { free: gigabytes(free ?? 0), may: gigabytes(share * (free ?? 0)) };
}

/** @param {Needs} needs */
function figures({ weights, kv, activations }) {
  return { weights: gigabytes(weights), kv: gigabytes(kv), activations: gigabytes(activations) };
}

/**
 * 3.1 GB, or MB where that says more.
 *
 * @param {number} bytes
 */
export function gigabytes(bytes) {
  return bytes < 1e9 ? `${+(bytes / 1e6).toPrecision(3)} MB` : `${+(bytes / 1e9).toPrecision(3)} GB`;
}

/**
 * 1.3 M, 0.89 B
 *
 * @param {number} count
 */
function rounded(count) {
  return count < 1e8 ? `${+(count / 1e6).toPrecision(2)} M` : `${+(count / 1e9).toPrecision(2)} B`;
}
