// @ts-check
// Handles: the corners of the curve, dragged or moved by keys. They move the page's sliders, which move the curve.

import { fill, percent } from "../common.js";
import { moveSlider, sliderOf } from "../sliders.js";

/** @import { Plot } from "./curve.js" */
/** @import { Settings } from "./flops.js" */

/** @typedef {"keep_ratio" | "l1" | "l2"} HandleName */
/** @typedef {Record<HandleName, string>} HandleTexts what each says of its {value} */

/** @type {readonly HandleName[]} */
export const HANDLES = ["keep_ratio", "l1", "l2"];

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

export class Handles {
  /** @param {Record<HandleName, HTMLElement>} parts @param {HandleTexts} texts */
  constructor(parts, texts) {
    this.parts = parts;
    this.texts = texts;
    /** @type {Plot | null} */
    this.plot = null;
    for (const name of HANDLES) {
      const handle = parts[name];
      handle.addEventListener("pointerdown", (event) => this.grasp(name, event));
      handle.addEventListener("keydown", (event) => this.key(name, event));
    }
  }

  /**
   * Follow the pointer until it is released. Its capture does not work in every browser, so the window listens.
   *
   * @param {HandleName} name
   * @param {PointerEvent} event
   */
  grasp(name, event) {
    if (event.button !== 0) return;
    const handle = this.parts[name];
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault(); // no selection of text
    const end = new AbortController();
    const own = { signal: end.signal };
    const isSame = (/** @type {PointerEvent} */ other) => other.pointerId === event.pointerId;
    const follow = (/** @type {PointerEvent} */ moved) => {
      if (!isSame(moved)) return;
      if (moved.buttons) this.drag(name, moved);
      else end.abort(); // released outside the window
    };
    window.addEventListener("pointermove", follow, own);
    for (const last of /** @type {const} */ (["pointerup", "pointercancel"]))
      window.addEventListener(last, (ended) => isSame(ended) && end.abort(), own);
  }

  /** @param {HandleName} name @param {PointerEvent} event */
  drag(name, event) {
    const handle = this.parts[name];
    if (!this.plot) return;
    const box = /** @type {HTMLElement} */ (handle.parentElement).getBoundingClientRect();
    const layer = this.plot.layerAt(event.clientX - box.left);
    const values = { keep_ratio: this.plot.shareAt(event.clientY - box.top), l1: layer - 1, l2: layer };
    moveSlider(name, values[name]);
  }

  /** @param {HandleName} name @param {KeyboardEvent} event */
  key(name, event) {
    const slider = sliderOf(name);
    if (!slider) return;
    const ends = { Home: Number(slider.min), End: Number(slider.max) };
    const step = STEPS[event.key] * Number(slider.step);
    const value = ends[/** @type {"Home" | "End"} */ (event.key)] ?? Number(slider.value) + step;
    if (Number.isNaN(value)) return;
    event.preventDefault();
    moveSlider(name, value);
  }

  /**
   * Put each onto its corner.
   *
   * @param {Plot} plot
   * @param {Settings} settings
   * @param {number} merged tokens
   */
  show(plot, { keep_ratio, l1, l2 }, merged) {
    this.plot = plot;
    const inside = (/** @type {number} */ layer) => plot.x(Math.min(layer, plot.layers));
    const places = {
      keep_ratio: [plot.x(0), plot.y(merged)],
      l1: [inside(l1 + 1), plot.y(merged)],
      l2: [inside(l2), plot.y(0)],
    };
    const values = { keep_ratio, l1, l2 };
    for (const name of HANDLES) {
      const { style } = this.parts[name];
      [style.left, style.top] = places[name].map((at) => `${at}px`);
      this.say(name, values[name]);
    }
  }

  /** @param {HandleName} name @param {number} value */
  say(name, value) {
    const slider = sliderOf(name);
    const shown = name === "keep_ratio" ? percent(value) : String(value);
    const states = { now: value, min: slider?.min ?? 0, max: slider?.max ?? value };
    for (const [state, number] of Object.entries(states))
      this.parts[name].setAttribute(`aria-value${state}`, String(number));
    this.parts[name].setAttribute("aria-valuetext", fill(this.texts[name], { value: shown }));
  }
}
