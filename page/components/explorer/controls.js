// @ts-check
// Controls: the choice of an overlay, its legend, the sliders with their play buttons, and the switches.

import { fill, make } from "../common.js";
import { KINDS } from "./overrides.js";
import { isTurned } from "./stage.js";
import { OVERLAYS, SCALES, SCORERS, START } from "./state.js";
import { Stepper, stepsOf, stepTo } from "./stepper.js";

/** @import { Palette } from "../common.js" */
/** @import { Run, View } from "./run.js" */
/** @import { Overlay, Scale, Scorer, State, Tool } from "./state.js" */
/** @import { StepName, StepParts, StepTexts } from "./stepper.js" */

/** @typedef {"layer" | "view" | "step"} Playable */
/** @typedef {"merged" | "alive" | "gone" | "dropped" | "early" | "late"} LegendName */
/** @typedef {Record<LegendName, string> & Record<Scale, [low: string, high: string]>} LegendTexts */
/**
 * @typedef {object} ControlTables
 * @property {Record<Overlay, string>} overlays
 * @property {Record<Scale, string>} scales
 * @property {Record<Scorer, string>} scorers
 * @property {Record<Scorer, string>} scorerNotes
 * @property {Record<"all" | "one", string>} zooms
 * @property {Record<Tool, string>} tools
 * @property {Record<Overlay, string>} notes
 * @property {Record<StepName, [before: string, then: string]>} stepNotes
 * @property {LegendTexts} legend
 */
/** @typedef {StepTexts & ControlTables & Record<"nearest" | "noLater" | "noScores" | "ofLayers" | "seen" | "squeezed" | "notSeen" | "inFrame" | "byPlace", string>} ControlTexts */
/** @typedef {"overlays" | "scales" | "zooms" | "tools" | "overlayNote" | "legend" | "wipes" | "scorers" | "turns" | "layerValue" | "viewValue"} PartName */
/** @typedef {Record<"layer" | "view" | "wipe", HTMLInputElement> & Record<`${Playable}Play` | "viewBack" | "viewNext" | "viewsAll", HTMLButtonElement>} PlayParts */
/** @typedef {StepParts & PlayParts & Record<PartName, HTMLElement> & {scorer: HTMLSelectElement}} ControlParts */

const LAYERED = ["alive", "scores"]; // overlays that the layer changes
/** @type {readonly Tool[]} */
const TOOLS = ["look", ...KINDS];
const BEAT = { layer: 650, view: 450, step: 900 }; // ms a step while playing
const PLAYABLE = /** @type {Playable[]} */ (Object.keys(BEAT));

export class Controls {
  /**
   * @param {ControlParts} parts
   * @param {ControlTexts} texts
   * @param {Palette} palette
   * @param {(change: Partial<State>) => void} set
   */
  constructor(parts, texts, palette, set) {
    this.parts = parts;
    this.texts = texts;
    this.palette = palette;
    this.set = set;
    /** @type {Run | null} */
    this.run = null;
    this.state = START;
    /** @type {{name: Playable, timer: number} | null} */
    this.playing = null;
    this.overlays = choice(parts.overlays, OVERLAYS, texts.overlays, (overlay) => set({ overlay }));
    this.scales = choice(parts.scales, SCALES, texts.scales, (scale) => set({ scale }));
    this.zooms = choice(parts.zooms, ["all", "one"], texts.zooms, (zoom) => set({ zoom: zoom === "one" }));
    this.tools = choice(parts.tools, TOOLS, texts.tools, (tool) => set({ tool }));
    this.stepper = new Stepper(parts, texts, set, (value) => this.stepTo(value));
    for (const scorer of SCORERS) parts.scorer.append(make("option", { value: scorer }, texts.scorers[scorer]));
    parts.scorer.addEventListener("change", () => set({ scorer: /** @type {Scorer} */ (parts.scorer.value) }));
    parts.wipe.addEventListener("input", () => set({ wipe: Number(parts.wipe.value) / 100 }));
    for (const name of /** @type {const} */ (["layer", "view"]))
      parts[name].addEventListener("input", () => {
        this.stop();
        set({ [name]: Number(parts[name].value) });
      });
    parts.viewBack.addEventListener("click", () => this.turn(-1));
    parts.viewNext.addEventListener("click", () => this.turn(1));
    parts.viewsAll.addEventListener("click", () => set({ zoom: false }));
    for (const name of PLAYABLE) this.playButton(name).addEventListener("click", () => this.play(name));
  }

