// @ts-check
// Tour: a card above the page that asks, sets the page up, waits for the run and tells what was measured.

import { fill, fillTexts, inPageLanguage, make, partsOf } from "../common.js";
import { cameOut, isRunOf, revealed, tourValues } from "./steps.js";

/** @import { Mount } from "../common.js" */
/** @import { Measured, Step, StepTexts, VerdictTexts } from "./steps.js" */

/** @typedef {"name" | "at" | "next" | "finish" | "running" | "failed"} TextName */
/** @typedef {StepTexts & Record<"title" | "text" | "ask", string>} CardTexts */
/** @typedef {VerdictTexts & Record<TextName, string> & {steps: CardTexts[]}} TourTexts */
/** @typedef {"card" | "at" | "dots" | "title" | "text" | "ask" | "choices" | "found"} PartName */
/** @typedef {Record<PartName, HTMLElement> & Record<"start" | "close" | "back" | "next", HTMLButtonElement>} TourParts */
/**
 * @typedef {object} TourProps
 * @property {Measured | {failed: number} | null} value the last run, or when one failed
 * @property {Step[]} steps
 * @property {Record<"en" | "zh", TourTexts>} texts
 */

/** @param {Mount<TourProps>} mount */
export function start({ element, props, watch, trigger }) {
  /** @type {TourParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  const { steps } = props;
  let at = 0;
  let predicted = 0; // number of the choice taken in this step
  let waiting = false;

  fillTexts(element, texts);
  parts.card.setAttribute("aria-label", texts.name);
  parts.dots.append(...steps.map(() => make("i")));

  function open() {
    parts.card.showPopover();
    go(0);
  }

  function close() {
    waiting = false;
    parts.card.hidePopover();
    parts.start.focus();
  }

  /** Show a step from its beginning; past the last one the tour is over. @param {number} to */
  function go(to) {
    if (to >= steps.length) return close();
    [at, waiting] = [to, false];
    const stepTexts = texts.steps[at];
    parts.at.textContent = fill(texts.at, { at: at + 1, of: steps.length });
    for (const [i, dot] of [...parts.dots.children].entries()) dot.setAttribute("data-now", String(i === at));
    parts.title.textContent = stepTexts.title;
    parts.text.textContent = fill(stepTexts.text, tourValues(steps[at], null, texts));
    parts.ask.textContent = stepTexts.ask;
    parts.choices.replaceChildren(...stepTexts.choices.map(choice));
    parts.found.replaceChildren();
    parts.card.dataset.told = "false";
    parts.back.disabled = at === 0;
    parts.next.textContent = at === steps.length - 1 ? texts.finish : texts.next;
    parts.card.scrollTop = 0;
    parts.title.focus();
  }

  /** @param {string} text @param {number} number */
  function choice(text, number) {
    const button = make("button", { type: "button", "aria-pressed": "false" }, text);
    button.addEventListener("click", () => predict(number));
    return button;
  }

  /** @param {number} number */
  function predict(number) {
    [predicted, waiting] = [number, true];
    for (const [i, button] of choices().entries()) button.setAttribute("aria-pressed", String(i === number));
    tell([texts.running]);
    trigger("go", { step: at });
  }

  function choices() {
    return /** @type {HTMLButtonElement[]} */ ([...parts.choices.children]);
  }

  /** The run has come back: reveal it, if it is the one that was asked for. */
  function hear() {
    const measured = props.value;
    if (!waiting || !measured) return;
    if ("failed" in measured) return tell([texts.failed]);
    if (!isRunOf(steps[at], measured)) return;
    waiting = false;
    parts.card.dataset.told = "true";
    const came = cameOut(steps[at], measured);
    for (const [i, button] of choices().entries()) {
      button.disabled = true;
      button.dataset.came = String(i === came);
    }
    tell(revealed(steps[at], texts.steps[at], texts, predicted, measured));
    parts.next.focus();
    const { overlay, layer } = steps[at];
    document.dispatchEvent(new CustomEvent("aim-explore", { detail: { overlay, layer } }));
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const views = matchMedia("(max-width: 559px)").matches ? "#explorer canvas" : "#explorer";
    const place = document.querySelector(at === steps.length - 1 ? "#answers" : views);
    place?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  /** @param {string[]} lines */
  function tell(lines) {
    parts.found.replaceChildren(...lines.map((line) => make("p", {}, line)));
    parts.found.scrollIntoView({ block: "nearest" });
  }

  parts.start.addEventListener("click", open);
  parts.close.addEventListener("click", close);
  parts.back.addEventListener("click", () => go(at - 1));
  parts.next.addEventListener("click", () => go(at + 1));
  parts.card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  watch("value", hear);
}
