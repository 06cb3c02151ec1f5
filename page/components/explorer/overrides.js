// Overrides: patches that a visitor protects or removes by hand, each {view, patch, kind}.

const KINDS = ["protect", "remove"];

/** The marks after a click: those of the patch's group go, and a new one comes unless it was of this kind. */
function marksWith(run, marks, { view, patch }, kind) {
  const token = run.token(view, patch);
  const isOwn = (mark) => run.token(mark.view, mark.patch) === token;
  const others = marks.filter((mark) => !isOwn(mark));
  const isSame = marks.some((mark) => isOwn(mark) && mark.kind === kind);
  return isSame || !KINDS.includes(kind) ? others : [...others, { view, patch, kind }];
}

/** Token → how it is marked: "protect", "remove", or "both" where a merge brought two marks together. */
function markedTokens(run, marks) {
  const kinds = new Map();
  for (const { view, patch, kind } of marks) {
    const token = run.token(view, patch);
    kinds.set(token, kinds.has(token) && kinds.get(token) !== kind ? "both" : kind);
  }
  return kinds;
}

/** The marks that still have their picture and patch in another run; pictures have addresses of their own. */
function marksCarried(marks, before, after, run) {
  return marks.flatMap((mark) => {
    const stays = after[mark.view] === before[mark.view];
    const view = stays ? mark.view : after.indexOf(before[mark.view]);
    return view >= 0 && mark.patch < run.views[view].patches ? [{ ...mark, view }] : [];
  });
}

/** Whether a run was asked without the marks of the one before. */
function areTakenBack(before, after) {
  return before.asked.length > 0 && after.asked.length === 0;
}

/** The marks that a run was not asked with. */
function withoutAsked(marks, { asked }) {
  return marks.filter((mark) => !asked.some((one) => areSameMarks([one], [mark])));
}

/** Whether two lists mark the same patches in the same way. */
function areSameMarks(one, other) {
  const names = (marks) => marks.map(({ view, patch, kind }) => `${view} ${patch} ${kind}`).sort().join();
  return names(one) === names(other);
}

/** What the server is asked with: lists of [view, patch]. */
function marksAsked(marks) {
  const of = (kind) => marks.filter((mark) => mark.kind === kind).map(({ view, patch }) => [view, patch]);
  return Object.fromEntries(KINDS.map((kind) => [kind, of(kind)]));
}

/** The toolbar: what a click does, how many are marked, and the button that asks again. */
class MarksBar {
  constructor(parts, texts, on) {
    Object.assign(this, { parts, texts });
    parts.clear.addEventListener("click", () => on.clear());
    parts.ask.addEventListener("click", () => on.ask());
  }

  show(run, { marks }) {
    const isSame = run && areSameMarks(marks, run.asked);
    const isBoth = run && [...markedTokens(run, marks).values()].includes("both");
    this.parts.ask.disabled = !run || isSame || isBoth;
    this.parts.clear.disabled = !marks.length;
    this.parts.marksNote.textContent = this.note(marks, isSame, isBoth);
  }

  note(marks, isSame, isBoth) {
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, marks.filter((mark) => mark.kind === kind).length]));
    if (isBoth) return this.texts.marksBoth;
    if (!marks.length) return isSame === false ? this.texts.marksGone : this.texts.marksHint;
    return fill(isSame ? this.texts.marksAsked : this.texts.marksNew, counts);
  }
}
