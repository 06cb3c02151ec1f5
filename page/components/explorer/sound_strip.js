// @ts-check
// Sound strip: the audio tokens of a run on a time axis under its frames. A bar is a token, as high as it is loud; the
// band below has a cell for each, in the colour of its group; the overlay of the frames colours the bars too.

import { fill } from "../common.js";
import { contextOf } from "./paint.js";

/** @import { Palette } from "../common.js" */
/** @import { Context } from "./paint.js" */
/** @import { Sound } from "./sound.js" */
/** @import { State } from "./state.js" */

/** @typedef {Record<"soundCount" | "soundSpan" | "soundAlone" | "soundGroup" | "soundRank" | "soundStays" | "soundGoes" | "soundHint", string>} StripTexts */
/** @typedef {{sound: HTMLCanvasElement} & Record<"soundBox" | "soundScroll" | "soundWide" | "soundCount" | "soundNow", HTMLElement> & Record<"soundBack" | "soundNext", HTMLButtonElement>} StripParts */
/** @typedef {Pick<State, "heard" | "heardHeld" | "heardPinned">} Chosen */
/** @typedef {{set(change: Partial<State>): void, pin(token: number | null): void, layer(step: number): void}} StripEvents */
/** @typedef {Record<"ink" | "muted" | "rule" | "font", string>} Style from the canvas's own */

const LEAST = { fine: 4, coarse: 7 }; // CSS pixels of a token, for a mouse and for a finger
const [TOP, BARS, GAP, BAND, AXIS] = [14, 62, 4, 12, 20]; // heights: frames, bars, room, groups, axis
const PAD = 10; // CSS pixels free on both sides
const TICKS = [0.2, 0.5, 1, 2, 5, 10, 20, 60];

