// @ts-check
// Chart: each setting as a point, with its interval and the Pareto front, and the paper's points if they are wanted.

import { draw } from "../common.js";
import { front, logTicks, points, ticks } from "./axes.js";

/** @import { LabRow } from "./lab.js" */
/** @import { Cost, Point, Value } from "./axes.js" */

/** @typedef {{name: string, aim: boolean, named: boolean, flops: number, right: number}} Published `published` of published.py */
/** @typedef {{rows: LabRow[], cost: Cost, value: Value, isSure: boolean, on: string | null, published: Published[]}} Drawn */
/**
 * @typedef {object} ChartTexts
 * @property {string} name of the chart
 * @property {string} x
 * @property {string} y
 * @property {(row: LabRow) => string} said of a point
 * @property {(row: LabRow) => string} open address of a point
 */

const [LEFT, RIGHT, TOP, BOTTOM] = [58, 18, 26, 44];
const SHAPES = ["circle", "square", "triangle", "diamond", "cross"];
const [HIT, TOUCHED] = [13, 22]; // pixels around a point, for a pointer and for a finger

/**
 * @param {HTMLElement} part
 * @param {Drawn} drawn
 * @param {ChartTexts} words
 * @param {(name: string | null, isTouch?: boolean) => void} point hears of the one under the pointer or focus
 */
export function chart(part, { rows, cost, value, isSure, on, published }, words, point) {
  const width = Math.max(280, part.clientWidth || 640);
  const height = Math.round(Math.min(440, Math.max(300, width * 0.5)));
  const all = points(rows, cost, value);
  const outer = published.map(({ flops, right }) => ({ x: flops, y: right }));
  const [x, y] = [across([...all, ...outer], width), upright([...all, ...outer], value, height, isSure, rows)];
  const svg = draw("svg", {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "group",
    "aria-label": words.name,
  });
  svg.append(...grid(x, y, cost, value, width, height, words));
  const best = front(all, value);
  if (best.length) svg.append(draw("path", { d: stairs(best, x.at, y.at, width), class: "front" }));
  for (const one of published) svg.append(...hollow(one, x.at, y.at));
  const methods = methodsOf(rows);
  const hit = matchMedia("(pointer: coarse)").matches ? TOUCHED : HIT;
  const last = (/** @type {Point} */ { row }) =>
    Number(best.some((one) => one.row === row)) + 2 * Number(row.name === on);
  for (const own of [...all].sort((one, other) => last(one) - last(other))) {
    const { row } = own;
    const link = draw("a", { href: words.open(row), target: "_blank", rel: "noopener", "aria-label": words.said(row) });
    link.dataset.name = row.name;
    link.dataset.on = String(row.name === on);
    link.dataset.front = String(best.some((one) => one.row === row));
    const interval = row[value];
    if (isSure && Array.isArray(interval)) {
      const [, low, high] = interval;
      link.append(draw("line", { x1: x.at(own.x), x2: x.at(own.x), y1: y.at(low), y2: y.at(high), class: "interval" }));
    }
    link.append(mark(row.method, methods, x.at(own.x), y.at(own.y)));
    link.append(draw("circle", { cx: x.at(own.x), cy: y.at(own.y), r: hit, class: "hit" }));
    let isTouch = false;
    link.addEventListener("pointerdown", ({ pointerType }) => (isTouch = pointerType === "touch"));
    link.addEventListener("pointerenter", () => point(row.name));
    link.addEventListener("focus", () => point(row.name));
    link.addEventListener("click", (event) => {
      if (!isTouch) return;
      event.preventDefault(); // a finger reads first; the link is below the chart
      point(row.name);
    });
    svg.append(link);
  }
  const focused = part.contains(document.activeElement) ? document.activeElement?.getAttribute("data-name") : null;
  part.replaceChildren(svg);
  for (const link of focused ? svg.querySelectorAll("a") : [])
    if (link.getAttribute("data-name") === focused) link.focus({ preventScroll: true });
  return best.map(({ row }) => row.name);
}

/** In the order in which they come, the dense one first. @param {LabRow[]} rows */
export function methodsOf(rows) {
  return [...new Set(rows.map(({ method }) => method))];
}

/** A mark in the colour and shape of its method. @param {string} method @param {string[]} methods @param {number} x @param {number} y */
export function mark(method, methods, x, y) {
  const place = methods.indexOf(method);
  const kind = method === "dense" || method === "aim" ? method : String(place % 8);
  const shape = SHAPES[method === "aim" ? 0 : place % SHAPES.length];
  return draw("path", { d: outline(shape, x, y, method === "aim" ? 6.5 : 5.5), class: "mark", "data-kind": kind });
}

