// Controls: the choice of an overlay, its legend, the sliders with their play buttons, and the switches.

const OVERLAYS = ["original", "groups", "alive", "scores", "size", "lastLayer"];
const LAYERED = ["alive", "scores"]; // overlays that the layer changes
const TOOLS = ["look", ...KINDS]; // what a click on a patch does
const BEAT = { layer: 650, view: 450, step: 900 }; // ms a step while playing

class Controls {
  constructor(parts, texts, palette, set) {
    Object.assign(this, { parts, texts, palette, set, playing: null });
    this.overlays = this.choice(parts.overlays, "overlay", OVERLAYS, texts.overlays);
    this.scales = this.choice(parts.scales, "scale", ["rank", "log"], texts.scales);
    this.zooms = this.choice(parts.zooms, "zoom", ["all", "one"], texts.zooms, (value) => ({ zoom: value === "one" }));
    this.tools = this.choice(parts.tools, "tool", TOOLS, texts.tools);
    this.stepper = new Stepper(parts, texts, set, (value) => this.stepTo(value));
    for (const name of ["layer", "view"])
      parts[name].addEventListener("input", () => {
        this.stop();
        set({ [name]: Number(parts[name].value) });
      });
    for (const name of Object.keys(BEAT)) parts[`${name}Play`].addEventListener("click", () => this.play(name));
  }

  /** A round or an iteration, chosen by hand. */
  stepTo(value) {
    const steps = stepsOf(this.run, this.state);
    this.stop();
    if (steps) this.set(stepTo(steps, value));
  }

  stepBy(step) {
    const steps = stepsOf(this.run, this.state);
    if (steps) this.stepTo(steps.value + step);
  }

  /** Radio buttons that look like one bar; a group of real inputs, so keys and names come for free. */
  choice(fieldset, name, values, labels, patch = (value) => ({ [name]: value })) {
    const group = `tx-${name}-${Math.random().toString(36).slice(2)}`;
    return values.map((value) => {
      const input = make("input", { type: "radio", name: group, value });
      input.addEventListener("change", () => this.set(patch(value)));
      fieldset.append(make("label", { class: "tx-option" }, input, make("span", {}, labels[value])));
      return input;
    });
  }

  /** Step through layers, views, rounds or iterations until stopped. */
  play(name) {
    if (this.playing) {
      const same = this.playing.name === name;
      this.stop();
      if (same) return;
    }
    if (!this.run) return;
    const timer = setInterval(() => this.step(name), BEAT[name]);
    this.playing = { name, timer };
    if (name === "layer" && !LAYERED.includes(this.state.overlay)) this.set({ overlay: "alive" });
    if (name === "view") this.set({ zoom: true });
    this.mark();
  }

  step(name) {
    if (!this.parts[name].isConnected) return this.stop();
    if (name === "step") return this.nextStep();
    const count = name === "layer" ? this.run.layers : this.run.numViews;
    this.set({ [name]: (this.state[name] + 1) % count });
  }

  /** The next round or iteration; from the last to the first. */
  nextStep() {
    const steps = stepsOf(this.run, this.state);
    if (!steps) return this.stop();
    this.set(stepTo(steps, (steps.value + 1) % (steps.most + 1)));
  }

  stop() {
    clearInterval(this.playing?.timer);
    this.playing = null;
    this.mark();
  }

  mark() {
    for (const name of Object.keys(BEAT)) {
      const on = this.playing?.name === name;
      const button = this.parts[`${name}Play`];
      button.dataset.on = on;
      button.setAttribute("aria-pressed", on);
    }
  }

  /** Bring every control in line with the state. */
  show(run, state) {
    Object.assign(this, { run, state });
    for (const input of this.overlays) input.checked = input.value === state.overlay;
    for (const input of this.scales) input.checked = input.value === state.scale;
    for (const input of this.zooms) input.checked = (input.value === "one") === state.zoom;
    for (const input of this.tools) input.checked = input.value === state.tool;
    this.parts.scales.dataset.used = state.overlay === "scores";
    this.slide("layer", run ? run.layers - 1 : 0, state.layer, (value) => value);
    this.slide("view", run ? run.numViews - 1 : 0, state.view, (value) => value + 1);
    this.parts.overlayNote.textContent = this.note(run, state);
    this.legend(run, state);
    this.stepper.show(run, state);
  }

  slide(name, most, value, shown) {
    const input = this.parts[name];
    input.max = most;
    input.value = value;
    input.disabled = this.parts[`${name}Play`].disabled = !this.run || most < 1;
    const text = fill(this.texts.of, { value: shown(value), most: shown(most) });
    this.parts[`${name}Value`].textContent = this.run ? text : "–";
    input.setAttribute("aria-valuetext", text);
  }

  /** One sentence on what the overlay shows; where scores were not measured, which layer they are from. */
  note(run, state) {
    const { overlay, layer } = state;
    const steps = stepsOf(run, state);
    if (steps && steps.value < steps.most) return this.texts.stepNotes[steps.name][steps.value ? 1 : 0];
    if (overlay === "groups" && steps && state.links) return this.texts.stepNotes.round[1];
    if (!run || overlay !== "scores") return this.texts.notes[overlay];
    const measured = run.measured(layer);
    if (measured === null) return this.texts.noScores;
    if (measured === layer) return this.texts.notes.scores;
    return fill(this.texts.nearest, { layer, measured });
  }

  legend(run, { overlay, scale }) {
    const { legend } = this.parts;
    const key = JSON.stringify([overlay, scale, run?.largest, run?.layers]);
    if (legend.dataset.key === key) return;
    legend.dataset.key = key;
    legend.replaceChildren();
    const texts = this.texts.legend;
    if (overlay === "groups") this.swatches([["merged", texts.merged], ["single", texts.single]]);
    if (overlay === "alive") this.swatches([["alive", texts.alive], ["gone", texts.gone]]);
    if (overlay === "scores") this.ramp(texts[scale][0], texts[scale][1], texts.gone);
    if (overlay === "size") this.ramp("1", String(run?.largest ?? "…"));
    if (overlay === "lastLayer") this.ramp(texts.early, texts.late);
  }

  swatches(items) {
    for (const [kind, text] of items)
      this.parts.legend.append(make("span", { class: "tx-swatch", "data-kind": kind }), make("span", {}, text));
  }

  ramp(low, high, gone = "") {
    const bar = make("span", { class: "tx-ramp", "aria-hidden": "true" });
    const stops = this.palette.heat.filter((_, i) => i % 15 === 0);
    bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    this.parts.legend.append(make("span", {}, low), bar, make("span", {}, high));
    if (gone) this.swatches([["gone", gone]]);
  }
}
