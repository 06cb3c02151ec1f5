// Words and frames: words of the answers as buttons; the chosen one shows its attention as bars over the frames.

function startWordFrames(element, props, watch) {
  const parts = partsOf(element);
  const { palette } = props;
  const texts = inPageLanguage(props.texts);
  let run = null; // {views: [{name, time}], sides: [{side, words: [[text, shares, twin]]}]}
  let chosen = null; // {side, word}: places in run.sides and its words
  fillTexts(element, texts);
  for (const [name, colour] of [["dense", palette.pruned], ["aim", palette.alive], ["hand", palette.language]])
    parts.root.style.setProperty(`--wf-${name}`, colour);

  function load() {
    const { frames = [], record = null } = props.value || {};
    run = record;
    parts.root.dataset.empty = !run;
    parts.answers.replaceChildren(...(run ? run.sides.map(answer) : []));
    parts.strip.replaceChildren(...(run ? run.views.map(({ time }, i) => picture(frames[i].url, time, i)) : []));
    const first = run ? run.sides.findIndex((side) => side.words.length) : -1;
    chosen = !run || first < 0 ? null : kept() || { side: first, word: 0 };
    show();
  }

  /** What was chosen, if the new run still has a word there. */
  function kept() {
    return chosen && run.sides[chosen.side] && run.sides[chosen.side].words[chosen.word] ? chosen : null;
  }

  function answer({ side, words: said }, place) {
    const chips = said.map(([text], word) => chip(text, { side: place, word }));
    const row = make("div", { class: "wf-words" }, ...(chips.length ? chips : [texts.silent]));
    return make("div", { class: "wf-side", "data-side": side }, make("b", {}, texts[side]), row);
  }

  function chip(text, spot) {
    const button = make("button", { type: "button" }, text);
    for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, () => choose(spot));
    button.addEventListener("keydown", (event) => walk(event, spot));
    return button;
  }

  function choose(spot) {
    chosen = spot;
    show();
  }

  /** Left and right: the word beside; up and down: the same place of the other answer. */
  function walk(event, { side, word }) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const there = run.sides[side + step[0]];
    if (!there || !there.words.length) return;
    const next = Math.min(there.words.length - 1, Math.max(0, word + step[1]));
    buttons(side + step[0])[next].focus();
  }

  function buttons(side) {
    return parts.answers.children[side].querySelectorAll("button");
  }

  function picture(url, time, place) {
    const image = make("img", { src: url, alt: nameOf(run, texts, place) });
    const bars = run.sides.map(({ side }) => make("i", { "data-side": side }));
    const caption = fill(texts.caption, { frame: shortName(run, place), seconds: time.toFixed(1) });
    return make("li", {}, make("small", {}), make("div", { class: "wf-bars", "aria-hidden": "true" }, ...bars), image,
      make("small", {}, caption));
  }

  /** The chosen word of each run: its own place, or that of the same word in the other answer; null for none. */
  function picked() {
    const [, , twins] = run.sides[chosen.side].words[chosen.word];
    return run.sides.map((side, place) => {
      const word = place === chosen.side ? chosen.word : twins[place];
      return word === null ? null : side.words[word];
    });
  }

  function show() {
    const now = chosen ? picked() : [];
    const top = Math.max(1e-9, ...now.flatMap((word) => (word ? word[1] : [])));
    parts.told.replaceChildren(...told(now).flatMap((line) => [line, make("br")]));
    if (!run) return;
    run.sides.forEach((side, place) => {
      buttons(place).forEach((button, i) => button.setAttribute("aria-pressed", now[place] === side.words[i]));
    });
    [...parts.strip.children].forEach((item, i) => {
      const shares = now.map((word) => (word ? word[1][i] : null));
      item.firstChild.textContent = shares.map((share) => (share === null ? "–" : percent(share))).join(" · ");
      item.querySelectorAll(".wf-bars i").forEach((bar, side) => {
        bar.style.height = `${(100 * (shares[side] || 0)) / top}%`;
      });
    });
  }

  function told(now) {
    if (!run) return [texts.empty];
    if (!run.measured) return [texts.missing];
    if (!chosen) return [texts.silent];
    return now.map((word, place) => sentence(word, texts[run.sides[place].side]));
  }

  function sentence(word, side) {
    if (!word) return fill(texts.none, { side });
    const [text, shares] = word;
    const best = shares.indexOf(Math.max(...shares));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return [
      fill(texts.total, { side, share: percent(total), word: text }),
      fill(texts.most, { frame: nameOf(run, texts, best), share: percent(shares[best]) }),
    ].join(" ");
  }

  watch("value", load);
  load();
}

startWordFrames(element, props, watch);