/** @param {string} shape @param {number} x @param {number} y @param {number} r */
function outline(shape, x, y, r) {
  if (shape === "square") return `M${x - r * 0.9},${y - r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}z`;
  if (shape === "triangle") return `M${x},${y - r * 1.2}l${r * 1.15},${r * 2}h${-r * 2.3}z`;
  if (shape === "diamond")
    return `M${x},${y - r * 1.3}l${r * 1.3},${r * 1.3}l${-r * 1.3},${r * 1.3}l${-r * 1.3},${-r * 1.3}z`;
  if (shape === "cross") {
    const a = r * 0.4;
    const b = r * 1.2 - a;
    return `M${x - a},${y - a}v${-b}h${2 * a}v${b}h${b}v${2 * a}h${-b}v${b}h${-2 * a}v${-b}h${-b}v${-2 * a}z`;
  }
  return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
}

/** @param {{x: number}[]} all @param {number} width */
function across(all, width) {
  const [least, most] = [Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x))];
  const [from, to] = all.length ? [least / 1.2, most * 1.2] : [0.1, 1];
  const at = (/** @type {number} */ x) => LEFT + ((width - LEFT - RIGHT) * Math.log(x / from)) / Math.log(to / from);
  return { at, from, to };
}

/** @param {{y: number}[]} all @param {Value} value @param {number} height @param {boolean} isSure @param {LabRow[]} rows */
function upright(all, value, height, isSure, rows) {
  const reach = isSure ? rows.flatMap((row) => (Array.isArray(row[value]) ? row[value] : [])) : [];
  const own = [...all.map(({ y }) => y), ...reach];
  const [least, most] = own.length ? [Math.min(...own), Math.max(...own)] : [0, 1];
  const pad = Math.max(0.04, (most - least) * 0.1);
  const isShare = value === "right" || value === "alike";
  const [from, to] =
    value === "kl" ? [most * 1.1 || 1, 0] : [Math.max(0, least - pad), isShare ? Math.min(1, most + pad) : most + pad];
  return { at: (/** @type {number} */ y) => TOP + ((height - TOP - BOTTOM) * (to - y)) / (to - from), from, to };
}

/** @typedef {{at: (value: number) => number, from: number, to: number}} Scale */

/** @param {Scale} x @param {Scale} y @param {Cost} cost @param {Value} value @param {number} width @param {number} height @param {ChartTexts} words */
function grid(x, y, cost, value, width, height, words) {
  const lines = [];
  const most = Math.floor((width - LEFT - RIGHT) / 46);
  const all = logTicks(x.from, x.to);
  for (const [i, tick] of all.entries()) {
    lines.push(draw("line", { x1: x.at(tick), x2: x.at(tick), y1: TOP, y2: height - BOTTOM, class: "rule" }));
    if (i % Math.ceil(all.length / most) === 0)
      lines.push(
        draw(
          "text",
          { x: x.at(tick), y: height - BOTTOM + 18, "text-anchor": "middle" },
          amount(tick, cost === "share"),
        ),
      );
  }
  for (const tick of ticks(Math.min(y.from, y.to), Math.max(y.from, y.to))) {
    lines.push(draw("line", { x1: LEFT, x2: width - RIGHT, y1: y.at(tick), y2: y.at(tick), class: "rule" }));
    lines.push(draw("text", { x: LEFT - 8, y: y.at(tick) + 4, "text-anchor": "end" }, amount(tick, value !== "kl")));
  }
  lines.push(draw("text", { x: LEFT - 46, y: 14, class: "axis" }, words.y));
  lines.push(draw("text", { x: width - RIGHT, y: height - 6, "text-anchor": "end", class: "axis" }, words.x));
  return lines;
}

/** @param {number} value @param {boolean} isShare */
function amount(value, isShare) {
  return isShare ? `${Number((100 * value).toPrecision(3))} %` : String(Number(value.toPrecision(3)));
}

/** @param {Point[]} best @param {(x: number) => number} x @param {(y: number) => number} y @param {number} width */
function stairs(best, x, y, width) {
  const steps = best.slice(1).map((own) => `H${x(own.x)}V${y(own.y)}`);
  return `M${x(best[0].x)},${y(best[0].y)}${steps.join("")}H${width - RIGHT}`;
}

/** A point of the paper. @param {Published} one @param {(x: number) => number} x @param {(y: number) => number} y */
function hollow({ name, aim, named, flops, right }, x, y) {
  const ring = draw("circle", {
    cx: x(flops),
    cy: y(right),
    r: named ? 6 : 4,
    class: "paper",
    "data-aim": String(aim),
  });
  ring.append(draw("title", {}, name));
  return named ? [ring, draw("text", { x: x(flops) + 10, y: y(right) + 4, class: "paper" }, name)] : [ring];
}
