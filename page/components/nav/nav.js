// @ts-check
// Nav: links to the pages of the app, in the language of this one.

import { addressOf } from "../../address.js";
import { fillTexts, inPageLanguage, make, partsOf } from "../common.js";

/** @import { Mount } from "../common.js" */

/** @typedef {"explore" | "explain" | "compare" | "lab"} PageName */
/** @typedef {{name: string, pages: Record<PageName, string>}} NavTexts */
/** @typedef {Record<"root" | "pages", HTMLElement> & {title: HTMLAnchorElement}} NavParts */

/** @param {Mount<{texts: Record<"en" | "zh", NavTexts>, here: PageName, pages: Record<PageName, string>}>} mount */
export function start({ element, props }) {
  /** @type {NavParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);
  parts.title.href = addressOf("");
  for (const [name, path] of /** @type {[PageName, string][]} */ (Object.entries(props.pages))) {
    const link = make("a", { href: addressOf(path) }, texts.pages[name]);
    if (name === props.here) link.setAttribute("aria-current", "page");
    parts.pages.append(make("li", {}, link));
  }
}
