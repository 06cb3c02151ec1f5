// @ts-check
// Now: what the page's inputs say, and its answers, as events tell it; whoever wants to know listens for "aim-now" on
// the document.

/**
 * @typedef {object} Now
 * @property {string | null} video path of the file on its tab
 * @property {string | null} image
 * @property {string[]} more paths of further pictures beside it
 * @property {string} tab the open one
 * @property {string} question
 * @property {(number | boolean)[]} sliders keep ratio, l1, l2, number of frames, and those of sound
 * @property {boolean} marks whether patches are marked otherwise than in the run on the page
 * @property {Record<string, string>} said the answers on the page, by the run
 * @property {boolean} asking whether it was asked again with marks, and nothing has been answered yet
 * @property {Record<string, string>} look what the explorer shows, as a link holds it
 * @property {boolean} running whether Run was pressed and nothing has been answered yet
 */

/** @type {Partial<Now>} */
export const now = {};

/** @param {Partial<Now>} news */
export function hearOf(news) {
  Object.assign(now, news);
  document.dispatchEvent(new CustomEvent("aim-now"));
}

/**
 * The inputs, one of which has changed.
 *
 * @param {{path: string} | null} video
 * @param {{path: string} | null} image
 * @param {{path: string}[] | null} more
 * @param {string} question
 * @param {(number | boolean)[]} sliders
 */
export function hear(video, image, more, question, ...sliders) {
  const others = (more ?? []).map(({ path }) => path);
  hearOf({ video: video?.path ?? null, image: image?.path ?? null, more: others, question: question.trim(), sliders });
}

/** Run was pressed; without a question or a file it is about to be refused. */
export function hearRun() {
  hearOf({ running: Boolean(now.question && (now.video || now.image)) });
}

/** What was asked again with marks has been answered, has failed or was stopped. */
export function hearAnswered() {
  hearOf({ asking: false });
}

/** The run has failed or was stopped. */
export function hearEnd() {
  hearOf({ running: false });
}

/** @param {string} tab that was opened */
export function hearTab(tab) {
  hearOf({ tab });
}
