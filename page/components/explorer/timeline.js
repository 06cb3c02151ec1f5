// Timeline: every view as a column; which share of the score it holds now, and what is left of it in each layer.

class Timeline {
  constructor(parts, texts, palette, choose) {
    Object.assign(this, { canvas: parts.time, note: parts.timeNote, texts, palette });
    this.canvas.addEventListener("click", (event) => {
      const spot = this.spotAt(event.offsetX, event.offsetY);
      if (spot) choose(spot);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step || !this.run) return;
      event.preventDefault();
      choose({ view: this.choice.view + step[0], layer: this.choice.layer + step[1] });
    });
  }

  /** Where things are, in CSS pixels. */
  measures() {
    const width = this.canvas.clientWidth;
    const left = 46;
    const column = (width - left) / this.run.numViews;
    const thumb = Math.min(64, Math.max(10, (column - 4) * Math.max(...this.run.views.map((view) => view.height / view.width))));
    const bars = 74 + 34; // thumbnails' room and the bars under them
    return { width, left, column, thumb, barTop: 74, matrixTop: bars + 10, height: this.canvas.clientHeight };
  }

  spotAt(x, y) {
    if (!this.run) return null;
    const { left, column, matrixTop, height } = this.measures();
    const view = Math.floor((x - left) / column);
    if (view < 0 || view >= this.run.numViews) return null;
    const layer = Math.floor(((y - matrixTop) / (height - matrixTop)) * this.run.layers);
    return y < matrixTop ? { view } : { view, layer: Math.min(this.run.layers - 1, layer) };
  }

  /** Draw a run with the chosen view and layer marked. */
  show(run, pictures, choice) {
    const { canvas } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const style = getComputedStyle(canvas);
    const wanted = JSON.stringify([choice.view, choice.layer, canvas.clientWidth, ratio, style.color]);
    if (run === this.run && wanted === this.drawn) return;
    Object.assign(this, { run, pictures, choice: { ...choice }, drawn: wanted });
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    if (!run || !canvas.width) return;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    this.ink = style.color;
    this.muted = style.getPropertyValue("--tx-muted");
    this.rule = style.getPropertyValue("--tx-rule");
    this.font = `11px ${style.fontFamily}`;
    this.thumbs(ctx);
    this.bars(ctx);
    this.matrix(ctx);
    this.note.textContent = this.sentence();
  }

  thumbs(ctx) {
    const { left, column, thumb } = this.measures();
    for (let view = 0; view < this.run.numViews; view++) {
      const { width, height } = this.run.views[view];
      const wide = Math.min(column - 4, (thumb * width) / height);
      const x = left + view * column + (column - wide) / 2;
      ctx.drawImage(this.pictures[view].plain, x, 66 - thumb, wide, thumb);
      if (view !== this.choice.view) continue;
      ctx.strokeStyle = this.palette.alive;
      ctx.lineWidth = 2.5;
      ctx.strokeRect(x - 1, 65 - thumb, wide + 2, thumb + 2);
    }
  }

  bars(ctx) {
    const { left, column, barTop } = this.measures();
    const measured = this.run.measured(this.choice.layer);
    const shares = measured === null ? [] : this.run.viewShares(measured);
    const most = Math.max(1e-9, ...shares);
    this.label(ctx, this.texts.share, barTop + 22);
    shares.forEach((share, view) => {
      const tall = 30 * (share / most);
      ctx.fillStyle = this.palette.language;
      ctx.fillRect(left + view * column + 2, barTop + 34 - tall, column - 4, tall);
      if (column < 34) return;
      const inside = tall > 16;
      const at = inside ? barTop + 34 - tall + 11 : barTop + 30 - tall;
      this.text(ctx, percent(share), left + (view + 0.5) * column, at, inside ? "#ffffff" : this.ink, "center");
    });
  }

  matrix(ctx) {
    const { width, left, column, matrixTop, height } = this.measures();
    const row = (height - matrixTop) / this.run.layers;
    const every = Math.ceil(13 / row);
    for (let layer = 0; layer < this.run.layers; layer++) {
      const y = matrixTop + layer * row;
      const chosen = layer === this.choice.layer;
      if (chosen || (layer % every === 0 && Math.abs(layer - this.choice.layer) >= every))
        this.text(ctx, `L${layer}`, left - 10, y + row / 2 + 4, chosen ? this.ink : this.muted, "right");
      for (let view = 0; view < this.run.numViews; view++)
        this.cell(ctx, left + view * column, y, column, row, view, layer);
    }
    ctx.strokeStyle = this.ink;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(left, matrixTop + this.choice.layer * row + 0.5, width - left - 1, row - 1);
  }

  cell(ctx, x, y, w, h, view, layer) {
    const alive = this.run.aliveInView(view, layer);
    ctx.fillStyle = this.rule;
    ctx.globalAlpha = 0.45;
    ctx.fillRect(x + 1, y + 1, w - 2, h - 2);
    ctx.fillStyle = this.palette.alive;
    ctx.globalAlpha = alive ? 0.1 + (0.55 * alive) / this.run.tokens[view] : 0;
    ctx.fillRect(x + 1, y + 1, w - 2, h - 2);
    ctx.globalAlpha = 1;
    if (w >= 26 && h >= 12) this.text(ctx, alive || "·", x + w / 2, y + h / 2 + 4, alive ? this.ink : this.muted, "center");
  }

  label(ctx, string, y) {
    this.text(ctx, string, 0, y, this.muted, "left");
  }

  text(ctx, string, x, y, colour, align) {
    Object.assign(ctx, { font: this.font, fillStyle: colour, textAlign: align });
    ctx.fillText(string, x, y);
  }

  /** The picture in one sentence, for everyone and for screen readers. */
  sentence() {
    const { run, texts, choice } = this;
    const gone = [...Array(run.numViews).keys()].filter((view) => !run.aliveInView(view, choice.layer));
    const left = run.numViews - gone.length;
    const alive = fill(texts.framesLeft, { layer: choice.layer, left, frames: run.numViews });
    const measured = run.measured(choice.layer);
    if (measured === null) return alive;
    const shares = [...run.viewShares(measured)];
    const top = shares.indexOf(Math.max(...shares));
    return `${alive} ${fill(texts.topFrame, { name: nameOf(run, texts, top), share: percent(shares[top]), layer: measured })}`;
  }
}
