// @ts-check
// Common: text, numbers and small drawings that every panel of the page needs. Text only ever goes in as text.

/**
 * What a panel's `start` gets.
 *
 * @template P
 * @typedef {object} Mount
 * @property {HTMLElement} element holds the panel's template
 * @property {P} props what never changes, and `value`, always the newest
 * @property {(name: string, changed: () => void) => void} watch calls after a prop has changed
 * @property {(event: string, detail?: object) => void} trigger sends an event to the server
 * @property {(file: File) => Promise<{path: string, url: string}>} [upload] sends a file to the server, if there is one
 */

/**
 * `browser_palette` of visual/palette.py.
 *
 * @typedef {Record<"alive" | "pruned" | "protected" | "line" | "vision" | "language", string>
 *   & Record<"heatOpacity" | "border" | "fade" | "fadeGrey", number> & { heat: string[] }} Palette
 */

/** @typedef {"dense" | "aim" | "hand"} Side one of the runs that are shown beside each other */

/**
 * A sentence with its {places} filled.
 *
 * @param {string} sentence
 * @param {Record<string, any>} values
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/**
 * A sentence that begins with a tick, without it where the answers mean nothing: being equal is no good news there.
 *
 * @param {string} sentence
 * @param {boolean} outside
 */
export function ticked(sentence, outside) {
  return outside ? sentence.replace(/^✓ /, "") : sentence;
}

/**
 * 1,234
 *
 * @param {number} number
 */
export function whole(number) {
  return Math.round(number).toLocaleString("en");
}

/**
 * 25 %, or "<1 %" and ">99 %" where rounding would say nothing or all is there.
 *
 * @param {number} share
 */
export function percent(share) {
  if (share < 1 && share >= 0.995) return ">99 %";
  return share > 0 && share < 0.005 ? "<1 %" : `${Math.round(100 * share)} %`;
}

/**
 * A new element; children are elements or texts, and attributes never hold markup.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * A new SVG element.
 *
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} attributes
 */
export function draw(tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text) node.textContent = text;
  return node;
}

/**
 * The elements marked data-part, by name.
 *
 * @template P
 * @param {HTMLElement} element
 * @returns {P}
 */
export function partsOf(element) {
  /** @type {NodeListOf<HTMLElement>} */
  const nodes = element.querySelectorAll("[data-part]");
  return /** @type {P} */ (Object.fromEntries([...nodes].map((node) => [node.dataset.part, node])));
}

/**
 * Give an element's style the colours of the palette that it uses.
 *
 * @param {HTMLElement} element
 * @param {Palette} palette
 */
export function useColours(element, { alive, pruned, language }) {
  element.style.setProperty("--alive", alive);
  element.style.setProperty("--pruned", pruned);
  element.style.setProperty("--language", language);
}

/**
 * Those of the page's language.
 *
 * @template T
 * @param {{en: T, zh: T}} texts
 */
export function inPageLanguage(texts) {
  return texts[/^zh\b/i.test(navigator.language) ? "zh" : "en"];
}

/**
 * Write the fixed texts: data-word becomes the text, data-name the accessible name.
 *
 * @param {HTMLElement} element
 * @param {Record<string, any>} texts
 */
export function fillTexts(element, texts) {
  /** @param {string} mark @returns {[HTMLElement, string][]} */
  const marked = (mark) =>
    [...element.querySelectorAll(`[data-${mark}]`)].map((node) => {
      const own = /** @type {HTMLElement} */ (node);
      return [own, texts[String(own.dataset[mark])]];
    });
  for (const [node, text] of marked("word")) node.textContent = text;
  for (const [node, text] of marked("name")) {
    node.setAttribute("aria-label", text);
    node.setAttribute("title", text);
  }
}

/**
 * Aborts once an element has left the page, for what it has asked of the page to end with it; Gradio makes components
 * again and tells no script.
 *
 * @param {HTMLElement} element
 * @returns {AbortSignal}
 */
export function removalOf(element) {
  const removal = new AbortController();
  const observer = new MutationObserver(() => {
    if (element.isConnected) return;
    observer.disconnect();
    removal.abort();
  });
  observer.observe(document, { childList: true, subtree: true });
  return removal.signal;
}

/**
 * Call when an element is resized, until the signal.
 *
 * @param {HTMLElement} element
 * @param {() => void} call
 * @param {AbortSignal} signal
 */
export function onResize(element, call, signal) {
  const observer = new ResizeObserver(call);
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * Call once per animation frame, however often it is asked for.
 *
 * @param {() => void} call
 */
export function oncePerFrame(call) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      call();
    });
  };
}
