// @ts-check
// Asked: what the results are about, and what has changed since.

import { fill, fillTexts, inPageLanguage, partsOf, percent, removalOf } from "../common.js";
import { hearEnd, now } from "../now.js";

/** @import { Mount } from "../common.js" */
/** @import { Now } from "../now.js" */

/**
 * `asked_record` of component.py.
 *
 * @typedef {object} AskedRecord
 * @property {string[]} files their names
 * @property {string} question
 * @property {string} model
 * @property {number} keepRatio
 * @property {number} l1
 * @property {number} l2
 * @property {number} frames
 * @property {[keep: number, floor: number] | null} audio shares of its tokens; null without a sound
 * @property {number | null} at seconds since 1970; null for what came from a file
 * @property {"saved" | "others" | "example" | null} note
 * @property {AskedInputs | null} inputs what the inputs say of it; null where they have nothing to do with it
 */

/** @typedef {{path: string | null, more: string[], question: string, sliders: (number | boolean)[]}} AskedInputs */
/** @typedef {"file" | "question" | "settings" | "frames" | "sound"} Input */
/** @typedef {Record<"how" | "oneFrame" | "frames" | "pictures" | "files" | "sound" | "soundWhole" | "saved" | "others" | "example" | "changed" | "and" | "marks" | "running", string> & {inputs: Record<Input, string>}} AskedTexts */
/** @typedef {Record<"root" | "file" | "question" | "how" | "note" | "changed", HTMLElement>} AskedParts */

/** @param {Mount<{value: AskedRecord | null, texts: Record<"en" | "zh", AskedTexts>}>} mount */
export function start({ element, props, watch }) {
  /** @type {AskedParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);

  function show() {
    const record = props.value;
    parts.root.hidden = !record;
    if (!record) return;
    const [names, count] = [record.files.join(texts.and), record.files.length];
    parts.file.textContent = count > 1 ? fill(texts.files, { count, names }) : names;
    parts.question.textContent = record.question;
    parts.how.textContent = how(record);
    parts.note.hidden = !record.note;
    parts.note.textContent = record.note ? texts[record.note] : "";
    showChanges(record);
  }

  /** @param {AskedRecord} record */
  function how({ model, keepRatio, l1, l2, frames, files, audio, at }) {
    const many = files.length > 1 ? texts.pictures : texts.frames;
    const shown = frames === 1 ? texts.oneFrame : fill(many, { frames });
    const seen = fill(texts.how, { model, keep_ratio: percent(keepRatio), l1, l2, frames: shown });
    const settings = audio ? `${seen} · ${heard(audio)}` : seen;
    return at === null ? settings : `${settings} · ${new Date(1000 * at).toLocaleTimeString()}`;
  }

  /** @param {[number, number]} shares of audio tokens */
  function heard([keep, floor]) {
    if (keep === 1 && floor === 1) return texts.soundWhole;
    return fill(texts.sound, { keep: percent(keep), floor: percent(floor) });
  }

  /** @param {AskedRecord} record */
  function showChanges({ inputs }) {
    const names = (inputs ? changedInputs(inputs, now) : []).map((name) => texts.inputs[name]);
    const marks = now.marks ? texts.marks : "";
    const changed = names.length ? fill(texts.changed, { inputs: names.join(texts.and) }) : marks;
    const sentence = now.running ? texts.running : changed;
    if (parts.changed.textContent !== sentence) parts.changed.textContent = sentence;
    parts.root.dataset.stale = String(sentence !== "");
  }

  let running = false;
  function onNow() {
    show();
    if (now.running && !running) takeTo(parts.root); // there it is told how the run goes, and its place in the queue
    running = now.running ?? false;
  }

  document.addEventListener("aim-now", onNow, { signal: removalOf(element) });
  watch("value", () => {
    show();
    if (running) takeTo(parts.root);
    hearEnd();
  });
  show();
}

/**
 * Bring the answers into view, unless they are; the keys go there too, but not away from someone who types.
 *
 * @param {HTMLElement} root
 */
function takeTo(root) {
  const answers = document.querySelector("#answers .an-cards") ?? root;
  const top = root.hidden ? answers : root; // it is hidden before the first answer
  const isSeen = top.getBoundingClientRect().top >= 0 && answers.getBoundingClientRect().bottom <= innerHeight;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!isSeen) top.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  const types = document.activeElement?.tagName === "TEXTAREA" && !matchMedia("(pointer: coarse)").matches;
  if (!types) root.focus({ preventScroll: true });
}

/**
 * The inputs that say something else than a run was asked.
 *
 * @param {AskedInputs} asked
 * @param {Partial<Now>} now
 * @returns {Input[]}
 */
export function changedInputs(asked, { video, image, more = [], tab, question, sliders }) {
  if (question === undefined || !sliders) return []; // nothing has been heard yet
  const file = (tab === "image" ? image || video : video || image) ?? null;
  const others = file === image ? more : [];
  const differs = {
    file: asked.path !== null && [file, ...others].join("\n") !== [asked.path, ...asked.more].join("\n"),
    question: question !== asked.question,
    settings: [0, 1, 2].some((i) => sliders[i] !== asked.sliders[i]),
    frames: sliders[3] !== asked.sliders[3],
    sound: [4, 5, 6].some((i) => i in asked.sliders && sliders[i] !== asked.sliders[i]),
  };
  return /** @type {Input[]} */ (Object.keys(differs)).filter((name) => differs[name]);
}
