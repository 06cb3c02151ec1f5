// @ts-check
// State: what the explorer shows, and what it shows at first.

import { ALL_HEADS } from "./scores.js";

/** @import { Override } from "./overrides.js" */
/** @import { Selection } from "./selection.js" */

/** @typedef {{view: number, patch: number}} Spot a patch of a view */
/** @typedef {"original" | "groups" | "alive" | "scores" | "size" | "lastLayer"} Overlay */
/** @typedef {"rank" | "log" | "frame"} Scale how scores become heights in [0, 1]; "frame": by rank within a view */
/** @typedef {"pagerank" | "received" | "lastToken"} Scorer PageRank, attention received, attention of the last token */
/** @typedef {"patch" | "frames" | "sound" | "words" | "firstToken" | "numbers" | "why"} Tab what is looked at closer */
/** @typedef {"look" | Override["kind"]} Tool what a click or a drag does */

/**
 * What a painted view depends on.
 *
 * @typedef {object} Choice
 * @property {Overlay} overlay
 * @property {number} layer
 * @property {Scale} scale
 * @property {Scorer} scorer
 * @property {number} round of merging; infinite for the last
 * @property {number} wipe share of each view, from its left, that shows the picture before merging
 * @property {number} head one head, or ALL_HEADS
 * @property {number} iteration of PageRank; infinite for the last
 */

/**
 * @typedef {object} Cursor
 * @property {number} view the chosen one
 * @property {boolean} zoom whether it is alone on the canvas
 * @property {Spot | null} at the patch that is read
 * @property {boolean} held whether it stays when the pointer leaves
 * @property {Spot | null} pinned
 * @property {number | null} heard the audio token that is read
 * @property {boolean} heardHeld whether it stays when the pointer leaves
 * @property {number | null} heardPinned
 * @property {boolean} links whether the links of a round are drawn
 * @property {Tool} tool
 * @property {Tab} tab
 * @property {Override[]} overrides
 * @property {Override[][]} past what they were before each change, the last one last
 * @property {Selection | null} selection the rectangle that is about to be marked
 * @property {boolean} through whether it covers the same place of every frame
 * @property {string} refused why the server refused the overrides, or nothing
 */

/** @typedef {Choice & Cursor} State */

/** @type {readonly Overlay[]} */
export const OVERLAYS = ["original", "groups", "alive", "scores", "size", "lastLayer"];

/** @type {readonly Tab[]} */
export const TABS = ["patch", "frames", "sound", "words", "firstToken", "numbers", "why"];

/** @type {readonly Scale[]} */
export const SCALES = ["rank", "log", "frame"];

/** @type {readonly Scorer[]} */
export const SCORERS = ["pagerank", "received", "lastToken"];

/** @type {State} */
export const START = {
  overlay: "groups",
  layer: 0,
  scale: "rank",
  scorer: "pagerank",
  round: Infinity,
  wipe: 0,
  head: ALL_HEADS,
  iteration: Infinity,
  view: 0,
  zoom: false,
  at: null,
  held: false,
  pinned: null,
  heard: null,
  heardHeld: false,
  heardPinned: null,
  links: false,
  tool: "look",
  tab: "frames",
  overrides: [],
  past: [],
  selection: null,
  through: true,
  refused: "",
};
