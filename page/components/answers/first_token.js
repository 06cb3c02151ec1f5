// @ts-check
// First token: a table of first tokens, one column for each run, with a bar behind each probability.

import { fill, make } from "../common.js";

/** @import { Side } from "../common.js" */

/**
 * `first_token_record` of first_token.py.
 *
 * @typedef {object} FirstTokenRecord
 * @property {Side[]} sides the runs
 * @property {[string, ...number[]][]} rows a token's text and its probability in each run
 * @property {number} few how many of the likeliest are in no row, since no run gives them 0.1 %
 * @property {(number | null)[]} kl nats of each run from the one before it; null is infinite
 * @property {string[]} firsts the likeliest token of each run
 * @property {boolean} same whether it is one token
 */

/** @typedef {"token" | "few" | "firstTokenCaption" | "noFirstToken" | "sameFirst" | "otherFirst" | "otherFirsts"} TextName */
/** @typedef {Record<TextName | Side, string> & {kl: string[]}} FirstTokenTexts */
/** @typedef {Record<"firstToken" | "firstTokenTable" | "firsts" | "kl", HTMLElement>} FirstTokenParts */

export class FirstTokenTable {
  /** @param {FirstTokenParts} parts @param {FirstTokenTexts} texts */
  constructor(parts, texts) {
    this.parts = parts;
    this.texts = texts;
  }

  /** @param {FirstTokenRecord} [record] */
  show(record) {
    const { parts, texts } = this;
    parts.firstToken.dataset.empty = String(!record);
    parts.firstTokenTable.replaceChildren(...(record ? this.table(record) : []));
    parts.firsts.textContent = record ? this.firsts(record) : texts.noFirstToken;
    parts.kl.replaceChildren(...(record ? record.kl.map((nats, i) => this.distance(nats, i)) : []));
  }

  /** @param {FirstTokenRecord} record */
  table({ sides, rows, few }) {
    const { texts } = this;
    const names = [texts.token, ...sides.map((side) => texts[side])];
    const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
    const body = rows.map(([word, ...shares]) => {
      const cells = shares.map((share, i) => cell(share, sides[i]));
      return make("tr", {}, make("th", { scope: "row", title: word }, word), ...cells);
    });
    const line = make("td", { colspan: String(names.length) }, fill(texts.few, { count: few }));
    const foot = few ? [make("tfoot", {}, make("tr", {}, line))] : [];
    return [
      make("caption", { class: "sr" }, texts.firstTokenCaption),
      make("thead", {}, head),
      make("tbody", {}, ...body),
      ...foot,
    ];
  }

  /** @param {FirstTokenRecord} record */
  firsts({ firsts, same }) {
    const { texts } = this;
    if (same) return fill(texts.sameFirst, { word: firsts[0] });
    const [dense, aim, hand] = firsts;
    return fill(hand === undefined ? texts.otherFirst : texts.otherFirsts, { dense, aim, hand });
  }

  /** @param {number | null} nats @param {number} place */
  distance(nats, place) {
    return make("li", {}, fill(this.texts.kl[place], { nats: short(nats) }));
  }
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
