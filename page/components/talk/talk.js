// @ts-check
// Talk: what AIM's cache holds, and further questions with the answers from it and from the dense cache.

import { fill, fillTexts, inPageLanguage, make, partsOf, whole } from "../common.js";

/** @import { Mount } from "../common.js" */

/**
 * `_side` of component.py.
 *
 * @typedef {object} Reply
 * @property {string} answer
 * @property {string} flops of the new tokens
 * @property {string} anew of the whole conversation
 * @property {number} tokens that were read anew
 */

/**
 * `_turn` of component.py.
 *
 * @typedef {object} Turn
 * @property {string} question
 * @property {Reply} dense
 * @property {Reply | null} aim
 */

/**
 * `talk_record` of component.py.
 *
 * @typedef {object} TalkRecord
 * @property {number[]} held visual tokens of each layer
 * @property {number} dense
 * @property {boolean} embedded
 * @property {Turn[]} turns
 */

/** @typedef {Record<"nothing" | "held" | "layers" | "layer" | "noneInLayers" | "noneInLayer" | "dense" | "aim" | "waiting" | "cost" | "embedded", string>} TalkTexts */

/** @param {Mount<{value: TalkRecord | null, texts: Record<"en" | "zh", TalkTexts>}>} mount */
export function start({ element, props, watch }) {
  /** @type {Record<"root" | "held" | "embedded" | "turns", HTMLElement>} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);

  function show() {
    const record = props.value;
    parts.held.textContent = record ? heldText(record) : texts.nothing;
    parts.embedded.hidden = !record?.embedded;
    parts.turns.replaceChildren(...(record?.turns ?? []).map(turnItem));
  }

  /** @param {TalkRecord} record */
  function heldText({ held, dense }) {
    return fill(texts.held, { dense: whole(dense), layers: runs(held).map(layersText).join(" · ") });
  }

  /** @param {{count: number, first: number, last: number}} run */
  function layersText({ count, first, last }) {
    const one = first === last;
    const text = count ? (one ? texts.layer : texts.layers) : one ? texts.noneInLayer : texts.noneInLayers;
    return fill(text, { count: whole(count), first, last });
  }

  /** @param {Turn} turn */
  function turnItem({ question, dense, aim }) {
    const sides = make("dl", {}, side(texts.dense, dense), side(texts.aim, aim));
    return make("li", { class: "card" }, make("p", {}, question), sides);
  }

  /** @param {string} name @param {Reply | null} reply */
  function side(name, reply) {
    const said = make("dd", {}, reply ? reply.answer : texts.waiting);
    if (reply) said.append(make("small", {}, fill(texts.cost, { ...reply, tokens: whole(reply.tokens) })));
    return make("div", {}, make("dt", {}, name), said);
  }

  watch("value", show);
  show();
}

/**
 * Neighbouring layers that hold as many.
 *
 * @param {number[]} held
 */
function runs(held) {
  /** @type {{count: number, first: number, last: number}[]} */
  const found = [];
  held.forEach((count, layer) => {
    const before = found.at(-1);
    if (before?.count === count) before.last = layer;
    else found.push({ count, first: layer, last: layer });
  });
  return found;
}