export class SoundStrip {
  /**
   * @param {StripParts} parts
   * @param {StripTexts} texts
   * @param {Palette} palette
   * @param {StripEvents} on
   */
  constructor(parts, texts, palette, on) {
    this.parts = parts;
    this.texts = texts;
    this.palette = palette;
    this.on = on;
    /** @type {Sound | null} */
    this.sound = null;
    /** @type {State | null} */
    this.state = null;
    const { sound: canvas, soundScroll, soundBack, soundNext } = parts;
    canvas.style.height = `${TOP + BARS + GAP + BAND + AXIS}px`;
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => {
      if (this.state?.heard !== null && !this.state?.heardHeld) on.set({ heard: null });
    });
    canvas.addEventListener("click", (event) => this.sound && on.pin(this.tokenAt(event.offsetX)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    soundScroll.addEventListener("scroll", () => this.draw());
    soundBack.addEventListener("click", () => this.walk(-1));
    soundNext.addEventListener("click", () => this.walk(1));
  }

  /** @param {PointerEvent} event */
  point(event) {
    if (!this.sound || event.pointerType === "touch") return;
    const heard = this.tokenAt(event.offsetX);
    if (heard !== this.state?.heard) this.on.set({ heard, heardHeld: false });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { sound, state } = this;
    if (!sound || !state || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = state.heard ?? state.heardPinned;
    const chunk = at === null ? 0 : sound.chunk[at];
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.walk(-1),
      ArrowRight: () => this.walk(1),
      ArrowUp: () => this.on.layer(-1),
      ArrowDown: () => this.on.layer(1),
      "[": () => this.on.layer(-1),
      "]": () => this.on.layer(1),
      PageUp: () => this.hold(sound.first[Math.max(0, chunk - 1)]),
      PageDown: () => this.hold(sound.first[Math.min(sound.first.length - 1, chunk + 1)]),
      Home: () => this.hold(0),
      End: () => this.hold(sound.count - 1),
      Enter: () => at !== null && this.on.pin(at),
      Escape: () => this.on.pin(null),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** To a token before or after. @param {number} step */
  walk(step) {
    const at = this.state?.heard ?? this.state?.heardPinned ?? null;
    this.hold(at === null ? 0 : at + step);
  }

  /** Read a token and bring it into view. @param {number} token */
  hold(token) {
    const { sound } = this;
    if (!sound) return;
    const heard = Math.min(sound.count - 1, Math.max(0, token));
    const { soundScroll } = this.parts;
    const { scale } = this.measures(sound);
    const x = PAD + sound.start[heard] * scale;
    if (x < soundScroll.scrollLeft || x > soundScroll.scrollLeft + soundScroll.clientWidth - 20)
      soundScroll.scrollLeft = x - soundScroll.clientWidth / 2;
    this.on.set({ heard, heardHeld: true });
  }

  /** CSS pixels of the strip as a whole, of what is seen of it, and of a second. @param {Sound} sound */
  measures(sound) {
    const least = matchMedia("(pointer: coarse)").matches ? LEAST.coarse : LEAST.fine;
    const seen = this.parts.soundScroll.clientWidth;
    const wide = Math.max(seen, Math.ceil((least * sound.length) / sound.seconds));
    return { wide, seen, scale: (wide - 2 * PAD) / sound.length };
  }

  /** @param {number} x in the canvas */
  tokenAt(x) {
    if (!this.sound) return 0;
    return this.sound.tokenAt((x - PAD + this.parts.soundScroll.scrollLeft) / this.measures(this.sound).scale);
  }

  /**
   * Draw a run's sound, or hide the strip for a run without.
   *
   * @param {Sound | null} sound
   * @param {State} state
   */
  show(sound, state) {
    this.sound = sound;
    this.state = state;
    const { parts, texts } = this;
    parts.soundBox.hidden = !sound;
    if (!sound) return;
    parts.soundWide.style.width = `${this.measures(sound).wide}px`;
    const alive = sound.retained[state.layer] ?? 0;
    const counts = { layer: state.layer, alive, merged: sound.last.length, all: sound.count };
    parts.soundCount.textContent = fill(texts.soundCount, counts);
    const at = state.heard ?? state.heardPinned;
    parts.soundNow.textContent = at === null ? texts.soundHint : tokenSentence(sound, texts, at, state.layer);
    parts.soundBack.disabled = at === 0;
    parts.soundNext.disabled = at === sound.count - 1;
    this.draw();
  }

  draw() {
    const { sound, state } = this;
    const canvas = this.parts.sound;
    if (!sound || !state || !canvas.clientWidth) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const own = getComputedStyle(canvas);
    const [muted, rule] = ["--muted", "--rule"].map((name) => own.getPropertyValue(name));
    const style = { ink: own.color, muted, rule, font: `11px ${own.fontFamily}` };
    const ctx = contextOf(canvas);
    ctx.scale(ratio, ratio);
    const { scale, seen } = this.measures(sound);
    const left = this.parts.soundScroll.scrollLeft;
    ctx.translate(PAD - left, 0);
    const range = [(left - PAD) / scale - sound.seconds, (left + seen) / scale];
    const first = sound.tokenAt(Math.max(0, range[0]));
    this.frames(ctx, sound, state, style, scale);
    const colour = this.colours(sound, state);
    for (let token = first; token < sound.count && sound.start[token] < range[1]; token++)
      this.bar(ctx, sound, state, token, scale, colour);
    this.axis(ctx, sound, style, scale, range);
    this.marked(ctx, sound, state, style, scale);
  }

  /**
   * A tick on top where each view is, that of the chosen one through the whole strip.
   *
   * @param {Context} ctx
   * @param {Sound} sound
   * @param {State} state
   * @param {Style} style
   * @param {number} scale
   */
  frames(ctx, sound, state, style, scale) {
    for (const [view, seconds] of sound.views.entries()) {
      const isChosen = view === state.view;
      const x = Math.min(sound.length, seconds) * scale;
      ctx.fillStyle = isChosen ? style.ink : style.muted;
      ctx.beginPath();
      ctx.moveTo(x - 4, 2);
      ctx.lineTo(x + 4, 2);
      ctx.lineTo(x, isChosen ? 11 : 8);
      ctx.fill();
      if (!isChosen) continue;
      ctx.globalAlpha = 0.35;
      ctx.fillRect(x - 0.5, 10, 1, TOP + BARS + GAP + BAND - 10);
      ctx.globalAlpha = 1;
    }
  }

  /**
   * A bar and its cell in the band.
   *
   * @param {Context} ctx @param {Sound} sound @param {State} state @param {number} token @param {number} scale
   * @param {(token: number) => {colour: string, opacity: number}} colourOf
   */
  bar(ctx, sound, state, token, scale, colourOf) {
    const x = sound.start[token] * scale;
    const w = Math.max(1, sound.seconds * scale - (sound.seconds * scale > 3 ? 1 : 0));
    const tall = 3 + (BARS - 3) * Math.sqrt(sound.loud(token));
    const { colour, opacity } = colourOf(token);
    Object.assign(ctx, { fillStyle: colour, globalAlpha: opacity });
    ctx.fillRect(x, TOP + (BARS - tall) / 2, w, tall);
    const next = token + 1 < sound.count && sound.row[token + 1] === sound.row[token];
    const full = next ? sound.seconds * scale + 0.5 : w;
    Object.assign(ctx, {
      fillStyle: this.groupColour(sound, token),
      globalAlpha: this.seen(sound, state, token),
    });
    ctx.fillRect(x, TOP + BARS + GAP, full, BAND);
    ctx.globalAlpha = 1;
  }

  /** @param {Sound} sound @param {State} state @param {number} token */
  seen(sound, state, token) {
    return state.overlay !== "alive" || sound.isAlive(token, state.layer) ? 0.95 : 0.18;
  }

  /**
   * By where its group begins within the chunk; not so dark as to be lost on a dark page.
   *
   * @param {Sound} sound
   * @param {number} token
   */
  groupColour(sound, token) {
    return this.heat(0.12 + 0.88 * sound.placeOfGroup(token));
  }

  /** @param {number} share */
  heat(share) {
    return this.palette.heat[Math.round(255 * Math.min(1, Math.max(0, share)))];
  }

  /**
   * The colour of each bar under an overlay.
   *
   * @param {Sound} sound
   * @param {State} state
   * @returns {(token: number) => {colour: string, opacity: number}}
   */
  colours(sound, { overlay, layer, scale }) {
    const gone = { colour: this.palette.pruned, opacity: 0.4 };
    if (overlay === "alive")
      return (token) => (sound.isAlive(token, layer) ? { colour: this.palette.alive, opacity: 1 } : gone);
    if (overlay === "groups") return (token) => ({ colour: this.groupColour(sound, token), opacity: 1 });
    if (overlay === "size") {
      const most = Math.log(Math.max(2, sound.largest));
      return (token) => ({ colour: this.heat(Math.log(sound.members[sound.row[token]].length) / most), opacity: 1 });
    }
    if (overlay === "lastLayer")
      return (token) => {
        const last = sound.last[sound.row[token]];
        return last < 0 ? gone : { colour: this.heat(last / Math.max(1, sound.layers - 1)), opacity: 1 };
      };
    const measured = overlay === "scores" ? sound.measured(layer) : null;
    if (measured !== null) {
      const scores = sound.scoreScale(measured);
      return (token) => {
        const height = scores.unitScore(sound.row[token], scale, sound.tokensOf[sound.chunk[token]]);
        return Number.isNaN(height) ? gone : { colour: this.heat(height), opacity: 1 };
      };
    }
    return () => ({ colour: "#8796a8", opacity: 0.9 });
  }

  /**
   * Seconds below, and where each chunk begins.
   *
   * @param {Context} ctx
   * @param {Sound} sound
   * @param {Style} style
   * @param {number} scale
   * @param {number[]} range
   */
  axis(ctx, sound, style, scale, [from, to]) {
    const bottom = TOP + BARS + GAP + BAND;
    ctx.fillStyle = style.ink;
    for (const token of sound.first.slice(1)) {
      ctx.globalAlpha = 0.55;
      ctx.fillRect(sound.start[token] * scale - 1, TOP, 1, bottom - TOP + 5);
    }
    ctx.globalAlpha = 1;
    const step = TICKS.find((one) => one * scale >= 52) ?? 120;
    Object.assign(ctx, { font: style.font, fillStyle: style.muted });
    for (let n = Math.max(0, Math.floor(from / step)); n * step <= Math.min(sound.length, to); n++) {
      const x = n * step * scale;
      ctx.textAlign = x > sound.length * scale - 8 ? "right" : n ? "center" : "left";
      ctx.fillText(`${+(n * step).toFixed(1)} s`, x, bottom + 16);
      ctx.fillRect(x, bottom, 1, 4);
    }
  }

  /**
   * A frame around all tokens of the group that is read, and of the pinned one.
   *
   * @param {Context} ctx
   * @param {Sound} sound
   * @param {State} state
   * @param {Style} style
   * @param {number} scale
   */
  marked(ctx, sound, { heard, heardPinned }, style, scale) {
    for (const token of new Set([heardPinned, heard])) {
      if (token === null) continue;
      for (const member of sound.members[sound.row[token]]) {
        const [x, w] = [sound.start[member] * scale, Math.max(3, sound.seconds * scale)];
        Object.assign(ctx, { strokeStyle: style.ink, lineWidth: member === token ? 2 : 1.2 });
        ctx.strokeRect(x - 0.5, TOP - 1, w, BARS + GAP + BAND + 2);
      }
    }
  }
}

/**
 * What is known of a token, in one line.
 *
 * @param {Sound} sound
 * @param {StripTexts} texts
 * @param {number} token
 * @param {number} layer
 */
export function tokenSentence(sound, texts, token, layer) {
  const row = sound.row[token];
  const others = sound.members[row].length - 1;
  const parts = [spanOf(sound, texts, token), others ? fill(texts.soundGroup, { others }) : texts.soundAlone];
  const measured = sound.measured(layer);
  const rank = measured === null ? null : sound.scoreScale(measured).rank(row);
  if (measured !== null && rank) {
    const score = sound.scoreScale(measured).score(row);
    const short = score >= 0.001 ? score.toPrecision(3) : score.toExponential(1);
    parts.push(fill(texts.soundRank, { ...rank, layer: measured, score: short }));
  }
  const pruned = sound.prunedBefore(row);
  parts.push(pruned === null ? texts.soundStays : fill(texts.soundGoes, { layer: pruned - 1 }));
  return parts.join(" · ");
}

/**
 * When a token sounds, and in which chunk.
 *
 * @param {Sound} sound
 * @param {Pick<StripTexts, "soundSpan">} texts
 * @param {number} token
 */
export function spanOf(sound, texts, token) {
  const from = sound.start[token];
  const span = { from: from.toFixed(2), to: (from + sound.seconds).toFixed(2), chunk: sound.chunk[token] + 1 };
  return fill(texts.soundSpan, span);
}
