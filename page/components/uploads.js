// @ts-check
// Uploads: choosing and dropping files takes every kind that is read, not only those that browsers know by type.

/** @typedef {"video" | "image"} Kind */

/** @type {Record<Kind, string[]>} */
const ENDS = {
  video: [
    ...["3gp", "asf", "avi", "avif", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv"],
    ...["png", "ts", "vob", "webm", "webp", "wmv"],
  ],
  image: ["avif", "bmp", "heic", "heif", "jpeg", "jpg", "png", "tif", "tiff", "webp"],
};

/** From now on, for both uploads of the page. */
export function takeEveryKind() {
  document.addEventListener("click", offer, true); // before Gradio opens the chooser
  document.addEventListener("drop", nameKinds, true);
  document.addEventListener("change", takeSeveral, true);
  document.addEventListener("error", nameUnseen, true);
}

/** @param {Event} event */
function kindOf(event) {
  const around = event.target instanceof Element && event.target.closest("#video, #image");
  return around ? /** @type {Kind} */ (around.id) : undefined;
}

/** @param {Event} event */
function offer(event) {
  const kind = kindOf(event);
  const input = kind && document.querySelector(`#${kind} input[type=file]`);
  if (kind && input instanceof HTMLInputElement) {
    input.multiple = kind === "image";
    input.accept = [`${kind}/*`, ...ENDS[kind].map((end) => `.${end}`)].join();
  }
}

/** Several pictures that were chosen at once go to the panel that holds them. @param {Event} event */
function takeSeveral(event) {
  const input = event.target;
  if (kindOf(event) !== "image" || !(input instanceof HTMLInputElement)) return;
  const files = [...(input.files ?? [])];
  if (files.length < 2) return;
  event.stopImmediatePropagation();
  input.value = "";
  handOver(files);
}

/** @param {File[]} files */
function handOver(files) {
  document.dispatchEvent(new CustomEvent("aim-pictures", { detail: files }));
}

/** @param {File} file */
function endOf(file) {
  return file.name.split(".").pop()?.toLowerCase() ?? "";
}

/**
 * Gradio goes by the type that the browser tells, which is empty for HEIC and MKV and "image" for a GIF that is a film.
 *
 * @param {DragEvent} event
 */
function nameKinds(event) {
  const kind = kindOf(event);
  const files = [...(event.dataTransfer?.files ?? [])];
  const isFull = event.target instanceof Element && event.target.closest("#image")?.querySelector("img");
  if (kind === "image" && (files.length > 1 || (files.length && isFull))) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return handOver(files);
  }
  const isKnown = (/** @type {File} */ file) => file.type.startsWith(`${kind}/`);
  if (!kind || files.every(isKnown) || !files.every((file) => isKnown(file) || ENDS[kind].includes(endOf(file))))
    return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const named = new DataTransfer();
  for (const file of files) named.items.add(new File([file], file.name, { type: `${kind}/${endOf(file)}` }));
  event.target?.dispatchEvent(new DragEvent("drop", { dataTransfer: named, bubbles: true, cancelable: true }));
}

/** A picture that this browser cannot show has its name in its place. @param {Event} event */
function nameUnseen(event) {
  const picture = event.target;
  if (kindOf(event) !== "image" || !(picture instanceof HTMLImageElement)) return;
  picture.alt = decodeURIComponent(picture.src.split("/").pop() ?? "");
}
