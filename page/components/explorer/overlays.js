// Overlays: what lies over a painted view: links of a merge, marks by hand, the cursor, the pinned group.

const DARK = "rgba(0, 0, 0, 0.75)"; // beside a light line, so that it is seen on any picture

class Overlays {
  constructor(run, palette) {
    Object.assign(this, { run, palette });
  }

  /** From each token that a round merged to the one it joined; `grown` is the share of the way that is drawn. */
  links(ctx, box, view, round, grown) {
    const grid = this.run.views[view];
    const cell = Math.min(box.w / grid.cols, box.h / grid.rows);
    const lines = new Path2D();
    const ends = new Path2D();
    for (const { from, to } of this.run.merging.links(view, round)) {
      const [x, y] = middle(grid, box, from);
      const [endX, endY] = middle(grid, box, to);
      lines.moveTo(x, y);
      lines.lineTo(x + grown * (endX - x), y + grown * (endY - y));
      ends.moveTo(endX, endY);
      ends.arc(endX, endY, Math.max(1.5, cell / 8), 0, 2 * Math.PI);
    }
    const width = Math.max(1, cell / 14);
    stroke(ctx, lines, DARK, width + Math.max(1.5, width));
    stroke(ctx, ends, DARK, Math.max(1.5, width));
    stroke(ctx, lines, this.palette.line, width);
    ctx.fillStyle = this.palette.alive;
    ctx.fill(ends);
  }

  /** Protected groups have a line of their own and a plus, removed ones are hatched and have a cross. */
  marks(ctx, box, view, kinds) {
    const grid = this.run.views[view];
    for (const [token, kind] of kinds) {
      if (this.run.viewOfRow[token] !== view) continue;
      const patches = this.run.members(view, token);
      if (kind !== "protect") this.hatch(ctx, area(grid, box, (patch) => patches.includes(patch)), box, grid);
      this.outline(ctx, box, view, token, kind === "protect" ? this.palette.protected : this.palette.line, 1);
      this.badge(ctx, patchBox(grid, box, patches[0]), kind);
    }
  }

  hatch(ctx, path, box, grid) {
    const step = Math.max(4, Math.min(box.w / grid.cols, box.h / grid.rows) / 3);
    ctx.save();
    ctx.clip(path);
    ctx.fillStyle = "rgba(6, 9, 16, 0.62)";
    ctx.fill(path);
    const lines = new Path2D();
    for (let at = -box.h; at < box.w; at += step) {
      lines.moveTo(box.x + at, box.y + box.h);
      lines.lineTo(box.x + at + box.h, box.y);
    }
    stroke(ctx, lines, "rgba(255, 255, 255, 0.7)", Math.max(1, step / 6));
    ctx.restore();
  }

  /** A round sign in the middle of a patch: plus, cross, or both for a token that is marked both ways. */
  badge(ctx, { x, y, w, h }, kind) {
    const size = Math.max(5, Math.min(w, h) * 0.36);
    const [midX, midY] = [x + w / 2, y + h / 2];
    const sign = new Path2D();
    const arm = size * 0.55;
    const stroked = (dx, dy) => {
      sign.moveTo(midX - dx, midY - dy);
      sign.lineTo(midX + dx, midY + dy);
    };
    if (kind !== "remove") [[arm, 0], [0, arm]].forEach((way) => stroked(...way));
    if (kind !== "protect") [[arm * 0.75, arm * 0.75], [arm * 0.75, -arm * 0.75]].forEach((way) => stroked(...way));
    const disc = new Path2D();
    disc.arc(midX, midY, size, 0, 2 * Math.PI);
    ctx.fillStyle = "#0b0e14";
    ctx.fill(disc);
    const colour = kind === "protect" ? this.palette.protected : this.palette.line;
    stroke(ctx, disc, colour, Math.max(1, size / 6));
    stroke(ctx, sign, colour, Math.max(1.5, size / 4));
  }

  /** The patch that is read: its group outlined, itself brighter. */
  cursor(ctx, box, { view, patch }, label) {
    const grid = this.run.views[view];
    const { x, y, w, h } = patchBox(grid, box, patch);
    ctx.fillStyle = "rgba(255, 255, 255, 0.22)";
    ctx.fillRect(x, y, w, h);
    const group = borders(grid, box, (one) => label(one) === label(patch), (inside) => inside);
    stroke(ctx, group, DARK, thickness(grid, box) + 2);
    stroke(ctx, group, "#ffffff", thickness(grid, box));
  }

  /** The pinned group: lit up, everything else of its view under a veil. */
  pin(ctx, box, { view, patch }) {
    const token = this.run.token(view, patch);
    ctx.fillStyle = "rgba(6, 9, 16, 0.55)";
    ctx.fill(area(this.run.views[view], box, (one) => this.run.token(view, one) !== token));
    this.outline(ctx, box, view, token, this.palette.alive, 1);
  }

  outline(ctx, box, view, token, colour, more) {
    const grid = this.run.views[view];
    const group = borders(grid, box, (one) => this.run.token(view, one) === token, (inside) => inside);
    stroke(ctx, group, DARK, thickness(grid, box) + more + 2);
    stroke(ctx, group, colour, thickness(grid, box) + more);
  }

  /** A view that does not hold the pinned group. */
  veil(ctx, box) {
    ctx.fillStyle = "rgba(6, 9, 16, 0.3)";
    ctx.fillRect(box.x, box.y, box.w, box.h);
  }
}
