// @ts-check
// Explorer: one state, and everything that is drawn from it. Nothing here asks the server.

import { fillTexts, inPageLanguage, oncePerFrame, onResize, partsOf, removalOf, useColours } from "../common.js";
import { hearOf, now } from "../now.js";
import { Controls } from "./controls.js";
import { lookOf, stateIn } from "./look.js";
import { Marking } from "./marking.js";
import { areTakenBack, carriedOverrides, payloadOf, withoutAsked } from "./overrides.js";
import { OverridesBar } from "./overrides_bar.js";
import { prepared } from "./paint.js";
import { PatchInfo } from "./patch_info.js";
import { Run } from "./run.js";
import { ALL_HEADS } from "./scores.js";
import { SoundHistory } from "./sound_history.js";
import { SoundStrip } from "./sound_strip.js";
import { Stage } from "./stage.js";
import { START } from "./state.js";
import { Tabs } from "./tabs.js";
import { Timeline } from "./timeline.js";

/** @import { Mount, Palette } from "../common.js" */
/** @import { ControlParts, ControlTexts } from "./controls.js" */
/** @import { Override } from "./overrides.js" */
/** @import { ByHand, OverridesEvents, OverridesParts, OverridesTexts } from "./overrides_bar.js" */
/** @import { Picture } from "./paint.js" */
/** @import { InfoParts, InfoTexts } from "./patch_info.js" */
/** @import { ExplorerRecord } from "./run.js" */
/** @import { Selection } from "./selection.js" */
/** @import { SoundHistoryParts, SoundHistoryTexts } from "./sound_history.js" */
/** @import { StripParts } from "./sound_strip.js" */
/** @import { StageEvents } from "./stage.js" */
/** @import { Spot, State } from "./state.js" */
/** @import { TabParts, TabTexts } from "./tabs.js" */
/** @import { TimelineParts, TimelineTexts } from "./timeline.js" */
/** @import { CaptionTexts } from "./view_names.js" */

/** @typedef {ControlTexts & OverridesTexts & InfoTexts & SoundHistoryTexts & TabTexts & TimelineTexts & {captions: CaptionTexts}} ExplorerTexts */
/** @typedef {{root: HTMLElement, canvas: HTMLCanvasElement}} OwnParts */
/** @typedef {OwnParts & ControlParts & OverridesParts & InfoParts & SoundHistoryParts & StripParts & TabParts & TimelineParts} ExplorerParts */
/**
 * `ExplorerData` of component.py.
 *
 * @typedef {object} ExplorerValue
 * @property {{url: string}[]} pictures
 * @property {{url: string}[]} [seen]
 * @property {ExplorerRecord} record
 * @property {ByHand | null} [hand]
 * @property {{sentence: string, at: number} | null} [refused] why the last marks were, and when
 */
/**
 * @typedef {object} ExplorerProps
 * @property {ExplorerValue | null} value
 * @property {Palette} palette
 * @property {Record<"en" | "zh", ExplorerTexts>} texts
 */

