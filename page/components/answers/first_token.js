// First token: a table of first tokens, one column for each run, with a bar behind each probability.

class FirstTokenTable {
  constructor(parts, texts) {
    Object.assign(this, { parts, texts });
  }

  show(record) {
    const { parts, texts } = this;
    parts.firstToken.dataset.empty = !record;
    parts.firstTokenTable.replaceChildren(...(record ? this.table(record) : []));
    parts.firsts.textContent = record ? this.firsts(record) : texts.noFirstToken;
    parts.kl.replaceChildren(...(record ? record.kl.map((nats, i) => this.distance(nats, i)) : []));
  }

  table({ sides, rows }) {
    const { texts } = this;
    const names = [texts.token, ...sides.map((side) => texts[side])];
    const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
    const body = rows.map(([word, ...shares]) =>
      make("tr", {}, make("th", { scope: "row", title: word }, word), ...shares.map((share, i) => cell(share, sides[i]))));
    return [make("caption", {}, texts.firstTokenCaption), make("thead", {}, head), make("tbody", {}, ...body)];
  }

  firsts({ firsts, same }) {
    const { texts } = this;
    if (same) return fill(texts.sameFirst, { word: firsts[0] });
    const [dense, aim, hand] = firsts;
    return fill(hand === undefined ? texts.otherFirst : texts.otherFirsts, { dense, aim, hand });
  }

  distance(nats, place) {
    return make("li", {}, fill(this.texts.kl[place], { nats: short(nats) }));
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
