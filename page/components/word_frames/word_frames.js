// @ts-check
// Words and frames: words of the answers as buttons; the chosen one shows its attention as bars over the views and, once
// that has been asked for, as heat on their patches.

import { fill, fillTexts, inPageLanguage, make, partsOf, percent, removalOf, useColours } from "../common.js";
import { nameOf, shortName } from "../explorer/view_names.js";
import { HeatControls } from "./heat_controls.js";
import { HeatStrip } from "./heat_strip.js";

/** @import { Mount, Palette, Side } from "../common.js" */
/** @import { KindTexts, NamedViews } from "../explorer/view_names.js" */
/** @import { HeatParts, HeatTexts } from "./heat_controls.js" */
/** @import { PatchesRecord } from "./patches.js" */

/** @typedef {[text: string, shares: number[], twins: (number | null)[]]} Word shares of attention on each view */

/**
 * `word_frames_record` of component.py.
 *
 * @typedef {object} WordFramesRecord
 * @property {NamedViews["views"]} views
 * @property {{side: Side, words: Word[]}[]} sides
 * @property {boolean} measured
 * @property {boolean} byPatch whether attention was recorded by patch too
 * @property {PatchesRecord | null} patches null until it was asked for
 */

/** @typedef {"caption" | "silent" | "empty" | "missing" | "none" | "total" | "most" | "onView"} TextName */
/** @typedef {Record<TextName | Side, string> & {names: KindTexts} & HeatTexts} WordFramesTexts */
/** @typedef {Record<"root" | "answers" | "strip" | "told", HTMLElement> & HeatParts} WordFramesParts */
/** @typedef {{side: number, word: number}} Spot places in the record's sides and their words */
/**
 * @typedef {object} WordFramesProps
 * @property {{pictures: {url: string}[], record: WordFramesRecord} | null} value
 * @property {Palette} palette
 * @property {Record<"en" | "zh", WordFramesTexts>} texts
 */

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

