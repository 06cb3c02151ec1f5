// @ts-check
// Heat controls: which layer and head the heat on the patches is of, its legend, and what it shows in words.

import { fill, make } from "../common.js";
import { ALL } from "./patches.js";

/** @import { Palette } from "../common.js" */
/** @import { Shown } from "./heat_strip.js" */
/** @import { PatchesRecord } from "./patches.js" */

/** @typedef {Record<"allLayers" | "oneLayer" | "allHeads" | "oneHead" | "least" | "largest" | "gone", string>} Labels */
/** @typedef {Record<"waiting" | "brightest" | "nothing" | "unrecorded", string>} Sentences */
/** @typedef {Labels & Sentences} HeatTexts */
/** @typedef {Record<"heat" | "legend" | "brightest", HTMLElement>} Outputs */
/** @typedef {Outputs & Record<"layer" | "head", HTMLSelectElement>} HeatParts */

export class HeatControls {
  /**
   * @param {HeatParts} parts
   * @param {HeatTexts} texts
   * @param {Palette} palette
   * @param {() => void} changed
   */
  constructor(parts, texts, palette, changed) {
    this.parts = parts;
    this.texts = texts;
    /** @type {PatchesRecord | null} */
    this.record = null;
    for (const select of [parts.layer, parts.head]) select.addEventListener("change", changed);
    const ramp = make("span", { class: "wf-ramp", "aria-hidden": "true" });
    const stops = (palette.heat ?? []).filter((_, i) => i % 15 === 0);
    ramp.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    const gone = make("span", { class: "wf-gone", "aria-hidden": "true" });
    parts.legend.replaceChildren(texts.least, ramp, texts.largest, gone, texts.gone);
    this.choices(0, 0);
  }

  get layer() {
    return Number(this.parts.layer.value);
  }

  get head() {
    return Number(this.parts.head.value);
  }

  /**
   * @param {boolean} isUsed whether the run recorded attention by patch
   * @param {PatchesRecord | null} record null while it is not here
   */
  load(isUsed, record) {
    this.record = record;
    this.parts.heat.hidden = !isUsed;
    this.parts.layer.disabled = !record;
    this.parts.head.disabled = (record?.numHeads ?? 0) < 2; // a single one may be the mean over all
    if (record) this.choices(record.numLayers, record.numHeads);
  }

  /** @param {number} numLayers @param {number} numHeads */
  choices(numLayers, numHeads) {
    const { texts, parts } = this;
    const layers = [...Array(numLayers).keys()].map((layer) => fill(texts.oneLayer, { layer }));
    const heads =
      numHeads > 1 ? [...Array(numHeads).keys()].map((head) => fill(texts.oneHead, { head: head + 1 })) : [];
    choose(parts.layer, texts.allLayers, layers);
    choose(parts.head, texts.allHeads, heads);
  }

  /**
   * The brightest patch of each answer, or why nothing is shown.
   *
   * @param {Shown[]} found
   * @param {(side: number) => string} sideName
   * @param {(view: number) => string} viewName
   */
  tell(found, sideName, viewName) {
    const { texts, record } = this;
    const lines = found.flatMap((own, at) => {
      if (own === null) return [];
      const side = sideName(at);
      if (own === "nothing") return [fill(texts.nothing, { side })];
      if (own === "unrecorded") return [fill(texts.unrecorded, { side, count: record?.sides[at].words ?? 0 })];
      return [fill(texts.brightest, { side, share: `${(100 * own.share).toFixed(1)} %`, frame: viewName(own.view) })];
    });
    this.parts.brightest.replaceChildren(...(record ? lines : [texts.waiting]).flatMap((line) => [line, make("br")]));
  }
}

/**
 * Options of a select: the mean over all, and each of them; what was chosen stays if it is there.
 *
 * @param {HTMLSelectElement} select
 * @param {string} all
 * @param {string[]} names
 */
function choose(select, all, names) {
  if (select.options.length === names.length + 1) return;
  const before = Number(select.value);
  const options = [all, ...names].map((name, i) => make("option", { value: i ? i - 1 : ALL }, name));
  select.replaceChildren(...options);
  select.value = String(before < names.length && before >= 0 ? before : ALL);
}