/** @param {Mount<ExplorerProps>} mount */
export function start({ element, props, watch, trigger }) {
  /** @type {ExplorerParts} */
  const parts = partsOf(element);
  const { palette } = props;
  const texts = inPageLanguage(props.texts);
  /** @type {Run | null} */
  let run = null;
  /** @type {Picture[]} */
  let pictures = []; // of its views
  /** @type {string[]} */
  let addresses = []; // of the pictures
  /** @type {ByHand | null} */
  let hand = null; // what the marks of the run did
  const state = { ...START };

  fillTexts(element, texts);
  useColours(parts.root, palette);
  const show = oncePerFrame(() => {
    if (run) now.look = lookOf(state);
    controls.show(run, state);
    tabs.show(state, Boolean(run?.sound));
    stage.draw(state);
    overridesBar.show(run, state, hand);
    patchInfo.show(run, pictures, state.at ?? state.pinned, state);
    patchInfo.card(run, state.pinned, state.scale, state.layer);
    timeline.show(run, pictures, state);
    strip.show(run?.sound ?? null, state);
    soundHistory.show(run?.sound ?? null, state);
  });

  /**
   * Change the state and draw it; numbers out of range are pulled in.
   *
   * @param {Partial<State>} change
   */
  function set(change) {
    Object.assign(state, change);
    if (run) {
      state.layer = Math.min(run.layers - 1, Math.max(0, state.layer));
      state.view = Math.min(run.numViews - 1, Math.max(0, state.view));
      const { heads } = run.recordedScores;
      if (state.head >= heads || heads === 1) state.head = ALL_HEADS;
      const { sound } = run;
      if (!sound && state.tab === "sound") state.tab = START.tab;
      if (state.heard !== null && state.heard >= (sound?.count ?? 0)) state.heard = null;
      if (state.heardPinned !== null && state.heardPinned >= (sound?.count ?? 0)) state.heardPinned = null;
      if (!isInside(run, state.at)) state.at = null;
      if (!isInside(run, state.pinned)) state.pinned = null;
      if (state.tool === "look" || !holds(run, state.selection)) state.selection = null;
    }
    show();
  }

  const marking = new Marking(() => run, state, set);
  /** @type {StageEvents & OverridesEvents} */
  const on = {
    /** The pointer is here, or nowhere; what the keys have chosen stays when it leaves. */
    read(spot) {
      if (spot ? !isSame(spot, state.at) : state.at && !state.held) set({ at: spot, held: false });
    },
    /** A click or Enter on a patch does what the tool says. */
    choose(spot) {
      if (spot && marking.isOn()) marking.click(spot);
      else pin(spot);
    },
    chooseHere: () => (state.selection ? marking.markSelected() : on.choose(state.at)),
    leave() {
      if (state.selection) marking.cancel();
      else if (state.pinned || !state.zoom) pin(null);
      else on.enlarge(null);
    },
    /** One patch up, down, left or right; past the side of a view into the next one. */
    walk(down, right) {
      if (!run) return;
      const spot = state.at ?? state.pinned;
      const to = spot ? beside(run, spot, down, right) : { view: state.view, patch: 0 };
      if (to) set({ at: to, view: to.view, held: true, selection: null });
    },
    leap(views) {
      if (!run) return;
      const view = Math.min(run.numViews - 1, Math.max(0, state.view + views));
      const patch = Math.min(run.views[view].patches - 1, state.at?.patch ?? 0);
      set({ view, at: { view, patch }, held: true, selection: null });
    },
    zoom: () => set({ zoom: !state.zoom, view: state.at?.view ?? state.view }),
    enlarge(view) {
      controls.stop();
      const at = state.at?.view === view ? state.at : null;
      set(view === null ? { zoom: false } : { zoom: true, view, at });
    },
    play: () => controls.play("layer"),
    layer: (step) => set({ layer: state.layer + step }),
    overlay: (overlay) => set({ overlay }),
    step: (step) => controls.stepBy(step),
    tool: (tool) => isShown(parts.tools) && set({ tool }),
    marks: () => marking.isOn(),
    select: (selection) => marking.select(selection),
    extend: (down, right) => (marking.isOn() ? marking.extend(down, right) : on.walk(down, right)),
    markSelected: () => marking.markSelected(),
    cancel: () => marking.cancel(),
    through: (through) => set({ through }),
    undo: () => marking.undo(),
    clear: () => isShown(parts.tools) && marking.clear(),
    ask() {
      set({ refused: "" });
      hearOf({ asking: true });
      trigger("overrides", payloadOf(state.overrides));
    },
    redraw: () => show(),
  };

  /** @param {Spot | null} spot */
  function pin(spot) {
    if (!spot || isSame(spot, state.pinned)) return set({ pinned: null });
    set({ pinned: spot, at: spot, view: spot.view, held: true, tab: "patch" });
  }

  /** An audio token, or none; the pinned one again is let go. @param {number | null} token */
  function pinSound(token) {
    if (token === null || token === state.heardPinned) return set({ heardPinned: null, heard: null, heardHeld: false });
    set({ heardPinned: token, heard: token, heardHeld: true, tab: "sound" });
  }

  const controls = new Controls(parts, texts, palette, set);
  const overridesBar = new OverridesBar(parts, texts, on);
  const patchInfo = new PatchInfo(parts, texts);
  const stage = new Stage(parts.canvas, texts, on);
  const tabs = new Tabs(parts, texts, set);
  const timeline = new Timeline(parts, texts, palette, set);
  const strip = new SoundStrip(parts, texts, palette, { set, pin: pinSound, layer: on.layer });
  const soundHistory = new SoundHistory(parts, texts);

  async function load() {
    const value = props.value;
    if (!value?.record) return;
    const urls = value.pictures.map(({ url }) => url);
    const known = new Map(addresses.map((url, i) => [url, pictures[i]])); // a rerun shows the same views
    const shown = await Promise.all(
      urls.map(async (url, i) => {
        const seen = value.seen?.[i]?.url;
        return known.get(url) ?? prepared(await loadImage(url), palette, seen ? await loadImage(seen) : null);
      }),
    );
    if (value !== props.value && JSON.stringify(value) !== JSON.stringify(props.value)) return; // a newer one came
    const before = run;
    const isNew = !urls.some((url) => known.has(url));
    const next = new Run(value.record);
    const open =
      before && !isNew && areTakenBack(before, next) ? withoutAsked(state.overrides, before) : state.overrides;
    const carried = (/** @type {Override[]} */ marks) => carriedOverrides(marks, addresses, urls, next);
    const [overrides, past] = isNew ? [next.asked, []] : [carried(open), state.past.map(carried)];
    const refused = value.refused?.sentence ?? "";
    [run, pictures, addresses, hand] = [next, shown, urls, value.hand ?? null];
    stage.load(run, pictures, palette);
    parts.root.dataset.empty = "false";
    const first = { layer: Math.min(run.layers - 1, (run.scored[0] ?? 0) + 1), ...wanted };
    if (now.asking) hearOf({ asking: false });
    set({ overrides, past, refused, ...(before ? {} : first) });
  }

  /** @type {Partial<State>} */
  let wanted = stateIn(location.hash.slice(1)); // asked for before there was a run
  /** @param {Event} event */
  function explore(event) {
    const { detail } = /** @type {CustomEvent<Partial<State>>} */ (event);
    if (!run) wanted = detail;
    controls.stop();
    set(detail);
  }

  /** Show by itself, once, how tokens go layer by layer. */
  async function playOnce() {
    if (!props.value?.record || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    await loading;
    const { overlay, layer } = state;
    set({ overlay: "alive", layer: 0 });
    controls.show(run, state); // it plays what it has been shown
    controls.play("layer", () => set(state.overlay === "alive" ? { overlay, layer } : {}));
  }

  const theme = new MutationObserver(show); // dark or light is a class of the body
  const removal = removalOf(element);
  removal.addEventListener("abort", () => {
    theme.disconnect();
    controls.stop();
  });
  document.addEventListener("aim-explore", explore, { signal: removal });
  document.addEventListener("aim-begin", playOnce, { signal: removal });
  document.addEventListener("aim-now", show, { signal: removal });
  theme.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  onResize(parts.root, show, removal);
  let loading = load();
  watch("value", () => {
    loading = load();
  });
  show();
}

/** @param {Run} run @param {Spot | null} spot */
function isInside(run, spot) {
  return spot !== null && spot.view < run.numViews && spot.patch < run.views[spot.view].patches;
}

/** @param {Run} run @param {Selection | null} selection */
function holds(run, selection) {
  if (!selection) return true;
  const { view, from, to } = selection;
  return isInside(run, { view, patch: from }) && isInside(run, { view, patch: to });
}

/** @param {HTMLElement} part a replay page hides what it has nobody to ask for */
function isShown(part) {
  return part.offsetParent !== null;
}

/** @param {Spot} one @param {Spot | null} other */
function isSame(one, other) {
  return one.view === other?.view && one.patch === other.patch;
}

/**
 * The patch beside another; past the side of a view in the next one, null past the last.
 *
 * @param {Run} run
 * @param {Spot} spot
 * @param {number} down
 * @param {number} right
 * @returns {Spot | null}
 */
function beside(run, { view, patch }, down, right) {
  const before = run.views[view].cols;
  let col = (patch % before) + right;
  const to = col < 0 ? view - 1 : col >= before ? view + 1 : view;
  if (to < 0 || to >= run.numViews) return null;
  const { rows, cols } = run.views[to];
  if (to !== view) col = col < 0 ? cols - 1 : 0;
  const row = Math.min(rows - 1, Math.max(0, Math.floor(patch / before) + down));
  return { view: to, patch: row * cols + col };
}

/** @param {string} url @returns {Promise<HTMLImageElement>} */
function loadImage(url) {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => failed(new Error(`a view did not load: ${url}`));
    image.src = url;
  });
}
