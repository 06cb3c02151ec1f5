// @ts-check
// Sliders: the page's own, read and moved by other controls as a hand would move them.

/** @typedef {"keep_ratio" | "l1" | "l2" | "frames"} SliderName */

/** @param {SliderName} name */
export function sliderOf(name) {
  return /** @type {HTMLInputElement | null} */ (document.querySelector(`#${name} input[type=range]`));
}

/**
 * The slider itself keeps the value within its reach.
 *
 * @param {SliderName} name
 * @param {number} value
 */
export function moveSlider(name, value) {
  const slider = sliderOf(name);
  if (!slider) return;
  const before = slider.value;
  slider.value = String(value);
  if (slider.value !== before) slider.dispatchEvent(new Event("input", { bubbles: true }));
}
