// Language: `?lang=` in the address, or any kind of Chinese in the browser; told to Gradio before it asks.

(() => {
  const asked = new URLSearchParams(location.search).get("lang") || "";
  const wanted = /^(zh|en)\b/i.test(asked) ? asked : navigator.language || "";
  const chinese = /^zh\b/i.test(wanted);
  if (chinese || wanted === asked)
    Object.defineProperty(navigator, "language", { value: chinese ? "zh-CN" : "en", configurable: true });
  document.documentElement.lang = chinese ? "zh-CN" : "en";
})();
