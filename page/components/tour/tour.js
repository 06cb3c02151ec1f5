// Tour: a card above the page that asks, sets the page up, waits for the run and tells what was measured.

function startTour(element, props, watch, trigger) {
  const parts = partsOf(element);
  const texts = inPageLanguage(props.texts);
  const { steps } = props;
  let at = 0;
  let said = null; // number of the choice taken in this step
  let waiting = false;

  fillTexts(element, texts);
  parts.card.setAttribute("aria-label", texts.name);
  parts.dots.append(...steps.map(() => make("i")));

  function open() {
    parts.card.showPopover();
    go(0);
  }

  function close() {
    waiting = false;
    parts.card.hidePopover();
    parts.start.focus();
  }

  /** Show a step from its beginning; past the last one the tour is over. */
  function go(to) {
    if (to >= steps.length) return close();
    [at, said, waiting] = [to, null, false];
    const stepTexts = texts.steps[at];
    parts.at.textContent = fill(texts.at, { at: at + 1, of: steps.length });
    [...parts.dots.children].forEach((dot, i) => (dot.dataset.now = i === at));
    parts.title.textContent = stepTexts.title;
    parts.text.textContent = fill(stepTexts.text, tourValues(steps[at], null, texts));
    parts.ask.textContent = stepTexts.ask;
    parts.choices.replaceChildren(...stepTexts.choices.map(choice));
    parts.found.replaceChildren();
    parts.card.dataset.told = "false";
    parts.back.disabled = at === 0;
    parts.next.textContent = at === steps.length - 1 ? texts.finish : texts.next;
    parts.card.scrollTop = 0;
    parts.title.focus();
  }

  function choice(text, number) {
    const button = make("button", { type: "button", "aria-pressed": "false" }, text);
    button.addEventListener("click", () => predict(number));
    return button;
  }

  function predict(number) {
    [said, waiting] = [number, true];
    [...parts.choices.children].forEach((button, i) => button.setAttribute("aria-pressed", i === number));
    tell([texts.running]);
    trigger("go", { step: at });
  }

  /** The run has come back: reveal it, if it is the one that was asked for. */
  function hear() {
    const measured = props.value;
    if (!waiting || !measured) return;
    if (measured.failed) return tell([texts.failed]);
    if (!isRunOf(steps[at], measured)) return;
    waiting = false;
    parts.card.dataset.told = "true";
    const came = cameOut(steps[at], measured);
    for (const [i, button] of [...parts.choices.children].entries()) {
      button.disabled = true;
      button.dataset.came = i === came;
    }
    tell(revealed(steps[at], texts.steps[at], texts, said, measured));
    parts.next.focus();
    const { overlay, layer } = steps[at];
    document.dispatchEvent(new CustomEvent("aim-explore", { detail: { overlay, layer } }));
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frames = matchMedia("(max-width: 559px)").matches ? "#explorer canvas" : "#explorer";
    const place = document.querySelector(at === steps.length - 1 ? "#answers" : frames);
    place?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  function tell(lines) {
    parts.found.replaceChildren(...lines.map((line) => make("p", {}, line)));
    parts.found.scrollIntoView({ block: "nearest" });
  }

  parts.start.addEventListener("click", open);
  parts.close.addEventListener("click", close);
  parts.back.addEventListener("click", () => go(at - 1));
  parts.next.addEventListener("click", () => go(at + 1));
  parts.card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  watch("value", hear);
}

startTour(element, props, watch, trigger);
