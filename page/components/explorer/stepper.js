// Stepper: rounds of merging in the overlay "groups", iterations of PageRank in the overlay "scores".

/** What can be stepped now: {name, most, value} of the state's round or iteration, or null. */
function stepsOf(run, { overlay, layer, round, iteration }) {
  if (!run) return null;
  if (overlay === "groups" && run.merging.rounds) return { name: "round", most: run.merging.rounds, value: Math.min(round, run.merging.rounds) };
  if (overlay !== "scores" || !run.recordedScores.isRecorded(run.measured(layer))) return null;
  const most = run.recordedScores.iterations;
  return { name: "iteration", most, value: Math.min(iteration, most) };
}

/** The state after a step to `value`; the last one is kept as "the end", however many the next run has. */
function stepTo({ name, most }, value) {
  const at = Math.min(most, Math.max(0, value));
  return { [name]: at === most ? Infinity : at };
}

class Stepper {
  constructor(parts, texts, set, move) {
    Object.assign(this, { parts, texts });
    parts.step.addEventListener("input", () => move(Number(parts.step.value)));
    parts.stepBack.addEventListener("click", () => move(this.steps.value - 1));
    parts.stepNext.addEventListener("click", () => move(this.steps.value + 1));
    parts.links.addEventListener("change", () => set({ links: parts.links.checked }));
    parts.head.addEventListener("change", () => set({ head: Number(parts.head.value) }));
  }

  show(run, state) {
    const { parts, texts } = this;
    this.steps = stepsOf(run, state);
    parts.steps.dataset.used = this.steps ? this.steps.name : "no";
    if (!this.steps) return;
    const { name, most, value } = this.steps;
    parts.stepName.textContent = texts.steps[name];
    parts.step.max = most;
    parts.step.value = value;
    parts.stepBack.disabled = value === 0;
    parts.stepNext.disabled = value === most;
    const text = value === 0 && name === "round" ? texts.before : fill(texts.of, { value, most });
    parts.stepValue.textContent = text;
    parts.step.setAttribute("aria-label", texts.steps[name]);
    parts.step.setAttribute("aria-valuetext", name === "round" ? `${text}, ${fill(texts.tokens, { count: whole(run.merging.counts[value]) })}` : text);
    parts.links.checked = state.links;
    if (name === "round") this.counts(run.merging.counts, value);
    else this.heads(run.recordedScores.heads, state.head);
  }

  /** Tokens after every round, the shown one in bold. */
  counts(counts, now) {
    const nodes = counts.flatMap((count, round) => [
      ...(round ? [" → "] : []),
      make(round === now ? "strong" : "span", {}, whole(count)),
    ]);
    this.parts.stepCounts.replaceChildren(...nodes, ` ${this.texts.tokensName}`);
  }

  /** All heads or one of them; a single one may stand for all. */
  heads(count, chosen) {
    const { head } = this.parts;
    const single = count > 1 ? [...Array(count).keys()] : [];
    if (head.options.length !== single.length + 1) {
      const names = single.map((one) => [one, fill(this.texts.oneHead, { head: one + 1 })]);
      head.replaceChildren(...[[ALL_HEADS, this.texts.allHeads], ...names].map(([value, name]) => make("option", { value }, name)));
    }
    head.value = chosen;
  }
}
