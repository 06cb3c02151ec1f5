// @ts-check
// Answers: a card for each run; a word that another run's answer lacks is underlined and tinted.

import {
  fill,
  fillTexts,
  inPageLanguage,
  make,
  partsOf,
  percent,
  removalOf,
  ticked,
  useColours,
  whole,
} from "../common.js";
import { hearOf, now } from "../now.js";

/** @import { Mount, Palette, Side } from "../common.js" */

/**
 * `_side` of component.py: an answer in words with the numbers below it.
 *
 * @typedef {object} Answer
 * @property {["same" | "only", string][]} words
 * @property {boolean | null} right whether it is the known answer; null where that is not known
 * @property {string} tokens
 * @property {string} flops
 * @property {string} time
 */

/** @typedef {{shared: number, most: number}} Agreement words that two answers share, of how many */
/** @typedef {{dense: number, merged: number, last: number, share: number}} Headline visual tokens; work beside dense */
/** @typedef {{protected: number, removed: number, same: boolean}} Overrides tokens; whether the answer stayed */

/**
 * `answers_record` of component.py.
 *
 * @typedef {object} AnswersRecord
 * @property {boolean} outside whether the clip is not of the model's world, so that the answers mean nothing
 * @property {Answer} dense
 * @property {Answer} [aim]
 * @property {Answer} [hand]
 * @property {Headline} [headline]
 * @property {boolean} [canBreak] whether a slider asks this run again
 * @property {Agreement} [agreement]
 * @property {string} [known] the right answer
 * @property {Overrides} [overrides]
 */

/** @typedef {Record<"nothing" | "headline" | "headlineHow" | "breakIt" | "putBack" | "waiting" | "same" | "sameWrong" | "apart" | "differ" | "right" | "wrong" | "known" | "handSame" | "handOther" | "outside", string>} AnswersTexts */
/** @typedef {"root" | "outside" | "undo" | "headline" | "break" | "verdict" | "handCard" | "handVerdict" | "protected" | "removed"} PartName */
/** @typedef {Record<PartName | Side, HTMLElement> & Record<string, HTMLElement | undefined>} AnswersParts */

/** @param {Mount<{value: AnswersRecord | null, texts: Record<"en" | "zh", AnswersTexts>, palette: Palette, fewest: number}>} mount */
export function start({ element, props, watch, trigger }) {
  /** @type {AnswersParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);
  useColours(parts.root, props.palette);
  parts.headline.title = texts.headlineHow;
  parts.undo.addEventListener("click", () => trigger("undo"));
  parts.break.addEventListener("click", () => trigger("breaks"));
  document.addEventListener("aim-now", nameBreak, { signal: removalOf(element) });

  function nameBreak() {
    const isBroken = Number(now.sliders?.[0] ?? 1) <= props.fewest;
    parts.break.textContent = isBroken ? texts.putBack : texts.breakIt;
  }

  function show() {
    const record = props.value;
    const outside = Boolean(record?.outside);
    parts.outside.hidden = !outside;
    parts.root.dataset.outside = String(outside);
    side("dense", record?.dense, record?.known);
    side("aim", record?.aim, record?.known);
    side("hand", record?.hand, record?.known);
    const agreement = record?.agreement;
    parts.verdict.textContent = !record ? texts.nothing : !agreement ? texts.waiting : verdict(agreement, record);
    parts.verdict.dataset.same = String(!agreement || agreement.shared === agreement.most);
    parts.headline.textContent = record?.headline ? headline(record.headline) : "";
    parts.break.hidden = !record?.canBreak;
    nameBreak();
    hearOf({ said: saidIn(record) });
    showOverrides(record?.overrides, outside);
  }

  /** @param {Headline} headline */
  function headline({ dense, merged, last, share }) {
    const counts = { dense: whole(dense), merged: whole(merged), last: whole(last) };
    return fill(texts.headline, { ...counts, share: percent(share) });
  }

  /** @param {Agreement} agreement @param {AnswersRecord} record */
  function verdict({ shared, most }, { dense, known = "", outside }) {
    if (shared === 0) return texts.apart;
    if (shared === most && dense.right === false) return fill(texts.sameWrong, { known });
    return shared === most ? ticked(texts.same, outside) : fill(texts.differ, { shared, most });
  }

  /** @param {Side} name @param {Answer} [answer] @param {string} [known] */
  function side(name, answer, known) {
    rightness(parts[`${name}-right`], answer, known);
    const words = answer ? answer.words.map(([kind, word]) => make("span", { "data-kind": kind }, word)) : ["–"];
    parts[name].replaceChildren(...words.flatMap((word) => [word, " "]));
    for (const field of /** @type {const} */ (["tokens", "flops", "time"])) {
      const part = parts[`${name}-${field}`];
      if (part) part.textContent = answer ? answer[field] : "–";
    }
  }

  /** @param {HTMLElement | undefined} part @param {Answer} [answer] @param {string} [known] */
  function rightness(part, answer, known) {
    if (!part) return;
    part.hidden = !answer || known === undefined;
    if (!answer || known === undefined) return;
    const text = answer.right ? texts.right : answer.right === false ? texts.wrong : texts.known;
    part.textContent = fill(text, { known });
    part.dataset.right = String(answer.right);
  }

  /** @param {Overrides | undefined} overrides @param {boolean} outside */
  function showOverrides(overrides, outside) {
    parts.handCard.hidden = !overrides;
    if (!overrides) return;
    parts.protected.textContent = whole(overrides.protected);
    parts.removed.textContent = whole(overrides.removed);
    parts.handVerdict.textContent = overrides.same ? ticked(texts.handSame, outside) : texts.handOther;
  }

  watch("value", show);
  show();
}

/**
 * The answers of a record, by the run.
 *
 * @param {AnswersRecord | null} record
 */
function saidIn(record) {
  const sides = /** @type {const} */ (["dense", "aim", "hand"]).filter((side) => record?.[side]);
  return Object.fromEntries(sides.map((side) => [side, record?.[side]?.words.map(([, word]) => word).join(" ") ?? ""]));
}
