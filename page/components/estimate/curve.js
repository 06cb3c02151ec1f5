// @ts-check
// Curve: visual tokens entering each layer, dense as a dashed line, AIM as filled steps; and where its corners lie.

import { draw, whole } from "../common.js";

const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [176, 44, 8, 26, 38]; // of the chart and its margins, with room for handles

/** Places of layers and token counts on a chart of `width` pixels, and back. */
export class Plot {
  /**
   * @param {number} width
   * @param {number} layers
   * @param {number} most tokens
   */
  constructor(width, layers, most) {
    this.width = width;
    this.layers = layers;
    this.most = most;
  }

  /** @param {number} layer its left side */
  x(layer) {
    return LEFT + ((this.width - LEFT - RIGHT) * layer) / this.layers;
  }

  /** @param {number} count */
  y(count) {
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - count / this.most);
  }

  /** @param {number} x the layer whose left side is nearest */
  layerAt(x) {
    return Math.round(((x - LEFT) / (this.width - LEFT - RIGHT)) * this.layers);
  }

  /** @param {number} y share of the most tokens */
  shareAt(y) {
    return 1 - (y - TOP) / (HEIGHT - TOP - BOTTOM);
  }
}

/**
 * The chart, as SVG.
 *
 * @param {Plot} plot
 * @param {string} name
 * @param {number[]} dense
 * @param {number[]} aim
 */
export function curve(plot, name, dense, aim) {
  const svg = draw("svg", { viewBox: `0 0 ${plot.width} ${HEIGHT}`, role: "img" });
  svg.setAttribute("aria-label", `${name} ${aim.map((n, layer) => `${layer}: ${whole(n)}`).join(", ")}`);
  for (const count of [0, dense[0]]) {
    const level = { x1: LEFT, x2: plot.width - RIGHT, y1: plot.y(count), y2: plot.y(count) };
    svg.append(draw("line", { ...level, class: count ? "dense" : "rule" }));
    svg.append(draw("text", { x: LEFT - 8, y: plot.y(count) + 4, class: "end" }, whole(count)));
  }
  const steps = aim.map((n, layer) => `H${plot.x(layer)}V${plot.y(n)}H${plot.x(layer + 1)}`).join("");
  svg.append(draw("path", { d: `M${plot.x(0)},${plot.y(0)}${steps}V${plot.y(0)}Z`, class: "fill" }));
  svg.append(draw("path", { d: `M${plot.x(0)},${plot.y(aim[0])}${steps}`, class: "line" }));
  if (aim[0] < 0.86 * dense[0] && aim[0] > 0.14 * dense[0])
    svg.append(draw("text", { x: LEFT - 8, y: plot.y(aim[0]) + 4, class: "end strong" }, whole(aim[0])));
  const every = Math.ceil(aim.length / 12);
  for (let layer = 0; layer < aim.length; layer += every)
    svg.append(
      draw("text", { x: (plot.x(layer) + plot.x(layer + 1)) / 2, y: plot.y(0) + 15, class: "mid" }, String(layer)),
    );
  return svg;
}
