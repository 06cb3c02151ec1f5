// Explorer: one state, and everything that is drawn from it. Nothing here asks the server.

function startExplorer(element, props, watch) {
  const parts = partsOf(element);
  const { palette } = props;
  const words = spoken(props.words);
  let run = null;
  let pictures = [];
  const state = { view: "groups", layer: 0, frame: 0, scale: "rank", zoom: false, at: null, held: false, pinned: null };

  spell(element, words);
  parts.root.style.setProperty("--tx-alive", palette.alive);
  const show = oncePerFrame(() => {
    controls.show(run, state);
    stage.draw(state);
    reading.show(run, pictures, state.at || state.pinned, state.layer);
    reading.card(run, state.pinned, state.scale, state.layer);
    timeline.show(run, pictures, state);
  });

  /** Change the state and draw it; numbers out of range are pulled in. */
  function set(change) {
    Object.assign(state, change);
    if (run) {
      state.layer = Math.min(run.layers - 1, Math.max(0, state.layer));
      state.frame = Math.min(run.frames - 1, Math.max(0, state.frame));
      for (const name of ["at", "pinned"]) if (state[name] && !isInside(state[name])) state[name] = null;
    }
    show();
  }

  function isInside({ frame, patch }) {
    return frame < run.frames && patch < run.patches;
  }

  function same(one, other) {
    return one && other && one.frame === other.frame && one.patch === other.patch;
  }

  const on = {
    /** The pointer is here, or nowhere; what the keys have chosen stays when it leaves. */
    read(spot) {
      if (spot ? !same(spot, state.at) : state.at && !state.held) set({ at: spot, held: false });
    },
    pin(spot) {
      if (spot === "here") spot = state.at;
      if (!spot) return set({ pinned: null });
      set(same(spot, state.pinned) ? { pinned: null } : { pinned: spot, at: spot, frame: spot.frame, held: true });
    },
    /** One patch up, down, left or right; past the side of a frame into the next one. */
    walk(down, right) {
      const spot = state.at || state.pinned || { frame: state.frame, patch: 0 };
      let frame = spot.frame;
      let row = Math.floor(spot.patch / run.cols);
      let col = spot.patch % run.cols;
      if (state.at || state.pinned) [row, col] = [row + down, col + right];
      if (col < 0 || col >= run.cols) {
        const next = frame + Math.sign(col < 0 ? -1 : 1);
        if (next < 0 || next >= run.frames) return;
        [frame, col] = [next, col < 0 ? run.cols - 1 : 0];
      }
      row = Math.min(run.rows - 1, Math.max(0, row));
      set({ at: { frame, patch: row * run.cols + col }, frame, held: true });
    },
    leap(frames) {
      const frame = Math.min(run.frames - 1, Math.max(0, state.frame + frames));
      set({ frame, at: { frame, patch: state.at ? state.at.patch : 0 }, held: true });
    },
    zoom: () => set({ zoom: !state.zoom, frame: state.at ? state.at.frame : state.frame }),
    play: () => controls.play("layer"),
    layer: (step) => set({ layer: state.layer + step }),
    view: (view) => set({ view }),
  };

  const controls = new Controls(parts, words, palette, set);
  const reading = new Reading(parts, words);
  const stage = new Stage(parts.canvas, words, on);
  const timeline = new Timeline(parts, words, palette, set);

  async function load() {
    const value = props.value;
    if (!value || !value.record) return;
    const images = await Promise.all(value.frames.map(({ url }) => loadImage(url)));
    if (value !== props.value && JSON.stringify(value) !== JSON.stringify(props.value)) return; // a newer one came
    const first = run === null;
    run = new Run(value.record);
    pictures = images.map(prepared);
    stage.load(run, pictures, palette);
    parts.root.dataset.empty = "false";
    set(first ? { layer: Math.min(run.layers - 1, (run.scored[0] ?? 0) + 1) } : {});
  }

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
    image.onerror = () => failed(new Error(`a frame did not load: ${url}`));
    image.src = url;
  });
}

startExplorer(element, props, watch);
