// @ts-check
// Sound history: what became of one audio token, as the history of a patch's token is told.

import { fill, make } from "../common.js";
import { spanOf } from "./sound_strip.js";
import { endOf, historyChart } from "./token_history.js";

/** @import { Sound } from "./sound.js" */
/** @import { StripTexts } from "./sound_strip.js" */
/** @import { State } from "./state.js" */
/** @import { HistoryTexts } from "./token_history.js" */

/** @typedef {Record<"soundBorn" | "soundMerged" | "soundNotMerged" | "soundChart" | "noScores", string>} OwnTexts */
/** @typedef {HistoryTexts & StripTexts & OwnTexts} SoundHistoryTexts */
/** @typedef {Record<"soundHistory" | "soundHistoryHint", HTMLElement>} SoundHistoryParts */

export class SoundHistory {
  /** @param {SoundHistoryParts} parts @param {SoundHistoryTexts} texts */
  constructor(parts, texts) {
    this.parts = parts;
    this.texts = texts;
  }

  /**
   * The history of the pinned token, or the hint how to pin one.
   *
   * @param {Sound | null} sound
   * @param {State} state
   */
  show(sound, { heardPinned, layer, scale }) {
    const { soundHistory, soundHistoryHint } = this.parts;
    soundHistoryHint.hidden = heardPinned !== null;
    soundHistory.replaceChildren();
    if (!sound || heardPinned === null) return;
    const events = soundEvents(sound, this.texts, heardPinned).map((event) => make("li", {}, event));
    const spot = { view: sound.chunk[heardPinned], patch: heardPinned };
    const chart = historyChart(sound, this.texts, spot, scale, layer);
    const note = sound.scored.length ? this.texts.soundChart : this.texts.noScores;
    soundHistory.append(make("ol", {}, ...events), chart, make("p", { class: "note" }, note));
  }
}

/**
 * @param {Sound} sound
 * @param {SoundHistoryTexts} texts
 * @param {number} token
 */
export function soundEvents(sound, texts, token) {
  const row = sound.row[token];
  const others = sound.members[row].length - 1;
  return [
    fill(texts.soundBorn, { span: spanOf(sound, texts, token) }),
    others ? fill(texts.soundMerged, { others }) : texts.soundNotMerged,
    endOf(sound, texts, row),
  ];
}
