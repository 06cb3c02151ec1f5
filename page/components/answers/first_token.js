// First token: a table of first tokens, one column for each run, with a bar behind each probability.

class FirstTokenTable {
  constructor(parts, words) {
    Object.assign(this, { parts, words });
  }

  show(record) {
    const { parts, words } = this;
    parts.firstToken.dataset.empty = !record;
    parts.firstTokenTable.replaceChildren(...(record ? this.table(record) : []));
    parts.firsts.textContent = record ? this.firsts(record) : words.noFirstToken;
    parts.kl.replaceChildren(...(record ? record.kl.map((nats, i) => this.distance(nats, i)) : []));
  }

  table({ sides, rows }) {
    const { words } = this;
    const names = [words.token, ...sides.map((side) => words[side])];
    const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
    const body = rows.map(([word, ...shares]) =>
      make("tr", {}, make("th", { scope: "row", title: word }, word), ...shares.map((share, i) => cell(share, sides[i]))));
    return [make("caption", {}, words.firstTokenCaption), make("thead", {}, head), make("tbody", {}, ...body)];
  }

  firsts({ firsts, same }) {
    const { words } = this;
    if (same) return fill(words.sameFirst, { word: firsts[0] });
    const [dense, aim, hand] = firsts;
    return fill(hand === undefined ? words.otherFirst : words.otherFirsts, { dense, aim, hand });
  }

  distance(nats, place) {
    return make("li", {}, fill(this.words.kl[place], { nats: short(nats) }));
  }
}

/** One probability: its number over a bar of that length. */
function cell(share, side) {
  const bar = make("i", { "data-side": side, "aria-hidden": "true" });
  bar.style.setProperty("--share", Math.min(1, share));
  return make("td", {}, bar, make("span", {}, probability(share)));
}

/** 97.3 %, or "<0.1 %", or ">99.9 %". */
function probability(share) {
  if (share >= 0.9995) return ">99.9 %";
  return share > 0 && share < 0.0005 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`;
}

/** Three digits: 0.0123, or "<0.001"; null is infinite. */
function short(nats) {
  if (nats === null) return "∞";
  return nats > 0 && nats < 0.001 ? "<0.001" : String(+nats.toPrecision(3));
}
