// @ts-check
// Table: a line for each run, sorted by the column that was chosen.

import { fill, make, percent } from "../common.js";

/** @import { CompareTexts, MethodAbout, Row, Run } from "./compare.js" */

/** @typedef {"name" | "answer" | "kl" | "entering" | "mean" | "flops" | "kv" | "peak" | "ms"} Column */

/** @type {Column[]} */
const COLUMNS = ["name", "answer", "kl", "entering", "mean", "flops", "kv", "peak", "ms"];

export class Table {
  /**
   * @param {{head: HTMLElement, body: HTMLElement}} parts
   * @param {CompareTexts} texts
   * @param {(name: string | null) => void} point at a run
   */
  constructor(parts, texts, point) {
    this.parts = parts;
    this.texts = texts;
    this.point = point;
    /** @type {{by: Column | null, down: boolean}} */
    this.order = { by: null, down: false }; // null: as they came
    this.measure = ""; // the column that the budget is about
    this.hasPeak = false; // memory is measured on CUDA devices alone: elsewhere there is no such column
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<string, {made: string, line: HTMLElement}>} */
    this.lines = new Map(); // by name, and of what each was made
    this.heads = COLUMNS.map((column) => {
      const button = make("button", { type: "button" }, texts.columns[column]);
      button.title = texts.columnsHow[column];
      button.addEventListener("click", () => this.sort(column));
      const isNumber = column !== "name" && column !== "answer";
      return make("th", { scope: "col", "data-kind": isNumber ? "number" : "text" }, button);
    });
    parts.head.append(...this.heads);
  }

  /** @param {Column} column */
  sort(column) {
    const { by, down } = this.order;
    this.order = { by: column, down: by === column && !down };
    this.show(this.rows);
  }

  /** @param {Row[]} rows @param {string} measure the column that the budget is about */
  show(rows, measure = this.measure) {
    [this.rows, this.measure] = [rows, measure];
    this.hasPeak = rows.some((row) => isRun(row) && row.numbers.peak !== null);
    this.heads[COLUMNS.indexOf("peak")].hidden = !this.hasPeak;
    const { by, down } = this.order;
    for (const [i, head] of this.heads.entries())
      head.setAttribute("aria-sort", COLUMNS[i] !== by ? "none" : down ? "descending" : "ascending");
    const { body } = this.parts;
    const lines = sorted(rows, by, down).map((row) => this.lineOf(row));
    for (const [i, line] of lines.entries()) if (body.children[i] !== line) body.insertBefore(line, body.children[i]);
    while (body.children.length > lines.length) body.lastElementChild?.remove();
  }

  /**
   * The line that is there already if nothing changed, so that it keeps the focus and what is unfolded; one made anew
   * takes both over.
   *
   * @param {Row} row
   */
  lineOf(row) {
    const made = JSON.stringify([row, this.measure, this.hasPeak]);
    const old = this.lines.get(row.name);
    if (old?.made === made) return old.line;
    const line = this.line(row);
    this.lines.set(row.name, { made, line });
    if (old?.line.isConnected) {
      const focused = handles(old.line).indexOf(/** @type {HTMLElement} */ (document.activeElement));
      const unfolded = folds(old.line).map(({ open }) => open);
      for (const [i, fold] of folds(line).entries()) fold.open = unfolded[i] ?? false;
      old.line.replaceWith(line);
      handles(line)[focused]?.focus({ preventScroll: true });
    }
    return line;
  }

  /** @param {Row} row */
  line(row) {
    const name = row.paper ? make("a", { href: row.paper, target: "_blank", rel: "noreferrer" }, row.title) : row.title;
    const small = make("small", {}, row.settings);
    const line = make(
      "tr",
      { "data-name": row.name },
      make("th", { scope: "row" }, name, small, ...hint(this.texts.variant, row.variant)),
    );
    line.addEventListener("pointerenter", () => this.point(row.name));
    line.addEventListener("pointerleave", () => this.point(null));
    if (!isRun(row)) {
      line.append(make("td", { class: "cp-refused", colspan: COLUMNS.length - (this.hasPeak ? 1 : 2) }, row.refused));
      return line;
    }
    line.append(this.answer(row), this.firstToken(row));
    for (const column of /** @type {const} */ (["entering", "mean", "flops", "kv"])) {
      const detail = column === "flops" ? row.flops : column === "kv" ? row.kv : "";
      const cell = number(percentOf(row.numbers[column]), detail);
      if (column === this.measure) cell.append(...hint(this.texts.nearest, row.note));
      line.append(cell);
    }
    if (this.hasPeak) line.append(number(row.peak || "–"));
    line.append(row.ms === null ? number("–") : number(milliseconds(row.ms), (row.spread ?? []).map(digits).join("–")));
    return line;
  }

  /** @param {Run} row */
  answer({ words, right }) {
    const said = words.flatMap(([kind, word]) => [make("span", { "data-kind": kind }, word), " "]);
    const cell = make("td", { class: "cp-answer" }, ...said);
    if (right !== null) cell.append(right ? this.texts.right : this.texts.wrong);
    return cell;
  }

  /** @param {Run} row */
  firstToken({ numbers: { kl }, agrees, name }) {
    if (name === "dense") return number("–");
    return number(kl === null ? "∞" : fill(this.texts.nats, { kl: digits(kl) }), agrees ? "" : this.texts.otherFirst);
  }
}

/** @param {Row} row @returns {row is Run} */
export function isRun(row) {
  return row.refused === "";
}

/**
 * Runs by a column, those that were refused after them.
 *
 * @param {Row[]} rows
 * @param {Column | null} by
 * @param {boolean} down
 */
export function sorted(rows, by, down) {
  if (!by) return rows;
  const sign = down ? -1 : 1;
  return [...rows].sort((one, other) => {
    if (isRun(one) !== isRun(other)) return isRun(one) ? -1 : 1;
    const [a, b] = [valueIn(one, by), valueIn(other, by)];
    if (typeof a === "string" || typeof b === "string") return sign * String(a).localeCompare(String(b));
    return sign * (a - b) || 0;
  });
}

/** @param {Run | MethodAbout} row @param {Column} column */
function valueIn(row, column) {
  if (column === "name" || !isRun(row)) return row.title;
  if (column === "answer") return row.words.map(([, word]) => word).join(" ");
  if (column === "ms") return row.ms ?? Infinity;
  return row.numbers[column] ?? Infinity;
}

/** @param {HTMLElement} line @returns {HTMLElement[]} */
function handles(line) {
  return [...line.querySelectorAll("a, summary")].map((one) => /** @type {HTMLElement} */ (one));
}

/** @param {HTMLElement} line */
function folds(line) {
  return [...line.querySelectorAll("details")];
}

/** What unfolds to a sentence, if there is one. @param {string} name @param {string} sentence */
function hint(name, sentence) {
  return sentence ? [make("details", {}, make("summary", {}, name), make("p", {}, sentence))] : [];
}

/** @param {string} text @param {string} detail */
function number(text, detail = "") {
  return make("td", { "data-kind": "number" }, text, ...(detail ? [make("small", {}, detail)] : []));
}

/** @param {number | null} share */
function percentOf(share) {
  if (share === null) return "–";
  return share >= 0.0005 && share < 0.1 ? `${(100 * share).toFixed(1)} %` : percent(share);
}

/** @param {number} ms */
function milliseconds(ms) {
  return `${digits(ms)} ms`;
}

/** Two of them. @param {number} value */
function digits(value) {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
