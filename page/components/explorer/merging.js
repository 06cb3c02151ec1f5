// Merging: the groups of every frame after each round, and the links along which a round merged.

class Merging {
  /** rounds: for each round, the number that every token of every frame has after it; -1 fills up. */
  constructor(run, rounds) {
    Object.assign(this, { run, steps: rounds, rounds: rounds.length });
    const itself = run.row.map((row, i) => (row < 0 ? -1 : i % run.wide));
    this.numbers = [itself]; // after each round, the number of each patch's token within its frame
    for (const step of rounds) {
      const wide = step.length / run.frames;
      const before = this.numbers[this.numbers.length - 1];
      this.numbers.push(before.map((number, i) => (number < 0 ? -1 : step[Math.floor(i / run.wide) * wide + number])));
    }
    this.counts = this.numbers.map((_, round) => this.countTokens(round));
  }

  countTokens(round) {
    let count = 0;
    for (let frame = 0; frame < this.run.frames; frame++) count += new Set(this.inFrame(frame, round)).size;
    return count;
  }

  /** The token number of each patch of a frame after a round. */
  inFrame(frame, round) {
    const start = frame * this.run.wide;
    return this.numbers[round].subarray(start, start + this.run.views[frame].patches);
  }

  /** How many patches each token of a frame stands for after a round, by number. */
  sizes(frame, round) {
    const sizes = new Map();
    for (const number of this.inFrame(frame, round)) sizes.set(number, (sizes.get(number) || 0) + 1);
    return sizes;
  }

  /** Tokens A that a round, from 1, merged into a token B: pairs {from, to} of their patches before the round. */
  links(frame, round) {
    if (!round) return [];
    const wide = this.steps[round - 1].length / this.run.frames;
    const after = this.steps[round - 1].subarray(frame * wide, (frame + 1) * wide);
    const members = new Map();
    this.inFrame(frame, round - 1).forEach((number, patch) => members.set(number, [...(members.get(number) || []), patch]));
    const found = new Map(); // new number → the odd token there, which the even ones joined
    for (let odd = 1; odd < wide; odd += 2) if (after[odd] >= 0) found.set(after[odd], odd);
    const links = [];
    for (let even = 0; even < wide; even += 2)
      if (after[even] >= 0 && found.has(after[even])) links.push({ from: members.get(even), to: members.get(found.get(after[even])) });
    return links;
  }
}
