// @ts-check
// Bar: the page's own Run, Stop and sliders once more, where a thumb reaches them, beside what they changed.

import { fillTexts, inPageLanguage, make, partsOf, percent, removalOf, useColours } from "../common.js";
import { now } from "../now.js";
import { moveSlider, sliderOf } from "../sliders.js";

/** @import { Mount, Palette, Side } from "../common.js" */
/** @import { SliderName } from "../sliders.js" */

/** @typedef {{sliders: Record<SliderName, string>} & Record<Side, string>} BarTexts */
/** @typedef {Record<"root" | "said" | "slider" | "value", HTMLElement> & Record<"run" | "stop", HTMLButtonElement> & {range: HTMLInputElement}} BarParts */

/** @param {Mount<{texts: Record<"en" | "zh", BarTexts>, palette: Palette}>} mount */
export function start({ element, props }) {
  /** @type {BarParts} */
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  const signal = removalOf(element);
  /** @type {SliderName} */
  let name = "keep_ratio"; // of the slider that was last moved
  fillTexts(element, texts);
  useColours(parts.root, props.palette);

  function show() {
    const slider = sliderOf(name);
    parts.slider.textContent = texts.sliders[name];
    if (slider)
      for (const key of /** @type {const} */ (["min", "max", "step", "value"])) parts.range[key] = slider[key];
    const value = Number(slider?.value);
    parts.value.textContent = name === "keep_ratio" ? percent(value) : String(value);
    const said = Object.entries(now.said ?? {});
    parts.said.hidden = !said.length;
    parts.said.replaceChildren(
      ...said.flatMap(([side, answer]) => [
        make("b", { "data-side": side }, texts[/** @type {Side} */ (side)]),
        ` ${answer} `,
      ]),
    );
  }

  /** @param {Event} event of a slider of the page */
  function touched({ target }) {
    const names = /** @type {SliderName[]} */ (Object.keys(texts.sliders));
    name = names.find((one) => /** @type {Element} */ (target).closest(`#${one}`)) ?? name;
    show();
  }

  for (const press of /** @type {const} */ (["run", "stop"]))
    parts[press].addEventListener("click", () => document.getElementById(press)?.click());
  parts.range.addEventListener("input", () => moveSlider(name, Number(parts.range.value)));
  document.addEventListener("input", touched, { signal });
  document.addEventListener("aim-now", show, { signal });
  const stop = /** @type {HTMLButtonElement | null} */ (document.getElementById("stop"));
  const observer = new MutationObserver(() => {
    parts.stop.disabled = stop?.disabled ?? true;
  });
  if (stop) observer.observe(stop, { attributes: true, attributeFilter: ["disabled"] });
  signal.addEventListener("abort", () => observer.disconnect());
  show();
}
