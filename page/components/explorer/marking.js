// @ts-check
// Marking: what a click, a drag or a key does to the marks; each step can be taken back.

import { overridesWith } from "./overrides.js";
import { selectedSpots } from "./selection.js";

/** @import { Override } from "./overrides.js" */
/** @import { Run } from "./run.js" */
/** @import { Selection } from "./selection.js" */
/** @import { Spot, State } from "./state.js" */

export class Marking {
  /**
   * @param {() => Run | null} run the one that is shown
   * @param {State} state
   * @param {(change: Partial<State>) => void} set
   */
  constructor(run, state, set) {
    this.run = run;
    this.state = state;
    this.set = set;
  }

  /** Whether a click or a drag marks. */
  isOn() {
    return this.run() !== null && this.state.tool !== "look";
  }

  /**
   * Mark the group of a patch, or take its mark off.
   *
   * @param {Spot} spot
   */
  click(spot) {
    this.mark([spot]);
    this.set({ at: spot, view: spot.view, held: true });
  }

  /** @param {Selection} selection */
  select(selection) {
    const { view, to } = selection;
    this.set({ selection, at: { view, patch: to }, view, held: true });
  }

  /**
   * The rectangle from the patch that is read, one row or column larger or smaller.
   *
   * @param {number} down
   * @param {number} right
   */
  extend(down, right) {
    const run = this.run();
    const { selection, at } = this.state;
    const before = selection ?? { view: at?.view ?? this.state.view, from: at?.patch ?? 0, to: at?.patch ?? 0 };
    if (!run || !this.isOn()) return;
    const { rows, cols } = run.views[before.view];
    const row = Math.min(rows - 1, Math.max(0, Math.floor(before.to / cols) + down));
    const col = Math.min(cols - 1, Math.max(0, (before.to % cols) + right));
    this.select({ ...before, to: row * cols + col });
  }

  /** Mark what is selected, or take its marks off if all of it is marked. */
  markSelected() {
    const run = this.run();
    const { selection, through } = this.state;
    if (run && selection) this.mark(selectedSpots(run, selection, through));
    this.cancel();
  }

  cancel() {
    this.set({ selection: null });
  }

  /** @param {Spot[]} spots */
  mark(spots) {
    const run = this.run();
    const { tool, overrides } = this.state;
    if (run && tool !== "look") this.change(overridesWith(run, overrides, spots, tool));
  }

  clear() {
    this.change([]);
  }

  /** @param {Override[]} overrides */
  change(overrides) {
    const { past, overrides: before } = this.state;
    if (overrides !== before) this.set({ overrides, past: [...past, before], refused: "" });
  }

  undo() {
    const overrides = this.state.past.at(-1);
    if (overrides) this.set({ overrides, past: this.state.past.slice(0, -1), selection: null, refused: "" });
  }
}
