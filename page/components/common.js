// Common: text, numbers and small drawings that every panel of the page needs. Text only ever goes in as text.

/** A sentence with its {places} filled. */
function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** 1,234 */
function whole(number) {
  return Math.round(number).toLocaleString("en");
}

/** 25 %, or "<1 %" and ">99 %" where rounding would say nothing or all is there. */
function percent(share) {
  if (share < 1 && share >= 0.995) return ">99 %";
  return share > 0 && share < 0.005 ? "<1 %" : `${Math.round(100 * share)} %`;
}

/** Three digits and a unit: 1.23 T, 45.6 G. */
function scaled(number, units) {
  const [size, unit] = units.find(([size]) => number >= size) || units[units.length - 1];
  return `${+(number / size).toPrecision(3)} ${unit}`;
}

const FLOPS_UNITS = [[1e15, "PFLOPs"], [1e12, "TFLOPs"], [1e9, "GFLOPs"], [1e6, "MFLOPs"], [1, "FLOPs"]];
const BYTES_UNITS = [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]];

/** A new element; children are elements or texts, and attributes never hold markup. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A new SVG element. */
function draw(tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

/** The elements marked data-part, by name. */
function partsOf(element) {
  return Object.fromEntries([...element.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
}

/** Texts in both languages → those in the page's; texts in one language stay. */
function inPageLanguage(texts) {
  return texts[/^zh\b/i.test(navigator.language) ? "zh" : "en"] || texts;
}

/** Write the fixed texts: data-word becomes the text, data-name the accessible name. */
function fillTexts(element, texts) {
  for (const node of element.querySelectorAll("[data-word]")) node.textContent = texts[node.dataset.word];
  for (const node of element.querySelectorAll("[data-name]")) {
    node.setAttribute("aria-label", texts[node.dataset.name]);
    node.setAttribute("title", texts[node.dataset.name]);
  }
}

/** Call once per animation frame, however often it is asked for. */
function oncePerFrame(call) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      call();
    });
  };
}
