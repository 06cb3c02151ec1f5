// @ts-check
// Page language: `?lang=` in the address, or any kind of Chinese in the browser; told to Gradio before it asks.

import { speak } from "./language.js";

const asked = new URLSearchParams(location.search).get("lang") ?? "";
const wanted = /^(zh|en)\b/i.test(asked) ? asked : navigator.language;
speak(/^zh\b/i.test(wanted) ? "zh-CN" : "en");
