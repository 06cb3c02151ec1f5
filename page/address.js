// @ts-check
// Address: a link holds, behind its "#", which no request carries, the settings and what the explorer shows of them.

import { now } from "./components/now.js";

/** What a link to this page sets; one that is followed from the page itself opens it anew. */
export function linked() {
  addEventListener("hashchange", () => location.reload(), { once: true });
  return behindHash();
}

let isRefused = false; // by the clipboard, the last time

/**
 * A link to settings and to what the explorer shows, and "" if it is in the clipboard, else "refused".
 *
 * @param {string} settings
 */
export async function linkTo(settings) {
  const look = new URLSearchParams(now.look).toString();
  const link = `${location.origin}${addressOf("")}#${[settings, look].filter(Boolean).join("&")}`;
  const copying = navigator.clipboard?.writeText(link) ?? Promise.reject();
  isRefused = await copying.then(
    () => false,
    () => true,
  );
  return [link, isRefused ? "refused" : ""];
}

/** A link that the browser would not copy is ready to be copied by hand. */
export function selectRefused() {
  /** @type {HTMLTextAreaElement | null} */
  const field = document.querySelector("#link textarea");
  if (isRefused) field?.select();
}

/**
 * Once the page is set up: play the opening example, or run what a link shows a run of.
 *
 * @param {object | null} shown value of the explorer
 */
export function begin(shown) {
  document.dispatchEvent(new CustomEvent("aim-begin"));
  if (!shown && new URLSearchParams(behindHash()).has("overlay")) document.getElementById("run")?.click();
}

/**
 * The address from now on: what a comparison was asked, behind its "#"; as a link that is shown.
 *
 * @param {string} settings
 */
export function standsIn(settings) {
  history.replaceState(null, "", `${location.pathname}${location.search}#${settings}`);
  return location.href;
}

/**
 * Once the page that compares is set up: compare what a link asks of a sample.
 *
 * @param {object | null} video
 * @param {object | null} image
 * @param {string} question
 */
export function beginCompared(video, image, question) {
  if ((video || image) && question && new URLSearchParams(behindHash()).has("sample"))
    document.getElementById("run")?.click();
}

/**
 * Of a page of the app, beside this one wherever a proxy puts them; the language goes along.
 *
 * @param {string} path below the app's own address
 */
export function addressOf(path) {
  const lang = new URLSearchParams(location.search).get("lang");
  return new URL(path || ".", document.baseURI).pathname + (lang ? `?lang=${encodeURIComponent(lang)}` : "");
}

function behindHash() {
  return location.hash.slice(1);
}
