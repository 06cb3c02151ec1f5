// @ts-check
// First token: a table of first tokens, one column for each run, with a bar behind each probability.

import { fill, fillTexts, inPageLanguage, make, partsOf, ticked, useColours } from "../common.js";

/** @import { Mount, Palette, Side } from "../common.js" */

/**
 * `first_token_record` of component.py.
 *
 * @typedef {object} FirstTokenRecord
 * @property {Side[]} sides the runs
 * @property {[string, ...number[]][]} rows a token's text and its probability in each run
 * @property {number} few how many of the likeliest are in no row, since no run gives them 0.1 %
 * @property {(number | null)[]} kl nats of each run from the one before it; null is infinite
 * @property {string[]} firsts the likeliest token of each run
 * @property {boolean} same whether it is one token
 * @property {boolean} outside whether the clip is not of the model's world, so that the answers mean nothing
 */

/** @typedef {"token" | "few" | "caption" | "nothing" | "same" | "other" | "others"} TextName */
/** @typedef {Record<TextName | Side, string> & {kl: string[]}} FirstTokenTexts */
/** @typedef {Record<"root" | "table" | "firsts" | "kl", HTMLElement>} FirstTokenParts */

/** @param {Mount<{value: FirstTokenRecord | null, texts: Record<"en" | "zh", FirstTokenTexts>, palette: Palette}>} mount */
export function start({ element, props, watch }) {
  /** @type {FirstTokenParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);
  useColours(parts.root, props.palette);

  function show() {
    const record = props.value;
    parts.root.dataset.empty = String(!record);
    parts.root.dataset.outside = String(Boolean(record?.outside));
    parts.table.replaceChildren(...(record ? table(record, texts) : []));
    parts.firsts.textContent = record ? firsts(record, texts) : texts.nothing;
    parts.kl.replaceChildren(...(record ? record.kl.map((nats, i) => distance(nats, texts.kl[i])) : []));
  }

  watch("value", show);
  show();
}

/** @param {FirstTokenRecord} record @param {FirstTokenTexts} texts */
function table({ sides, rows, few }, texts) {
  const names = [texts.token, ...sides.map((side) => texts[side])];
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map(([word, ...shares]) => {
    const cells = shares.map((share, i) => cell(share, sides[i]));
    return make("tr", {}, make("th", { scope: "row", title: word }, word), ...cells);
  });
  const line = make("td", { colspan: String(names.length) }, fill(texts.few, { count: few }));
  const foot = few ? [make("tfoot", {}, make("tr", {}, line))] : [];
  return [
    make("caption", { class: "sr" }, texts.caption),
    make("thead", {}, head),
    make("tbody", {}, ...body),
    ...foot,
  ];
}

/** @param {FirstTokenRecord} record @param {FirstTokenTexts} texts */
function firsts({ firsts, same, outside }, texts) {
  if (same) return fill(ticked(texts.same, outside), { word: firsts[0] });
  const [dense, aim, hand] = firsts;
  return fill(hand === undefined ? texts.other : texts.others, { dense, aim, hand });
}

/** @param {number | null} nats @param {string} sentence */
function distance(nats, sentence) {
  return make("li", {}, fill(sentence, { nats: short(nats) }));
}

/**
 * One probability: its number over a bar of that length.
 *
 * @param {number} share
 * @param {Side} side
 */
function cell(share, side) {
  const bar = make("i", { "data-side": side, "aria-hidden": "true" });
  bar.style.setProperty("--share", String(Math.min(1, share)));
  return make("td", {}, bar, make("span", {}, probability(share)));
}

/**
 * 97.3 %, or "<0.1 %", or ">99.9 %".
 *
 * @param {number} share
 */
function probability(share) {
  if (share >= 0.9995) return ">99.9 %";
  return share > 0 && share < 0.0005 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`;
}

/**
 * Three digits: 0.0123, or "<0.001"; null is infinite.
 *
 * @param {number | null} nats
 */
function short(nats) {
  if (nats === null) return "∞";
  return nats > 0 && nats < 0.001 ? "<0.001" : String(+nats.toPrecision(3));
}
