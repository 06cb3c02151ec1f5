// Timeline: every frame as a column; which share of the score it holds now, and what is left of it in each layer.

class Timeline {
  constructor(parts, words, palette, choose) {
    Object.assign(this, { canvas: parts.time, note: parts.timeNote, words, palette });
    this.canvas.addEventListener("click", (event) => {
      const spot = this.spotAt(event.offsetX, event.offsetY);
      if (spot) choose(spot);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step || !this.run) return;
      event.preventDefault();
      choose({ frame: this.choice.frame + step[0], layer: this.choice.layer + step[1] });
    });
  }

  /** Where things are, in CSS pixels. */
  measures() {
    const width = this.canvas.clientWidth;
    const left = 46;
    const column = (width - left) / this.run.frames;
    const thumb = Math.min(64, Math.max(10, (column - 4) * Math.max(...this.run.views.map((view) => view.height / view.width))));
    const bars = 74 + 34; // thumbnails' room and the bars under them
    return { width, left, column, thumb, barTop: 74, matrixTop: bars + 10, height: this.canvas.clientHeight };
  }

  spotAt(x, y) {
    if (!this.run) return null;
    const { left, column, matrixTop, height } = this.measures();
    const frame = Math.floor((x - left) / column);
    if (frame < 0 || frame >= this.run.frames) return null;
    const layer = Math.floor(((y - matrixTop) / (height - matrixTop)) * this.run.layers);
    return y < matrixTop ? { frame } : { frame, layer: Math.min(this.run.layers - 1, layer) };
  }

  /** Draw a run with the chosen frame and layer marked. */
  show(run, pictures, choice) {
    const { canvas } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const style = getComputedStyle(canvas);
    const wanted = JSON.stringify([choice.frame, choice.layer, canvas.clientWidth, ratio, style.color]);
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
    for (let frame = 0; frame < this.run.frames; frame++) {
      const { width, height } = this.run.views[frame];
      const wide = Math.min(column - 4, (thumb * width) / height);
      const x = left + frame * column + (column - wide) / 2;
      ctx.drawImage(this.pictures[frame].plain, x, 66 - thumb, wide, thumb);
      if (frame !== this.choice.frame) continue;
      ctx.strokeStyle = this.palette.alive;
      ctx.lineWidth = 2.5;
      ctx.strokeRect(x - 1, 65 - thumb, wide + 2, thumb + 2);
    }
  }

  bars(ctx) {
    const { left, column, barTop } = this.measures();
    const measured = this.run.measured(this.choice.layer);
    const shares = measured === null ? [] : this.run.frameShares(measured);
    const most = Math.max(1e-9, ...shares);
    this.label(ctx, this.words.share, barTop + 22);
    shares.forEach((share, frame) => {
      const tall = 30 * (share / most);
      ctx.fillStyle = this.palette.language;
      ctx.fillRect(left + frame * column + 2, barTop + 34 - tall, column - 4, tall);
      if (column < 34) return;
      const inside = tall > 16;
      const at = inside ? barTop + 34 - tall + 11 : barTop + 30 - tall;
      this.text(ctx, percent(share), left + (frame + 0.5) * column, at, inside ? "#ffffff" : this.ink, "center");
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
      for (let frame = 0; frame < this.run.frames; frame++)
        this.cell(ctx, left + frame * column, y, column, row, frame, layer);
    }
    ctx.strokeStyle = this.ink;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(left, matrixTop + this.choice.layer * row + 0.5, width - left - 1, row - 1);
  }

  cell(ctx, x, y, w, h, frame, layer) {
    const alive = this.run.frameAlive(frame, layer);
    ctx.fillStyle = this.rule;
    ctx.globalAlpha = 0.45;
    ctx.fillRect(x + 1, y + 1, w - 2, h - 2);
    ctx.fillStyle = this.palette.alive;
    ctx.globalAlpha = alive ? 0.1 + (0.55 * alive) / this.run.tokens[frame] : 0;
    ctx.fillRect(x + 1, y + 1, w - 2, h - 2);
    ctx.globalAlpha = 1;
    if (w >= 26 && h >= 12) this.text(ctx, alive || "·", x + w / 2, y + h / 2 + 4, alive ? this.ink : this.muted, "center");
  }

  label(ctx, words, y) {
    this.text(ctx, words, 0, y, this.muted, "left");
  }

  text(ctx, words, x, y, colour, align) {
    Object.assign(ctx, { font: this.font, fillStyle: colour, textAlign: align });
    ctx.fillText(words, x, y);
  }

  /** The picture in one sentence, for everyone and for screen readers. */
  sentence() {
    const { run, words, choice } = this;
    const gone = [...Array(run.frames).keys()].filter((frame) => !run.frameAlive(frame, choice.layer));
    const left = run.frames - gone.length;
    const alive = fill(words.framesLeft, { layer: choice.layer, left, frames: run.frames });
    const measured = run.measured(choice.layer);
    if (measured === null) return alive;
    const shares = [...run.frameShares(measured)];
    const top = shares.indexOf(Math.max(...shares));
    return `${alive} ${fill(words.topFrame, { name: nameOf(run, words, top), share: percent(shares[top]), layer: measured })}`;
  }
}
