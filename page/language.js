// @ts-check
// Language: what the page tells every script that asks the browser which language it speaks.

/** @param {string} language */
export function speak(language) {
  Object.defineProperty(navigator, "language", { value: language, configurable: true });
  document.documentElement.lang = language;
}
