// @ts-check
// Chart: visual tokens that enter each layer, a line for each run.

import { draw, whole } from "../common.js";

/** @import { Run } from "./compare.js" */

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [900, 240, 56, 12, 12, 28];

/**
 * The lines as SVG; the one of `on` stands out, and `point` hears of the one under the pointer.
 *
 * @param {Run[]} runs
 * @param {string | null} on
 * @param {(name: string | null) => void} point
 * @param {string} name of the chart
 */
export function chart(runs, on, point, name) {
  const layers = runs[0].counts.length;
  const most = Math.max(...runs.flatMap(({ counts }) => counts), 1);
  const x = (/** @type {number} */ layer) => LEFT + ((WIDTH - LEFT - RIGHT) * layer) / layers;
  const y = (/** @type {number} */ count) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - count / most);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name });
  for (const count of [0, most]) {
    svg.append(draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(count), y2: y(count), class: "rule" }));
    svg.append(draw("text", { x: LEFT - 8, y: y(count) + 4, "text-anchor": "end" }, whole(count)));
  }
  for (let layer = 0; layer < layers; layer += Math.ceil(layers / 14))
    svg.append(
      draw("text", { x: (x(layer) + x(layer + 1)) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, String(layer)),
    );
  const last = (/** @type {Run} */ { name }) => Number(name === "aim") + 2 * Number(name === on); // drawn over the others
  for (const run of [...runs].sort((one, other) => last(one) - last(other))) {
    const steps = run.counts.map((count, layer) => `H${x(layer)}V${y(count)}H${x(layer + 1)}`).join("");
    const path = { d: `M${x(0)},${y(run.counts[0])}${steps}` };
    const hit = draw("path", { ...path, class: "hit" });
    hit.addEventListener("pointerenter", () => point(run.name));
    hit.addEventListener("pointerleave", () => point(null));
    svg.append(draw("path", { ...path, "data-name": run.name, "data-on": String(run.name === on) }), hit);
  }
  return svg;
}
