// @ts-check
// Tabs: what can be looked at closer, one part at a time: parts of the explorer, and the panels that follow it on
// the page or in a file that replays a run.

import { make } from "../common.js";
import { TABS } from "./state.js";

/** @import { Tab } from "./state.js" */

/** @typedef {{tabs: Record<Tab, string>}} TabTexts */
/** @typedef {Record<"root" | "tabs" | "patchTab" | "framesTab" | "soundTab", HTMLElement>} TabParts */

/** @type {Partial<Record<Tab, string>>} */
const OUTSIDE = { words: "word_frames", firstToken: "first_token", numbers: "numbers", why: "whys" };
/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
/** @type {Record<string, number>} */
const ENDS = { Home: 0, End: -1 };

export class Tabs {
  /**
   * @param {TabParts} parts
   * @param {TabTexts} texts
   * @param {(change: {tab: Tab}) => void} set
   */
  constructor(parts, texts, set) {
    this.parts = parts;
    this.home = parts.root.closest("#results") ?? document.querySelector("main");
    /** @type {Map<Tab, HTMLButtonElement>} */
    this.buttons = new Map();
    for (const name of TABS.filter((name) => this.isThere(name))) {
      const button = make("button", { type: "button", role: "tab", id: `tx-tab-${name}` }, texts.tabs[name]);
      button.addEventListener("click", () => set({ tab: name }));
      this.buttons.set(name, button);
    }
    parts.tabs.addEventListener("keydown", (event) => {
      const names = [...this.buttons.keys()].filter((name) => this.buttons.get(name)?.isConnected);
      const at = names.findIndex((name) => this.buttons.get(name) === event.target);
      const to = ENDS[event.key] ?? at + (STEPS[event.key] ?? 0);
      const name = names[(to + names.length) % names.length];
      if (at < 0 || to === at) return;
      event.preventDefault();
      set({ tab: name });
      this.buttons.get(name)?.focus();
    });
  }

  /** The page will have every part; a file has those that were put into it. @param {Tab} name */
  isThere(name) {
    return this.home?.id === "results" || this.partOf(name) !== null;
  }

  /** @param {Tab} name @returns {HTMLElement | null} */
  partOf(name) {
    if (name === "patch") return this.parts.patchTab;
    if (name === "frames") return this.parts.framesTab;
    if (name === "sound") return this.parts.soundTab;
    return document.querySelector(`#${OUTSIDE[name]}, [data-panel="${OUTSIDE[name]}"]`);
  }

  /** @param {{tab: Tab}} state @param {boolean} hasSound */
  show({ tab }, hasSound) {
    this.home?.setAttribute("data-tab", tab); // style sheets hide what is outside by it
    const shown = [...this.buttons].filter(([name]) => hasSound || name !== "sound").map(([, button]) => button);
    if (this.parts.tabs.childElementCount !== shown.length) this.parts.tabs.replaceChildren(...shown);
    for (const [name, button] of this.buttons) {
      const part = this.partOf(name);
      button.setAttribute("aria-selected", String(name === tab));
      button.tabIndex = name === tab ? 0 : -1;
      if (!part) continue;
      part.id ||= `tx-part-${name}`;
      part.setAttribute("role", "tabpanel");
      part.tabIndex = 0;
      part.setAttribute("aria-labelledby", button.id);
      button.setAttribute("aria-controls", part.id);
      if (!OUTSIDE[name]) part.hidden = name !== tab;
    }
  }
}
