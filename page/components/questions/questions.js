// @ts-check
// Questions: rows of video, question and answer; what is typed is the panel's value at once.

import { fill, fillTexts, inPageLanguage, make, partsOf } from "../common.js";

/** @import { Mount } from "../common.js" */

/** @typedef {[video: string, question: string, answer: string]} AskedRow */
/** @typedef {{rows: AskedRow[], videos: string[]}} QuestionsValue `questions_record` of component.py */
/** @typedef {Record<"video" | "question" | "answer" | "known" | "remove" | "count", string>} QuestionsTexts */
/** @typedef {Record<"rows" | "empty" | "count", HTMLElement> & {add: HTMLButtonElement}} QuestionsParts */

/** @param {Mount<{value: QuestionsValue | null, texts: Record<"en" | "zh", QuestionsTexts>}>} mount */
export function start({ element, props, watch, trigger }) {
  /** @type {QuestionsParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);
  let shown = "";

  const value = () => props.value || { rows: [], videos: [] };

  /** @param {AskedRow[]} rows */
  function set(rows) {
    const next = { ...value(), rows };
    shown = JSON.stringify(next);
    props.value = next;
    trigger("edited");
    tell();
  }

  /** @param {number} at @param {number} column @param {string} text */
  const write = (at, column, text) => set(value().rows.map((row, i) => (i === at ? changed(row, column, text) : row)));

  function tell() {
    const { rows, videos } = value();
    parts.empty.hidden = rows.length > 0;
    parts.add.disabled = videos.length === 0;
    parts.count.textContent = fill(texts.count, {
      rows: rows.length,
      videos: new Set(rows.map(([name]) => name)).size,
    });
  }

  function draw() {
    const { rows, videos } = value();
    parts.rows.replaceChildren(...rows.map((row, at) => line(row, at, videos)));
    tell();
  }

  /** @param {AskedRow} row @param {number} at @param {string[]} videos */
  function line([video, question, answer], at, videos) {
    const place = { place: at + 1 };
    const chosen = make("select", { "aria-label": fill(texts.video, place) });
    chosen.append(...videos.map((name) => make("option", { value: name }, name)));
    chosen.value = video;
    chosen.addEventListener("change", () => write(at, 0, chosen.value));
    const asked = box(question, fill(texts.question, place), "?");
    asked.addEventListener("input", () => write(at, 1, asked.value));
    const known = box(answer, fill(texts.answer, place), texts.known);
    known.addEventListener("input", () => write(at, 2, known.value));
    const remove = make("button", { type: "button", "aria-label": fill(texts.remove, place) }, "×");
    remove.addEventListener("click", () => {
      set(value().rows.filter((_, i) => i !== at));
      draw();
      const next = parts.rows.querySelectorAll("button")[Math.min(at, value().rows.length - 1)];
      (next || parts.add).focus();
    });
    return make("li", {}, chosen, remove, asked, known);
  }

  parts.add.addEventListener("click", () => {
    const { rows, videos } = value();
    set([...rows, [rows.at(-1)?.[0] ?? videos[0], "", ""]]);
    draw();
    const boxes = parts.rows.querySelectorAll("li:last-child input");
    /** @type {HTMLInputElement} */ (boxes[0]).focus();
  });
  watch("value", () => JSON.stringify(value()) !== shown && draw());
  draw();
}

/** @param {AskedRow} row @param {number} column @param {string} text @returns {AskedRow} */
function changed([...row], column, text) {
  row[column] = text;
  return row;
}

/** @param {string} text @param {string} name @param {string} hint */
function box(text, name, hint) {
  const input = make("input", { type: "text", "aria-label": name, placeholder: hint });
  input.value = text;
  return input;
}