  /** @param {Playable} name */
  playButton(name) {
    return this.parts[/** @type {const} */ (`${name}Play`)];
  }

  /** To the view before or after. @param {number} step */
  turn(step) {
    this.stop();
    this.set({ view: this.state.view + step });
  }

  /**
   * A round or an iteration, chosen by hand.
   *
   * @param {number} value
   */
  stepTo(value) {
    const steps = stepsOf(this.run, this.state);
    this.stop();
    if (steps) this.set(stepTo(steps, value));
  }

  /** @param {number} step */
  stepBy(step) {
    const steps = stepsOf(this.run, this.state);
    if (steps) this.stepTo(steps.value + step);
  }

  /**
   * Step through layers, views, rounds or iterations until stopped.
   *
   * @param {Playable} name
   * @param {() => void} [end] with it, they are gone through once, and then it is called
   */
  play(name, end) {
    if (this.playing) {
      const same = this.playing.name === name;
      this.stop();
      if (same) return;
    }
    if (!this.run) return;
    const timer = window.setInterval(() => this.step(name, end), BEAT[name]);
    this.playing = { name, timer };
    if (name === "layer" && !LAYERED.includes(this.state.overlay)) this.set({ overlay: "alive" });
    if (name === "view") this.set({ zoom: true });
    this.showPlaying();
  }

  /** @param {Playable} name @param {() => void} [end] */
  step(name, end) {
    if (!this.run) return this.stop();
    if (name === "step") return this.nextStep();
    const count = name === "layer" ? this.run.layers : this.run.numViews;
    if (end && this.state[name] === count - 1) {
      this.stop();
      return end();
    }
    this.set({ [name]: (this.state[name] + 1) % count });
  }

  /** The next round or iteration; from the last to the first. */
  nextStep() {
    const steps = stepsOf(this.run, this.state);
    if (!steps) return this.stop();
    this.set(stepTo(steps, (steps.value + 1) % (steps.most + 1)));
  }

  stop() {
    clearInterval(this.playing?.timer);
    this.playing = null;
    this.showPlaying();
  }

  /** Show on the buttons what is playing. */
  showPlaying() {
    for (const name of PLAYABLE) {
      const on = String(this.playing?.name === name);
      this.playButton(name).dataset.on = on;
      this.playButton(name).setAttribute("aria-pressed", on);
    }
  }

  /**
   * Bring every control in line with the state.
   *
   * @param {Run | null} run
   * @param {State} state
   */
  show(run, state) {
    this.run = run;
    this.state = state;
    for (const input of this.overlays) input.checked = input.value === state.overlay;
    for (const input of this.scales) input.checked = input.value === state.scale;
    for (const input of this.zooms) input.checked = (input.value === "one") === state.zoom;
    for (const input of this.tools) input.checked = input.value === state.tool;
    this.parts.scales.dataset.used = String(state.overlay === "scores");
    this.parts.scorers.dataset.used = String(state.overlay === "scores" && run !== null && run.scores.size > 1);
    this.parts.scorer.value = run?.knownScorer(state.scorer) ?? state.scorer;
    this.parts.wipes.dataset.used = String(state.overlay === "groups");
    this.parts.wipe.value = String(100 * state.wipe);
    this.parts.wipe.disabled = !run;
    this.parts.turns.hidden = !run || !isTurned(run, state);
    this.parts.viewBack.disabled = state.view === 0;
    this.parts.viewNext.disabled = !run || state.view === run.numViews - 1;
    this.slide("layer", run ? run.layers - 1 : 0, state.layer, 0);
    this.slide("view", run ? run.numViews - 1 : 0, state.view, 1);
    this.parts.overlayNote.textContent = this.note(run, state);
    this.legend(run, state);
    this.stepper.show(run, state);
  }

