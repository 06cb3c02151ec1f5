// Run: the arrays of one run, unpacked once, and every question that the explorer asks of them.
// A "frame" in these scripts is a view of the run: a frame, two frames that share a plane, or a crop of a picture.

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
    this.frames = this.views.length;
    this.layers = record.numLayers;
    this.retained = record.retained;
    this.scored = record.scored;
    this.colours = record.colours;
    this.row = unpacked(record.row, Int32Array); // of each patch
    this.group = unpacked(record.group, Int32Array);
    this.similarity = record.similarity ? unpacked(record.similarity, Float32Array) : null;
    this.wide = this.row.length / this.frames; // patches of a frame, filled up
    this.colour = unpacked(record.colour, Uint8Array); // of each visual row, like those below
    this.view = unpacked(record.view, Int16Array);
    this.last = unpacked(record.last, Int16Array);
    const scores = unpacked(record.scores, Float32Array);
    const each = this.last.length;
    this.scores = new Map(this.scored.map((layer, i) => [layer, scores.subarray(i * each, (i + 1) * each)]));
    this.merging = new Merging(this, record.rounds.map((text) => unpacked(text, Int32Array)));
    this.recordedScores = new RecordedScores(this, record.steps);
    this.byHand = new Map(record.byHand.flatMap(({ kind, marks }) => marks.map((at) => [this.token(...at), kind])));
    this.asked = record.byHand.flatMap(({ kind, marks }) => marks.map(([frame, patch]) => ({ frame, patch, kind })));
    this.sizes = this.countSizes();
    this.largest = this.sizes.reduce((most, size) => Math.max(most, size), 1);
    this.tokens = new Uint32Array(this.frames); // of each frame
    for (const frame of this.view) if (frame >= 0) this.tokens[frame]++;
    this.alive = this.countAlive();
  }

  countSizes() {
    const sizes = new Uint16Array(this.last.length);
    for (const row of this.row) if (row >= 0) sizes[row]++;
    return sizes;
  }

  /** The row of the visual token that a patch ended in. */
  token(frame, patch) {
    return this.row[frame * this.wide + patch];
  }

  /** What a group is called: its frame and its number there, from 1. */
  groupName(frame, patch) {
    return `${frame + 1}.${this.group[frame * this.wide + patch] + 1}`;
  }

  /** Cosine of a patch with the token it ended in; null where it was not measured. */
  likeness(frame, patch) {
    return this.similarity ? this.similarity[frame * this.wide + patch] : null;
  }

  /** The patches of one frame behind a token. */
  members(frame, token) {
    return [...Array(this.views[frame].patches).keys()].filter((patch) => this.token(frame, patch) === token);
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

  /** Share of a measured layer's score that each frame's tokens hold, separators counted in the whole only. */
  frameShares(layer) {
    const shares = new Float64Array(this.frames);
    let total = 0;
    this.scores.get(layer).forEach((score, token) => {
      if (Number.isNaN(score)) return;
      total += score;
      if (this.view[token] >= 0) shares[this.view[token]] += score;
    });
    return total > 0 ? shares.map((share) => share / total) : shares;
  }

  /** How many tokens of a frame enter a layer. */
  frameAlive(frame, layer) {
    return this.alive[frame * this.layers + layer];
  }

  countAlive() {
    const alive = new Uint32Array(this.frames * this.layers);
    this.view.forEach((frame, token) => {
      if (frame < 0) return;
      for (let layer = 0; layer <= this.last[token]; layer++) alive[frame * this.layers + layer]++;
    });
    return alive;
  }
}
