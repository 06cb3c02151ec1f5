// @ts-check
// Pictures: thumbs of all pictures of one question, in their order; one is moved, taken away or added.

import { fill, fillTexts, inPageLanguage, make, partsOf, removalOf } from "../common.js";
import { firstPicture, want } from "./order.js";

/** @import { Mount } from "../common.js" */
/** @import { Uploaded } from "./order.js" */

/** @typedef {Record<"name" | "add" | "adding" | "most" | "failed" | "earlier" | "later" | "remove" | "thumb", string>} PicturesTexts */
/** @typedef {Record<"root" | "list" | "note", HTMLElement> & {add: HTMLButtonElement, chooser: HTMLInputElement}} PicturesParts */
/**
 * @typedef {object} PicturesProps
 * @property {Uploaded[] | null} value all but the first
 * @property {number} most pictures of one question
 * @property {Record<"en" | "zh", PicturesTexts>} texts
 */

/** @param {Mount<PicturesProps>} mount */
export function start({ element, props, watch, trigger, upload = noServer }) {
  /** @type {PicturesParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  const removal = removalOf(element);
  fillTexts(element, texts);
  /** @returns {Uploaded[]} */
  function all() {
    const first = firstPicture();
    return first ? [first, ...(props.value ?? [])] : [];
  }

  function show() {
    const pictures = all();
    if (pictures.length) settle(element);
    parts.root.hidden = pictures.length === 0;
    parts.add.hidden = pictures.length >= props.most;
    parts.list.replaceChildren(...(pictures.length > 1 ? pictures.map(card) : []));
  }

  /** @param {Uploaded} picture @param {number} at */
  function card(picture, at) {
    const place = { number: at + 1, name: nameOf(picture) };
    const image = make("img", { src: picture.url ?? "", alt: fill(texts.thumb, place), title: place.name });
    const row = make(
      "div",
      {},
      button("←", fill(texts.earlier, place), at === 0, () => move(at, -1)),
      button("→", fill(texts.later, place), at === all().length - 1, () => move(at, 1)),
      button("×", fill(texts.remove, place), false, () =>
        set(
          all().filter((_, i) => i !== at),
          at,
        ),
      ),
    );
    return make("li", {}, image, make("b", {}, String(at + 1)), row);
  }

  /** @param {number} at @param {number} step */
  function move(at, step) {
    const pictures = all();
    pictures.splice(at + step, 0, ...pictures.splice(at, 1));
    set(pictures, at + step);
  }

  /**
   * Both components get these; the keys stay with the picture at a place.
   *
   * @param {Uploaded[]} pictures
   * @param {number} at
   */
  function set(pictures, at = -1) {
    focused = at;
    parts.note.textContent = "";
    want(pictures);
    trigger("order");
  }

  let focused = -1;
  function refocus() {
    if (focused < 0) return;
    const card = parts.list.children[Math.min(focused, parts.list.children.length - 1)];
    /** @type {HTMLButtonElement | null | undefined} */ (card?.querySelector("button:not(:disabled)"))?.focus();
    focused = -1;
  }

  /** @param {File[]} files */
  async function add(files) {
    const room = props.most - all().length;
    const taken = files.slice(0, Math.max(0, room));
    parts.note.textContent = texts.adding;
    const sent = await Promise.allSettled(taken.map(send));
    const came = sent.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const lost = taken.filter((_, i) => sent[i].status === "rejected").map(({ name }) => name);
    if (came.length) set([...all(), ...came]);
    const left = files.length > room ? [fill(texts.most, { most: props.most })] : [];
    const failed = lost.length ? [fill(texts.failed, { names: lost.join(", ") })] : [];
    parts.note.textContent = [...failed, ...left].join(" ");
  }

  /** @param {File} file @returns {Promise<Uploaded>} */
  async function send(file) {
    const { path, url } = await upload(file);
    return { path, url, orig_name: file.name, meta: { _type: "gradio.FileData" } };
  }

  parts.add.addEventListener("click", () => parts.chooser.click());
  parts.chooser.addEventListener("change", () => {
    add([...(parts.chooser.files ?? [])]);
    parts.chooser.value = "";
  });
  parts.root.addEventListener("dragover", (event) => event.preventDefault());
  parts.root.addEventListener("drop", (event) => {
    event.preventDefault();
    add([...(event.dataTransfer?.files ?? [])]);
  });
  document.addEventListener("aim-pictures", (event) => add(/** @type {CustomEvent<File[]>} */ (event).detail), {
    signal: removal,
  });
  function changed() {
    show();
    refocus();
  }

  document.addEventListener("aim-first-picture", changed, { signal: removal });
  watch("value", changed);
  show();
}

/** The panel stands between the upload of its tab and the samples, once these are there. @param {HTMLElement} element */
function settle(element) {
  const [block, samples] = [element.closest("#pictures"), document.getElementById("image_samples")];
  if (block && samples && samples.previousElementSibling !== block) samples.before(block);
}

/** @returns {Promise<never>} */
function noServer() {
  return Promise.reject(new Error("there is no server"));
}

/** @param {string} sign @param {string} label @param {boolean} disabled @param {() => void} act */
function button(sign, label, disabled, act) {
  const made = make("button", { type: "button", "aria-label": label, title: label }, sign);
  made.disabled = disabled;
  made.addEventListener("click", act);
  return made;
}

/** @param {Uploaded} picture */
function nameOf({ orig_name, path }) {
  return orig_name ?? path.split("/").pop() ?? "";
}
