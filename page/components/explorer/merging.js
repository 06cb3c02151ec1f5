// Merging: the groups of every view after each round, and the links along which a round merged.

class Merging {
  /** rounds: for each round, the number that every token of every view has after it; -1 fills up. */
  constructor(run, rounds) {
    Object.assign(this, { run, steps: rounds, rounds: rounds.length });
    const itself = run.row.map((row, i) => (row < 0 ? -1 : i % run.wide));
    this.numbers = [itself]; // after each round, the number of each patch's token within its view
    for (const step of rounds) {
      const wide = step.length / run.numViews;
      const before = this.numbers[this.numbers.length - 1];
      this.numbers.push(before.map((number, i) => (number < 0 ? -1 : step[Math.floor(i / run.wide) * wide + number])));
    }
    this.counts = this.numbers.map((_, round) => this.countTokens(round));
  }

  countTokens(round) {
    let count = 0;
    for (let view = 0; view < this.run.numViews; view++) count += new Set(this.inView(view, round)).size;
    return count;
  }

  /** The token number of each patch of a view after a round. */
  inView(view, round) {
    const start = view * this.run.wide;
    return this.numbers[round].subarray(start, start + this.run.views[view].patches);
  }

  /** How many patches each token of a view stands for after a round, by number. */
  sizes(view, round) {
    const sizes = new Map();
    for (const number of this.inView(view, round)) sizes.set(number, (sizes.get(number) || 0) + 1);
    return sizes;
  }

  /** Tokens A that a round, from 1, merged into a token B: pairs {from, to} of their patches before the round. */
  links(view, round) {
    if (!round) return [];
    const wide = this.steps[round - 1].length / this.run.numViews;
    const after = this.steps[round - 1].subarray(view * wide, (view + 1) * wide);
    const members = new Map();
    this.inView(view, round - 1).forEach((number, patch) => members.set(number, [...(members.get(number) || []), patch]));
    const found = new Map(); // new number → the odd token there, which the even ones joined
    for (let odd = 1; odd < wide; odd += 2) if (after[odd] >= 0) found.set(after[odd], odd);
    const links = [];
    for (let even = 0; even < wide; even += 2)
      if (after[even] >= 0 && found.has(after[even])) links.push({ from: members.get(even), to: members.get(found.get(after[even])) });
    return links;
  }
}
