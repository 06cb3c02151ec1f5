// Run: the arrays of one run, unpacked once, and every question that the explorer asks of them.

/** What `packed` in records.py wrote. */
function unpacked(text, Type) {
  return new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

class Run {
  constructor(record) {
    [this.rows, this.cols] = record.grid;
    [this.height, this.width] = record.size;
    this.times = record.times;
    this.frames = record.times.length;
    this.patches = this.rows * this.cols; // of a frame
    this.layers = record.numLayers;
    this.retained = record.retained;
    this.scored = record.scored;
    this.colours = record.colours;
    this.row = unpacked(record.row, Int32Array); // of each patch
    this.group = unpacked(record.group, Int32Array);
    this.wide = this.row.length / this.frames; // patches of a frame, filled up
    this.colour = unpacked(record.colour, Uint8Array); // of each visual row, like those below
    this.view = unpacked(record.view, Int16Array);
    this.last = unpacked(record.last, Int16Array);
    const scores = unpacked(record.scores, Float32Array);
    const each = this.last.length;
    this.scores = new Map(this.scored.map((layer, i) => [layer, scores.subarray(i * each, (i + 1) * each)]));
    this.sizes = this.countSizes();
    this.largest = this.sizes.reduce((most, size) => Math.max(most, size), 1);
    this.tokens = new Uint32Array(this.frames); // of each frame
    for (const frame of this.view) if (frame >= 0) this.tokens[frame]++;
    this.alive = this.countAlive();
    this.orders = new Map(); // layer → its scores in falling order
    this.ranges = new Map(); // layer → ends of its logarithmic scale
  }

  countSizes() {
    const sizes = new Uint16Array(this.last.length);
    for (let frame = 0; frame < this.frames; frame++)
      for (let patch = 0; patch < this.patches; patch++) sizes[this.token(frame, patch)]++;
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

  /** The patches of one frame behind a token. */
  members(frame, token) {
    return [...Array(this.patches).keys()].filter((patch) => this.token(frame, patch) === token);
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

  score(token, layer) {
    const scores = this.scores.get(layer);
    return scores ? scores[token] : NaN;
  }

  /** Scores of a measured layer in falling order, without those that were not there. */
  ordered(layer) {
    if (!this.orders.has(layer)) {
      const there = this.scores.get(layer).filter((score) => !Number.isNaN(score));
      this.orders.set(layer, there.sort().reverse());
    }
    return this.orders.get(layer);
  }

  /** Place from 1 (highest score) of a token in a measured layer, of how many; null if it was not there. */
  rank(token, layer) {
    const score = this.score(token, layer);
    if (Number.isNaN(score)) return null;
    const ordered = this.ordered(layer);
    return { place: 1 + countAbove(ordered, score), of: ordered.length };
  }

  /** How high a score stands in its layer, in [0, 1]: by rank (half of the ties count as lower) or by its logarithm. */
  height01(token, layer, scale) {
    const score = this.score(token, layer);
    if (Number.isNaN(score)) return NaN;
    const ordered = this.ordered(layer);
    if (scale === "rank") {
      const above = countAbove(ordered, score);
      const ties = countAtLeast(ordered, score) - above;
      return ordered.length < 2 ? 0.5 : 1 - (above + (ties - 1) / 2) / (ordered.length - 1);
    }
    const [low, high] = this.logRange(layer);
    return high > low ? (Math.log10(Math.max(score, 10 ** low)) - low) / (high - low) : 0.5;
  }

  /** Powers of ten between the smallest positive score of a layer's merged tokens and the largest. */
  logRange(layer) {
    if (!this.ranges.has(layer)) {
      const merged = this.scores.get(layer).filter((_, token) => this.view[token] >= 0);
      const positive = merged.filter((score) => score > 0).sort();
      const ends = positive.length ? [positive[0], positive[positive.length - 1]] : [1, 1];
      this.ranges.set(layer, ends.map(Math.log10));
    }
    return this.ranges.get(layer);
  }

  /** Share of a measured layer's score that each frame's tokens hold, separators counted in the whole only. */
  frameShares(layer) {
    const shares = new Float64Array(this.frames);
    const scores = this.scores.get(layer);
    let total = 0;
    scores.forEach((score, token) => {
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

/** How many numbers of a falling list are larger. */
function countAbove(ordered, value) {
  return bisect(ordered, (one) => one > value);
}

function countAtLeast(ordered, value) {
  return bisect(ordered, (one) => one >= value);
}

/** Length of the leading part for which `holds`. */
function bisect(list, holds) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
