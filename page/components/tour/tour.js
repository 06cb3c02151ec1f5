// @ts-check
// Tour: one step of the story at a time: it asks for a prediction, waits for the run and tells what was measured.

import { addressOf } from "../../address.js";
import { fill, fillTexts, inPageLanguage, make, partsOf, removalOf } from "../common.js";
import { cameOut, isRunOf, revealed, tourValues } from "./steps.js";

/** @import { Mount } from "../common.js" */
/** @import { Measured, Step, StepTexts, VerdictTexts } from "./steps.js" */

/** @typedef {"at" | "stepName" | "running" | "failed"} TextName */
/** @typedef {StepTexts & Record<"title" | "text" | "ask", string>} CardTexts */
/** @typedef {VerdictTexts & Record<TextName, string> & {steps: CardTexts[]}} TourTexts */
/** @typedef {"card" | "at" | "dots" | "title" | "text" | "question" | "ask" | "choices" | "found"} PartName */
/** @typedef {Record<PartName, HTMLElement> & Record<"back" | "next", HTMLButtonElement> & Record<"finish" | "open", HTMLAnchorElement>} TourParts */
/**
 * @typedef {object} TourProps
 * @property {Measured | {failed: number} | null} value the last run, or when one failed
 * @property {(Step & {link: string})[]} steps
 * @property {string} question that all steps ask
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
  parts.question.textContent = props.question;
  parts.finish.href = addressOf("");
  const dots = steps.map((_, i) => {
    const href = `${location.pathname}${location.search}#step=${i + 1}`; // the page has a base
    const link = make("a", { href }, String(i + 1));
    link.setAttribute("aria-label", fill(texts.stepName, { at: i + 1, title: texts.steps[i].title }));
    return link;
  });
  parts.dots.append(...dots.map((dot) => make("li", {}, dot)));

  /** Show a step from its beginning. @param {number} to */
  function go(to) {
    [at, waiting] = [to, false];
    const stepTexts = texts.steps[at];
    parts.at.textContent = fill(texts.at, { at: at + 1, of: steps.length });
    for (const [i, dot] of dots.entries()) {
      if (i === at) dot.setAttribute("aria-current", "step");
      else dot.removeAttribute("aria-current");
    }
    parts.title.textContent = stepTexts.title;
    parts.text.textContent = fill(stepTexts.text, tourValues(steps[at], null, texts));
    parts.ask.textContent = stepTexts.ask;
    parts.choices.replaceChildren(...stepTexts.choices.map(choice));
    parts.found.replaceChildren();
    parts.card.dataset.told = "false";
    parts.back.disabled = at === 0;
    parts.next.hidden = at === steps.length - 1;
    parts.finish.hidden = !parts.next.hidden;
    parts.open.href = `${addressOf("")}#${steps[at].link}`;
  }

  /** Go where the address says: to the first step if it says nothing. */
  function followAddress() {
    const step = Number(new URLSearchParams(location.hash.slice(1)).get("step"));
    go(Math.min(steps.length, Math.max(1, Math.floor(step) || 1)) - 1);
  }

  /** @param {number} to */
  function walk(to) {
    location.hash = `step=${to + 1}`;
    parts.title.focus({ preventScroll: true });
    parts.card.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} text @param {number} number */
  function choice(text, number) {
    const button = make("button", { type: "button", "aria-pressed": "false" }, text);
    button.addEventListener("click", () => predict(number));
    return button;
  }

  /** @param {number} number */
  function predict(number) {
    if (waiting) return;
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
    (parts.next.hidden ? parts.finish : parts.next).focus({ preventScroll: true });
    const { overlay, layer } = steps[at];
    document.dispatchEvent(new CustomEvent("aim-explore", { detail: { overlay, layer } }));
  }

  /** @param {string[]} lines */
  function tell(lines) {
    parts.found.replaceChildren(...lines.map((line) => make("p", {}, line)));
    parts.found.scrollIntoView({ block: "nearest" });
  }

  parts.back.addEventListener("click", () => walk(at - 1));
  parts.next.addEventListener("click", () => walk(at + 1));
  addEventListener("hashchange", followAddress, { signal: removalOf(element) });
  watch("value", hear);
  followAddress();
}
