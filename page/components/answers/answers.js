// Answers: a card for each run; a word that another run's answer lacks is underlined and tinted.

function startAnswers(element, props, watch, trigger) {
  const parts = partsOf(element);
  const { palette } = props;
  const texts = inPageLanguage(props.texts);
  const firstToken = new FirstTokenTable(parts, texts);
  fillTexts(element, texts);
  parts.root.style.setProperty("--an-alive", palette.alive);
  parts.root.style.setProperty("--an-dense", palette.pruned);
  parts.root.style.setProperty("--an-hand", palette.language);
  parts.undo.addEventListener("click", () => trigger("undo"));

  function show() {
    const { dense = null, aim = null, hand = null, agreement = null, marks = null, firstToken: first = null } = props.value || {};
    side("dense", dense);
    side("aim", aim);
    side("hand", hand);
    parts.verdict.textContent = !dense ? texts.nothing : !agreement ? texts.waiting : verdict(agreement);
    parts.root.dataset.same = Boolean(agreement && agreement.shared === agreement.most);
    byHand(marks);
    firstToken.show(first);
  }

  function verdict({ shared, most }) {
    if (shared === 0) return texts.apart;
    return shared === most ? texts.same : fill(texts.differ, { shared, most });
  }

  function side(name, answer) {
    const said = answer ? answer.words.map(([kind, word]) => make("span", { "data-kind": kind }, word)) : ["–"];
    parts[name].replaceChildren(...said.flatMap((word) => [word, " "]));
    for (const field of ["tokens", "flops", "time"])
      if (parts[`${name}-${field}`]) parts[`${name}-${field}`].textContent = answer ? answer[field] : "–";
  }

  function byHand(marks) {
    parts.handCard.hidden = !marks;
    if (!marks) return;
    parts.protected.textContent = whole(marks.protected);
    parts.removed.textContent = whole(marks.removed);
    parts.handVerdict.textContent = marks.same ? texts.handSame : texts.handOther;
  }

  watch("value", show);
  show();
}

startAnswers(element, props, watch, trigger);
