// Explorer: one state, and everything that is drawn from it. Nothing here asks the server.

const START = {
  overlay: "groups", layer: 0, view: 0, scale: "rank", zoom: false, at: null, held: false, pinned: null,
  round: Infinity, links: false, head: ALL_HEADS, iteration: Infinity, tool: "look", marks: [],
};

function startExplorer(element, props, watch, trigger) {
  const parts = partsOf(element);
  const { palette } = props;
  const texts = inPageLanguage(props.texts);
  let run = null;
  let pictures = [];
  let addresses = []; // of the pictures
  const state = { ...START };

  fillTexts(element, texts);
  parts.root.style.setProperty("--tx-alive", palette.alive);
  const show = oncePerFrame(() => {
    controls.show(run, state);
    stage.draw(state);
    marksBar.show(run, state);
    patchInfo.show(run, pictures, state.at || state.pinned, state);
    patchInfo.card(run, state.pinned, state.scale, state.layer);
    timeline.show(run, pictures, state);
  });

  /** Change the state and draw it; numbers out of range are pulled in. */
  function set(change) {
    Object.assign(state, change);
    if (run) {
      state.layer = Math.min(run.layers - 1, Math.max(0, state.layer));
      state.view = Math.min(run.numViews - 1, Math.max(0, state.view));
      if (state.head >= run.recordedScores.heads || run.recordedScores.heads === 1) state.head = ALL_HEADS;
      for (const name of ["at", "pinned"]) if (state[name] && !isInside(state[name])) state[name] = null;
    }
    show();
  }

  function isInside({ view, patch }) {
    return view < run.numViews && patch < run.views[view].patches;
  }

  function same(one, other) {
    return one && other && one.view === other.view && one.patch === other.patch;
  }

  const on = {
    /** The pointer is here, or nowhere; what the keys have chosen stays when it leaves. */
    read(spot) {
      if (spot ? !same(spot, state.at) : state.at && !state.held) set({ at: spot, held: false });
    },
    /** A click or Enter on a patch does what the tool says. */
    choose(spot) {
      if (spot === "here") spot = state.at;
      if (state.tool === "look" || !spot) return on.pin(spot);
      set({ marks: marksWith(run, state.marks, spot, state.tool), at: spot, view: spot.view, held: true });
    },
    pin(spot) {
      if (!spot) return set({ pinned: null });
      set(same(spot, state.pinned) ? { pinned: null } : { pinned: spot, at: spot, view: spot.view, held: true });
    },
    /** One patch up, down, left or right; past the side of a view into the next one. */
    walk(down, right) {
      const spot = state.at || state.pinned || { view: state.view, patch: 0 };
      let { view } = spot;
      let row = Math.floor(spot.patch / run.views[view].cols);
      let col = spot.patch % run.views[view].cols;
      if (state.at || state.pinned) [row, col] = [row + down, col + right];
      if (col < 0 || col >= run.views[view].cols) {
        view += col < 0 ? -1 : 1;
        if (view < 0 || view >= run.numViews) return;
        col = col < 0 ? run.views[view].cols - 1 : 0;
      }
      const { rows, cols } = run.views[view];
      row = Math.min(rows - 1, Math.max(0, row));
      set({ at: { view, patch: row * cols + col }, view, held: true });
    },
    leap(views) {
      const view = Math.min(run.numViews - 1, Math.max(0, state.view + views));
      const patch = Math.min(run.views[view].patches - 1, state.at ? state.at.patch : 0);
      set({ view, at: { view, patch }, held: true });
    },
    zoom: () => set({ zoom: !state.zoom, view: state.at ? state.at.view : state.view }),
    play: () => controls.play("layer"),
    layer: (step) => set({ layer: state.layer + step }),
    overlay: (overlay) => set({ overlay }),
    step: (step) => controls.stepBy(step),
    tool: (tool) => set({ tool }),
    clear: () => set({ marks: [] }),
    ask: () => trigger("marks", marksAsked(state.marks)),
    redraw: () => show(),
  };

  const controls = new Controls(parts, texts, palette, set);
  const marksBar = new MarksBar(parts, texts, on);
  const patchInfo = new PatchInfo(parts, texts);
  const stage = new Stage(parts.canvas, texts, on);
  const timeline = new Timeline(parts, texts, palette, set);

  async function load() {
    const value = props.value;
    if (!value || !value.record) return;
    const urls = value.frames.map(({ url }) => url);
    const known = new Map(addresses.map((url, i) => [url, pictures[i]])); // a rerun shows the same views
    const shown = await Promise.all(urls.map(async (url) => known.get(url) || prepared(await loadImage(url), palette)));
    if (value !== props.value && JSON.stringify(value) !== JSON.stringify(props.value)) return; // a newer one came
    const first = run === null;
    const isNew = !urls.some((url) => known.has(url));
    const next = new Run(value.record);
    const open = isNew || !areTakenBack(run, next) ? state.marks : withoutAsked(state.marks, run);
    const marks = isNew ? next.asked : marksCarried(open, addresses, urls, next);
    [run, pictures, addresses] = [next, shown, urls];
    stage.load(run, pictures, palette);
    parts.root.dataset.empty = "false";
    set({ marks, ...(first ? { layer: Math.min(run.layers - 1, (run.scored[0] ?? 0) + 1), ...wanted } : {}) });
  }

  let wanted = {}; // asked for before there was a run
  document.addEventListener("aim-explore", ({ detail }) => {
    if (!run) wanted = detail;
    set(detail);
  });
  watch("value", load);
  new ResizeObserver(show).observe(parts.root);
  new MutationObserver(show).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  show();
  load();
}

function loadImage(url) {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => failed(new Error(`a view did not load: ${url}`));
    image.src = url;
  });
}

startExplorer(element, props, watch, trigger);
