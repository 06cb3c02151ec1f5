// @ts-check
// Drag: a rectangle drawn over one view by mouse, pen or finger, from the press to the release.

/** @import { Selection } from "./selection.js" */
/** @import { Spot } from "./state.js" */

/**
 * @typedef {object} DragEvents
 * @property {(event: PointerEvent) => Spot | null} start the patch that a drag may begin at
 * @property {(view: number, event: PointerEvent) => number} nearest the patch of a view that is closest to the pointer
 * @property {(selection: Selection) => void} select
 * @property {() => void} mark
 * @property {() => void} cancel
 */

export class Drag {
  /** @param {HTMLCanvasElement} canvas @param {DragEvents} on */
  constructor(canvas, on) {
    this.canvas = canvas;
    this.on = on;
    this.isOn = false; // from the press on
    this.wasDragged = false; // a click that follows is the end of a drag
    canvas.addEventListener("pointerdown", (event) => this.press(event));
  }

  /**
   * Follow the pointer until it is released. Its capture does not work in every browser, so the window listens.
   *
   * @param {PointerEvent} event
   */
  press(event) {
    if (!event.isPrimary) return;
    this.wasDragged = false;
    const start = event.button === 0 ? this.on.start(event) : null;
    if (!start) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    event.preventDefault(); // no selection of text
    const over = new AbortController();
    const own = { signal: over.signal, capture: true };
    const end = (/** @type {() => void} */ then) => {
      over.abort();
      this.isOn = false;
      if (this.wasDragged) then();
    };
    const isSame = (/** @type {PointerEvent} */ other) => other.pointerId === event.pointerId;
    this.isOn = true;
    window.addEventListener("pointermove", (moved) => isSame(moved) && this.move(start, moved, end), own);
    window.addEventListener("pointerup", (ended) => isSame(ended) && end(this.on.mark), own);
    window.addEventListener("pointercancel", (ended) => isSame(ended) && end(this.on.cancel), own);
    window.addEventListener("keydown", (pressed) => this.key(pressed, end), own);
  }

  /**
   * A press that never leaves its patch stays a click.
   *
   * @param {Spot} start
   * @param {PointerEvent} event
   * @param {(then: () => void) => void} end
   */
  move({ view, patch }, event, end) {
    if (!event.buttons) return end(this.on.cancel); // released outside the window
    const to = this.on.nearest(view, event);
    this.wasDragged ||= to !== patch;
    if (this.wasDragged) this.on.select({ view, from: patch, to });
  }

  /** @param {KeyboardEvent} event @param {(then: () => void) => void} end */
  key(event, end) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.wasDragged = true; // neither is the release a click
    end(this.on.cancel);
  }
}
