// Replay: starts the page's own panels with what was recorded; there is no server to ask.

// The panels ask the browser which language to speak; here they speak that of the one who made the file.
Object.defineProperty(navigator, "language", { value: document.documentElement.lang, configurable: true });

function recorded(panel) {
  return JSON.parse(document.getElementById(`record-${panel}`).textContent);
}

const themeButton = document.getElementById("theme");
themeButton.addEventListener("click", () => document.body.classList.toggle("dark"));
document.body.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
