// @ts-check
// Merging: the groups of every view after each round, and the links along which a round merged.

/** @import { Run } from "./run.js" */

export class Merging {
  /**
   * @param {Run} run
   * @param {Int32Array[]} rounds for each, the number that every token of every view has after it; -1 fills up
   */
  constructor(run, rounds) {
    this.run = run;
    this.steps = rounds;
    this.rounds = rounds.length;
    const itself = run.row.map((row, i) => (row < 0 ? -1 : i % run.wide));
    this.numbers = [itself]; // after each round, the number of each patch's token within its view
    for (const step of rounds) {
      const wide = step.length / run.numViews;
      const before = this.numbers[this.numbers.length - 1];
      this.numbers.push(before.map((number, i) => (number < 0 ? -1 : step[Math.floor(i / run.wide) * wide + number])));
    }
    this.counts = this.numbers.map((_, round) => this.countTokens(round));
  }

  /** @param {number} round */
  countTokens(round) {
    let count = 0;
    for (let view = 0; view < this.run.numViews; view++) count += new Set(this.inView(view, round)).size;
    return count;
  }

  /**
   * The token number of each patch of a view after a round.
   *
   * @param {number} view
   * @param {number} round
   */
  inView(view, round) {
    const start = view * this.run.wide;
    return this.numbers[round].subarray(start, start + this.run.views[view].patches);
  }

  /**
   * Tokens A that a round, from 1, merged into a token B: pairs {from, to} of their patches before the round.
   *
   * @param {number} view
   * @param {number} round
   */
  links(view, round) {
    if (!round) return [];
    const wide = this.steps[round - 1].length / this.run.numViews;
    const after = this.steps[round - 1].subarray(view * wide, (view + 1) * wide);
    const members = membersOf(this.inView(view, round - 1));
    /** @type {Map<number, number>} */
    const found = new Map(); // new number → the odd token there, which the even ones joined
    for (let odd = 1; odd < wide; odd += 2) if (after[odd] >= 0) found.set(after[odd], odd);
    const links = [];
    for (let even = 0; even < wide; even += 2) {
      const joined = after[even] < 0 ? undefined : found.get(after[even]);
      if (joined !== undefined) links.push({ from: members.get(even) ?? [], to: members.get(joined) ?? [] });
    }
    return links;
  }
}

/** @param {Int32Array} numbers of each patch's token @returns {Map<number, number[]>} the patches of each token */
function membersOf(numbers) {
  const members = new Map();
  for (const [patch, number] of numbers.entries()) members.set(number, [...(members.get(number) ?? []), patch]);
  return members;
}