/** @param {Mount<WordFramesProps>} mount */
export function start({ element, props, watch, trigger }) {
  /** @type {WordFramesParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  /** @type {WordFramesRecord | null} */
  let run = null;
  /** @type {Spot | null} */
  let chosen = null;
  let shown = ""; // the run without its patches, and its pictures
  let isSeen = false;
  const strip = new HeatStrip(props.palette);
  const controls = new HeatControls(parts, texts, props.palette, showHeat);
  fillTexts(element, texts);
  useColours(parts.root, props.palette);

  function load() {
    run = props.value?.record ?? null;
    const urls = (props.value?.pictures ?? []).map(({ url }) => url);
    const now = JSON.stringify([run && { ...run, patches: null }, urls]);
    if (now !== shown) begin(urls);
    shown = now;
    strip.load(run?.patches ?? null);
    controls.load(run?.byPatch ?? false, run?.patches ?? null);
    show();
    ask();
  }

  /** @param {string[]} urls */
  function begin(urls) {
    parts.root.dataset.empty = String(!run);
    parts.answers.replaceChildren(...(run ? run.sides.map(answer) : []));
    const { sides, views } = run ?? { sides: [], views: [] };
    const nameOfCanvas = (/** @type {number} */ view, /** @type {Side} */ side) =>
      fill(texts.onView, { side: texts[side], frame: nameOf({ views }, texts, view) });
    if (run?.byPatch)
      strip
        .begin(
          urls,
          sides.map(({ side }) => side),
          nameOfCanvas,
        )
        .then(showHeat);
    parts.strip.replaceChildren(...urls.map(column));
    const first = run ? run.sides.findIndex((side) => side.words.length) : -1;
    chosen = first < 0 ? null : (kept() ?? { side: first, word: 0 });
  }

  /** Ask for what is drawn on the patches, once somebody sees the panel. */
  function ask() {
    if (isSeen && run?.byPatch && !run.patches) trigger("patches");
  }

  /** What was chosen, if the new run still has a word there. */
  function kept() {
    return chosen && run?.sides[chosen.side]?.words[chosen.word] ? chosen : null;
  }

  /** @param {WordFramesRecord["sides"][number]} side @param {number} place */
  function answer({ side, words }, place) {
    const chips = words.map(([text], word) => chip(text, { side: place, word }));
    const none = run?.measured ? texts.silent : "–"; // what was not recorded may have had words
    const row = make("div", { class: "wf-words" }, ...(chips.length ? chips : [none]));
    return make("div", { class: "wf-side", "data-side": side }, make("b", {}, texts[side]), row);
  }

  /** @param {string} text @param {Spot} spot */
  function chip(text, spot) {
    const button = make("button", { type: "button" }, text);
    for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, () => choose(spot));
    button.addEventListener("keydown", (event) => walk(event, spot));
    return button;
  }

  /** @param {Spot} spot */
  function choose(spot) {
    chosen = spot;
    show();
  }

  /** Left and right: the word beside; up and down: the same place of the other answer. */
  /** @param {KeyboardEvent} event @param {Spot} spot */
  function walk(event, { side, word }) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const there = run?.sides[side + step[0]];
    if (!there?.words.length) return;
    const next = Math.min(there.words.length - 1, Math.max(0, word + step[1]));
    buttons(side + step[0])[next].focus();
  }

  /** @param {number} side */
  function buttons(side) {
    return parts.answers.children[side].querySelectorAll("button");
  }

  /** @param {string} url @param {number} view */
  function column(url, view) {
    const { views, sides, byPatch } = /** @type {WordFramesRecord} */ (run);
    const image = () => make("img", { src: url, alt: nameOf({ views }, texts, view) });
    const bars = sides.map(({ side }) => make("i", { "data-side": side }));
    const frame = shortName({ views }, view);
    const { time } = views[view];
    const caption = time ? fill(texts.caption, { frame, time }) : frame;
    const above = make("div", { class: "wf-bars", "aria-hidden": "true" }, ...bars);
    const pictures = make("div", { class: "wf-views" }, ...(byPatch ? strip.canvases[view] : [image()]));
    return make("li", {}, make("small"), above, pictures, make("small", {}, caption));
  }

  /** The place of the chosen word in each run: its own, or that of the same word in the other answer; null for none. */
  function places() {
    if (!run || !chosen) return [];
    const { side: own, word } = chosen;
    const [, , twins] = run.sides[own].words[word];
    return run.sides.map((_, place) => (place === own ? word : twins[place]));
  }

  function showHeat() {
    if (!run?.byPatch) return;
    const found = strip.show(places(), controls.layer, controls.head);
    const { sides, views } = run;
    controls.tell(
      found,
      (side) => texts[sides[side].side],
      (view) => nameOf({ views }, texts, view),
    );
  }

  function show() {
    const now = places().map((word, side) => (word === null ? null : (run?.sides[side].words[word] ?? null)));
    const top = Math.max(1e-9, ...now.flatMap((word) => (word ? word[1] : [])));
    parts.told.replaceChildren(...told(now).flatMap((line) => [line, make("br")]));
    for (const [place, { words }] of (run?.sides ?? []).entries())
      for (const [i, button] of buttons(place).entries())
        button.setAttribute("aria-pressed", String(now[place] === words[i]));
    for (const [view, item] of [...parts.strip.children].entries()) {
      const shares = now.map((word) => (word ? word[1][view] : null));
      item.children[0].textContent = shares.map((share) => (share === null ? "–" : percent(share))).join(" · ");
      /** @type {NodeListOf<HTMLElement>} */
      const bars = item.querySelectorAll(".wf-bars i");
      for (const [side, bar] of bars.entries()) bar.style.height = `${(100 * (shares[side] ?? 0)) / top}%`;
    }
    showHeat();
  }

  /** @param {(Word | null)[]} now */
  function told(now) {
    if (!run) return [texts.empty];
    if (!run.measured) return [texts.missing];
    if (!chosen) return [texts.silent];
    const { sides, views } = run;
    return now.map((word, place) => sentence(word, texts[sides[place].side], views));
  }

  /** @param {Word | null} word @param {string} side @param {NamedViews["views"]} views */
  function sentence(word, side, views) {
    if (!word) return fill(texts.none, { side });
    const [text, shares] = word;
    const best = shares.indexOf(Math.max(...shares));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return [
      fill(texts.total, { side, share: percent(total), word: text }),
      fill(texts.most, { frame: nameOf({ views }, texts, best), share: percent(shares[best]) }),
    ].join(" ");
  }

  const watcher = new IntersectionObserver((entries) => {
    isSeen = entries.some(({ isIntersecting }) => isIntersecting);
    ask();
  });
  watcher.observe(parts.root);
  removalOf(element).addEventListener("abort", () => watcher.disconnect());
  watch("value", load);
  load();
}
