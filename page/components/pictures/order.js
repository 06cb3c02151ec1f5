// @ts-check
// Order: the pictures of one question, of which the image upload has the first and the panel the others.

/** @typedef {{path: string, url?: string, orig_name?: string, meta?: {_type: string}}} Uploaded */

const LEFT = { __type__: "update" }; // as it is

/** @type {Uploaded[]} */
let wanted = [];

/** @type {Uploaded | null} */
let firstNow = null;

/** The picture in the upload; whoever wants to know listens for "aim-first-picture" on the document. */
export function firstPicture() {
  return firstNow;
}

/** What both are to hold from now on. @param {Uploaded[]} pictures */
export function want(pictures) {
  wanted = pictures;
}

/** The values of both, as they are wanted. */
export function ordered() {
  const [first = null, ...others] = wanted;
  return [first, others];
}

/**
 * The panel hears which picture is the first. Where that was taken away, the next one takes its place; a sample, which
 * takes the first place by itself, stands alone.
 *
 * @param {Uploaded | null} first
 * @param {Uploaded[] | null} others
 */
export function settled(first, others) {
  if (!first && others?.length) {
    want(others);
    return ordered();
  }
  const isSample = first && firstNow && ![firstNow.path, wanted[0]?.path].includes(first.path);
  firstNow = first;
  document.dispatchEvent(new CustomEvent("aim-first-picture"));
  return [LEFT, isSample && others?.length ? [] : LEFT];
}
