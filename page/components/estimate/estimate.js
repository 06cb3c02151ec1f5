// Estimate: tiles and a curve that follow the sliders at once.

function startEstimate(element, props, watch) {
  const parts = partsOf(element);
  const { palette, model } = props;
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);
  parts.root.style.setProperty("--es-alive", palette.alive);

  const show = oncePerFrame(() => {
    const { dense, aim, vision, text } = estimate(model, props.value);
    parts.tokens.textContent = whole(aim.visual[0]);
    parts.tokensOf.textContent = fill(texts.of, { dense: whole(dense.visual[0]) });
    parts.flops.textContent = scaled(aim.flops, FLOPS_UNITS);
    parts.flopsOf.textContent = fill(texts.of, { dense: scaled(dense.flops, FLOPS_UNITS) });
    parts.kv.textContent = scaled(aim.kv, BYTES_UNITS);
    parts.kvOf.textContent = fill(texts.of, { dense: scaled(dense.kv, BYTES_UNITS) });
    parts.share.textContent = percent(aim.flops / dense.flops);
    parts.shareOf.textContent = fill(texts.withVision, { share: percent((aim.flops + vision) / (dense.flops + vision)) });
    const [height, width] = props.value.size;
    parts.how.textContent = fill(texts.how, {
      text, height, width, formula: model.formula, vision: scaled(vision, FLOPS_UNITS), bytes: model.bytes,
    });
    parts.chart.replaceChildren(curve(texts, dense.visual, aim.visual, Math.max(240, parts.chart.clientWidth)));
  });
  watch("value", show);
  new ResizeObserver(show).observe(parts.root);
  show();
}

/** SVG of `w` pixels: visual tokens entering each layer, dense as a dashed line, AIM as filled steps. */
function curve(texts, dense, aim, w) {
  const h = 132, left = 44, right = 6, top = 8, bottom = 22;
  const x = (layer) => left + ((w - left - right) * layer) / aim.length;
  const y = (count) => top + (h - top - bottom) * (1 - count / dense[0]);
  const svg = draw("svg", { viewBox: `0 0 ${w} ${h}`, role: "img" });
  svg.setAttribute("aria-label", `${texts.curve} ${aim.map((n, layer) => `${layer}: ${whole(n)}`).join(", ")}`);
  for (const count of [0, dense[0]]) {
    svg.append(draw("line", { x1: left, x2: w - right, y1: y(count), y2: y(count), class: count ? "dense" : "rule" }));
    svg.append(draw("text", { x: left - 6, y: y(count) + 4, class: "end" }, whole(count)));
  }
  const steps = aim.map((n, layer) => `H${x(layer)}V${y(n)}H${x(layer + 1)}`).join("");
  svg.append(draw("path", { d: `M${x(0)},${y(0)}${steps}V${y(0)}Z`, class: "fill" }));
  svg.append(draw("path", { d: `M${x(0)},${y(aim[0])}${steps}`, class: "line" }));
  if (aim[0] < 0.86 * dense[0]) svg.append(draw("text", { x: left - 6, y: y(aim[0]) + 4, class: "end strong" }, whole(aim[0])));
  const every = Math.ceil(aim.length / 12);
  for (let layer = 0; layer < aim.length; layer += every)
    svg.append(draw("text", { x: (x(layer) + x(layer + 1)) / 2, y: h - 6, class: "mid" }, String(layer)));
  return svg;
}

startEstimate(element, props, watch);
