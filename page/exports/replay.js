// @ts-check
// Replay: starts the page's own panels with what was recorded; there is no server to ask.

import { speak } from "../language.js";

/** @import { Mount } from "../components/common.js" */

/**
 * The panels ask the browser which language to speak; here they speak that of the one who made the file.
 *
 * @param {((mount: Mount<any>) => void)[]} starts of the panels, in their order in the file
 */
export function replay(starts) {
  speak(document.documentElement.lang);
  for (const [at, start] of starts.entries()) {
    const [element, record] = [`panel-${at}`, `record-${at}`].map((id) => document.getElementById(id));
    if (element && record) start({ element, props: JSON.parse(record.textContent), watch() {}, trigger() {} });
  }
  document.getElementById("theme")?.addEventListener("click", () => document.body.classList.toggle("dark"));
  document.body.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
}
