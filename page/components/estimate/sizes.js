// @ts-check
// Sizes: how large the files on the tabs are, before they are asked about.

import { now } from "../now.js";

const PATIENCE_MS = 60_000; // where a line is slow; a file that cannot be shown says so itself

/** @typedef {{url?: string} | null} Uploaded */
/** @typedef {[number, number] | null} Size height and width; null where the browser cannot show the file */

/**
 * The estimate's value with the sizes of what lies on each tab, and of further pictures.
 *
 * @param {{open?: string}} shown another tab may be open by now
 * @param {Uploaded} video
 * @param {Uploaded} image
 * @param {Uploaded[] | null} more
 */
export async function withSizes(shown, video, image, more) {
  const pictures = [image, ...(image && more ? more : [])].map((one) => imageSize(one?.url));
  const [own, first, ...others] = await Promise.all([videoSize(video?.url), ...pictures]);
  return { ...shown, open: now.tab ?? shown.open, sizes: { video: own, image: first, more: others } };
}

/** @param {string} [url] @returns {Promise<Size>} */
async function videoSize(url) {
  if (!url) return null;
  const video = document.createElement("video");
  video.preload = "metadata";
  return (await loads(video, "loadedmetadata", url)) ? [video.videoHeight, video.videoWidth] : null;
}

/** @param {string} [url] @returns {Promise<Size>} */
async function imageSize(url) {
  if (!url) return null;
  const image = new Image();
  return (await loads(image, "load", url)) ? [image.naturalHeight, image.naturalWidth] : null;
}

/**
 * Whether a file has loaded in time.
 *
 * @param {HTMLVideoElement | HTMLImageElement} element
 * @param {string} event tells that it has
 * @param {string} url
 * @returns {Promise<boolean>}
 */
function loads(element, event, url) {
  return new Promise((done) => {
    element.addEventListener(event, () => done(true), { once: true });
    element.addEventListener("error", () => done(false), { once: true });
    setTimeout(done, PATIENCE_MS, false);
    element.src = url;
  });
}
