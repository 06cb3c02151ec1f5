// Run: the arrays of one run, unpacked once, and every question that the explorer asks of them.
// A view is what a grid of patches covers: a frame, two frames that share their tokens, or a crop of a picture.

/** What `packed` in packing.py wrote. */
function unpacked(text, Type) {
  return new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** What `packed_log` in packing.py wrote. */
function unpackedLog({ low, high, data }) {
  return Float32Array.from(unpacked(data, Uint16Array), (level) => (level ? 2 ** (low + ((level - 1) / 65534) * (high - low)) : 0));
}

class Run {
  constructor(record) {
    this.views = record.views.map(({ grid: [rows, cols], size: [height, width], time, name }) => ({
      rows, cols, height, width, time, name, patches: rows * cols,
    }));
    this.numViews = this.views.length;
    this.layers = record.numLayers;
    this.retained = record.retained;
    this.scored = record.scored;
    this.colours = record.colours;
    this.row = unpacked(record.row, Int32Array); // of each patch
    this.group = unpacked(record.group, Int32Array);
    this.similarity = record.similarity ? unpacked(record.similarity, Float32Array) : null;
    this.wide = this.row.length / this.numViews; // patches of a view, filled up
    this.colour = unpacked(record.colour, Uint8Array); // of each visual row, like those below
    this.viewOfRow = unpacked(record.view, Int16Array);
    this.last = unpacked(record.last, Int16Array);
    const scores = unpacked(record.scores, Float32Array);
    const each = this.last.length;
    this.scores = new Map(this.scored.map((layer, i) => [layer, scores.subarray(i * each, (i + 1) * each)]));
    this.merging = new Merging(this, record.rounds.map((text) => unpacked(text, Int32Array)));
    this.recordedScores = new RecordedScores(this, record.steps);
    this.byHand = new Map(record.byHand.flatMap(({ kind, marks }) => marks.map((at) => [this.token(...at), kind])));
    this.asked = record.byHand.flatMap(({ kind, marks }) => marks.map(([view, patch]) => ({ view, patch, kind })));
    this.sizes = this.countSizes();
    this.largest = this.sizes.reduce((most, size) => Math.max(most, size), 1);
    this.tokens = new Uint32Array(this.numViews); // of each view
    for (const view of this.viewOfRow) if (view >= 0) this.tokens[view]++;
    this.alive = this.countAlive();
  }

  countSizes() {
    const sizes = new Uint16Array(this.last.length);
    for (const row of this.row) if (row >= 0) sizes[row]++;
    return sizes;
  }

  /** The row of the visual token that a patch ended in. */
  token(view, patch) {
    return this.row[view * this.wide + patch];
  }

  /** What a group is called: its view and its number there, from 1. */
  groupName(view, patch) {
    return `${view + 1}.${this.group[view * this.wide + patch] + 1}`;
  }

  /** Cosine of a patch with the token it ended in; null where it was not measured. */
  likeness(view, patch) {
    return this.similarity ? this.similarity[view * this.wide + patch] : null;
  }

  /** The patches of one view behind a token. */
  members(view, token) {
    return [...Array(this.views[view].patches).keys()].filter((patch) => this.token(view, patch) === token);
  }

  isAlive(token, layer) {
    return this.last[token] >= layer;
  }

  /** The first layer a token does not enter; null for one that is there to the end. */
  prunedBefore(token) {
    return this.last[token] === this.layers - 1 ? null : this.last[token] + 1;
  }

  /** `layer` if it was measured, else the nearest measured one below, else the first above; null if none was. */
  measured(layer) {
    const below = this.scored.filter((one) => one <= layer);
    return below.length ? below[below.length - 1] : (this.scored[0] ?? null);
  }

  /** How the tokens of a measured layer compare: in the end, or in one head after so many iterations. */
  scoreScale(layer, head = ALL_HEADS, iteration = Infinity) {
    return this.recordedScores.scoreScale(layer, head, iteration);
  }

  /** Share of a measured layer's score that each view's tokens hold, separators counted in the whole only. */
  viewShares(layer) {
    const shares = new Float64Array(this.numViews);
    let total = 0;
    this.scores.get(layer).forEach((score, token) => {
      if (Number.isNaN(score)) return;
      total += score;
      if (this.viewOfRow[token] >= 0) shares[this.viewOfRow[token]] += score;
    });
    return total > 0 ? shares.map((share) => share / total) : shares;
  }

  /** How many tokens of a view enter a layer. */
  aliveInView(view, layer) {
    return this.alive[view * this.layers + layer];
  }

  countAlive() {
    const alive = new Uint32Array(this.numViews * this.layers);
    this.viewOfRow.forEach((view, token) => {
      if (view < 0) return;
      for (let layer = 0; layer <= this.last[token]; layer++) alive[view * this.layers + layer]++;
    });
    return alive;
  }
}
