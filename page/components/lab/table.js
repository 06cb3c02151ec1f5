// @ts-check
// Table: a line for each setting, sorted by any column.

import { make } from "../common.js";
import { valueIn } from "./axes.js";

/** @import { LabRow } from "./lab.js" */
/** @typedef {"name" | "n" | "right" | "alike" | "kl" | "share" | "ms" | "kv"} Column */
/** @typedef {Record<"head" | "body", HTMLElement>} TableParts */

export class Table {
  /**
   * @param {TableParts} parts
   * @param {Record<Column, string>} columns
   * @param {(row: LabRow) => string} open address of a setting
   * @param {(name: string | null) => void} point
   */
  constructor(parts, columns, open, point) {
    this.parts = parts;
    this.open = open;
    this.point = point;
    /** @type {Column} */
    this.by = "share";
    this.isDown = false;
    /** @type {LabRow[]} */
    this.rows = [];
    /** @type {string[]} */
    this.best = [];
    for (const [name, title] of /** @type {[Column, string][]} */ (Object.entries(columns))) {
      const button = make("button", { type: "button" }, title);
      button.addEventListener("click", () => this.sort(name));
      this.parts.head.append(make("th", { scope: "col", "data-column": name }, button));
    }
  }

  /** @param {Column} column */
  sort(column) {
    this.isDown = this.by === column && !this.isDown;
    this.by = column;
    this.draw();
  }

  /** @param {LabRow[]} rows @param {string[]} best names of those on the front */
  show(rows, best) {
    [this.rows, this.best] = [rows, best];
    this.draw();
  }

  draw() {
    for (const head of this.parts.head.children) {
      const isBy = head.getAttribute("data-column") === this.by;
      head.setAttribute("aria-sort", isBy ? (this.isDown ? "descending" : "ascending") : "none");
      /** @type {HTMLElement} */ (head).hidden = head.getAttribute("data-column") === "right" && !this.isKnown;
    }
    const sign = this.isDown ? -1 : 1;
    const ordered = [...this.rows].sort((one, other) => sign * order(cellOf(one, this.by), cellOf(other, this.by)));
    const focused = this.parts.body.contains(document.activeElement)
      ? document.activeElement?.closest("tr")?.dataset.name
      : undefined;
    this.parts.body.replaceChildren(...ordered.map((row) => this.line(row)));
    for (const line of focused ? this.parts.body.querySelectorAll("tr") : [])
      if (line.dataset.name === focused) line.querySelector("a")?.focus({ preventScroll: true });
  }

  get isKnown() {
    return this.rows.some(({ right }) => right !== null);
  }

  /** @param {LabRow} row */
  line(row) {
    const link = make("a", { href: this.open(row), target: "_blank", rel: "noopener" }, row.title);
    const small = make("small", {}, row.said);
    const star = this.best.includes(row.name) ? ["★ "] : [];
    const cells = [
      number(row.refused ? `${row.n} (−${row.refused})` : String(row.n)),
      ...(this.isKnown ? [number(inPercent(row.right), inSpan(row.right, row.sure))] : []),
      number(inPercent(row.alike), inSpan(row.alike, row.sure)),
      number(row.kl.toPrecision(2)),
      number(row.share === null ? "–" : `${Number((100 * row.share).toPrecision(3))} %`, row.flopsSaid),
      number(`${Number(row.ms.toPrecision(3))} ms`),
      number(row.kvSaid),
    ];
    const line = make("tr", { "data-name": row.name }, make("th", { scope: "row" }, ...star, link, small), ...cells);
    line.addEventListener("pointerenter", () => this.point(row.name));
    link.addEventListener("focus", () => this.point(row.name));
    return line;
  }
}

/** @param {LabRow} row @param {Column} column */
function cellOf(row, column) {
  if (column === "name") return row.name;
  return (column === "right" || column === "alike" ? valueIn(row, column) : row[column]) ?? Infinity;
}

/** @param {string | number} one @param {string | number} other */
function order(one, other) {
  return typeof one === "string" ? one.localeCompare(String(other)) : one - Number(other);
}

/** @param {[number, number, number] | null} interval */
export function inPercent(interval) {
  return interval ? `${(100 * interval[0]).toFixed(1)} %` : "–";
}

/** @param {[number, number, number] | null} interval @param {boolean} isSure */
export function inSpan(interval, isSure) {
  return interval && isSure ? `${(100 * interval[1]).toFixed(1)}–${(100 * interval[2]).toFixed(1)}` : "";
}

/** @param {string} text @param {string} detail */
function number(text, detail = "") {
  return make("td", {}, text, ...(detail ? [make("small", {}, detail)] : []));
}