  /**
   * @param {"layer" | "view"} name
   * @param {number} most
   * @param {number} value
   * @param {number} first what 0 is shown as
   */
  slide(name, most, value, first) {
    const input = this.parts[name];
    input.max = String(most);
    input.value = String(value);
    input.disabled = this.playButton(name).disabled = !this.run || most < 1;
    const sentence = name === "layer" ? this.texts.ofLayers : this.texts.of;
    const text = fill(sentence, { value: value + first, most: most + first });
    this.parts[/** @type {const} */ (`${name}Value`)].textContent = this.run ? text : "–";
    input.setAttribute("aria-valuetext", text);
  }

  /**
   * One sentence on what the overlay shows; where scores were not measured, which layer they are from.
   *
   * @param {Run | null} run
   * @param {State} state
   */
  note(run, state) {
    const { overlay, layer } = state;
    const { texts } = this;
    const steps = stepsOf(run, state);
    if (steps && steps.value < steps.most) return texts.stepNotes[steps.name][steps.value ? 1 : 0];
    if (overlay === "groups" && steps && state.links) return texts.stepNotes.round[1];
    if (run && overlay === "original") return this.seen(run.views[state.view]);
    if (!run || overlay !== "scores") return texts.notes[overlay];
    const measured = run.measured(layer);
    if (measured === null && run.lastScored < 0) return texts.noScores;
    if (measured === null) return fill(texts.noLater, { layer, next: run.lastScored + 1 });
    const scorer = run.knownScorer(state.scorer);
    const early = run.earlyOf(/** @type {number} */ (measured), scorer);
    const place = early === null ? "" : ` ${fill(texts.byPlace, { early: early.toFixed(2) })}`;
    if (measured !== layer) return fill(texts.nearest, { layer, measured }) + place;
    return state.scale === "frame" ? texts.inFrame : texts.scorerNotes[scorer] + place;
  }

  /**
   * In which size the model got a view, and out of which.
   *
   * @param {View} view
   */
  seen({ height, width, seen }) {
    if (!seen) return this.texts.notSeen;
    const isSqueezed = Math.abs(Math.log((seen[1] * height) / (seen[0] * width))) > 0.02;
    return fill(isSqueezed ? this.texts.squeezed : this.texts.seen, { width, height, wide: seen[1], high: seen[0] });
  }

  /** @param {Run | null} run @param {State} state */
  legend(run, { overlay, scale }) {
    const { legend } = this.parts;
    const key = JSON.stringify([overlay, scale, run?.largest, run?.layers]);
    if (legend.dataset.key === key) return;
    legend.dataset.key = key;
    legend.replaceChildren();
    const { merged, alive, gone, dropped, early, late, [scale]: ends } = this.texts.legend;
    if (overlay === "groups") this.swatches({ merged });
    if (overlay === "alive") this.swatches({ alive, gone, dropped });
    if (overlay === "scores") this.ramp(ends[0], ends[1]);
    if (overlay === "scores") this.swatches({ gone });
    if (overlay === "size") this.ramp("1", String(run?.largest ?? "…"));
    if (overlay === "lastLayer") this.ramp(early, late);
  }

  /** @param {Record<string, string>} texts by the kind of swatch */
  swatches(texts) {
    for (const [kind, text] of Object.entries(texts))
      this.parts.legend.append(make("span", { class: "tx-swatch", "data-kind": kind }), make("span", {}, text));
  }

  /** @param {string} low @param {string} high */
  ramp(low, high) {
    const bar = make("span", { class: "tx-ramp", "aria-hidden": "true" });
    const stops = this.palette.heat.filter((_, i) => i % 15 === 0);
    bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    this.parts.legend.append(make("span", {}, low), bar, make("span", {}, high));
  }
}

/**
 * Radio buttons that look like one bar; a group of real inputs, so keys and names come for free.
 *
 * @template {string} V
 * @param {HTMLElement} fieldset
 * @param {readonly V[]} values
 * @param {Record<V, string>} labels
 * @param {(value: V) => void} choose
 */
function choice(fieldset, values, labels, choose) {
  const group = `tx-${Math.random().toString(36).slice(2)}`;
  return values.map((value) => {
    const input = make("input", { type: "radio", name: group, value });
    input.addEventListener("change", () => choose(value));
    fieldset.append(make("label", { class: "tx-option" }, input, make("span", {}, labels[value])));
    return input;
  });
}
