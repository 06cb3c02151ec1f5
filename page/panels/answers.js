// Answers: two cards; a word that only one answer has is underlined and tinted.

function startAnswers(element, props, watch) {
  const parts = partsOf(element);
  const { palette } = props;
  const words = spoken(props.words);
  spell(element, words);
  parts.root.style.setProperty("--an-alive", palette.alive);
  parts.root.style.setProperty("--an-dense", palette.pruned);

  function show() {
    const { dense = null, aim = null, agreement = null } = props.value || {};
    side("dense", dense);
    side("aim", aim);
    parts.verdict.textContent = !dense ? words.nothing : !agreement ? words.waiting : verdict(agreement);
    parts.root.dataset.same = Boolean(agreement && agreement.shared === agreement.most);
  }

  function verdict({ shared, most }) {
    if (shared === 0) return words.apart;
    return shared === most ? words.same : fill(words.differ, { shared, most });
  }

  function side(name, answer) {
    const said = answer ? answer.words.map(([kind, word]) => make("span", { "data-kind": kind }, word)) : ["–"];
    parts[name].replaceChildren(...said.flatMap((word) => [word, " "]));
    for (const field of ["tokens", "flops", "time"])
      parts[`${name}-${field}`].textContent = answer ? answer[field] : "–";
  }

  watch("value", show);
  show();
}

startAnswers(element, props, watch);
