// @ts-check
// Pinch: two fingers that move apart over a frame enlarge it, and together shrink it again.

const APART = 1.25; // how far the distance of the fingers has to grow, or to shrink, to count

export class Pinch {
  /**
   * @param {HTMLElement} element
   * @param {{apart: (middle: {clientX: number, clientY: number}) => void, together: () => void}} on
   */
  constructor(element, on) {
    this.on = on;
    this.began = 0; // distance of the fingers
    element.addEventListener("touchstart", (event) => this.start(event));
    element.addEventListener("touchmove", (event) => this.move(event), { passive: false });
  }

  /** @param {TouchEvent} event */
  start({ touches }) {
    this.began = touches.length === 2 ? distance(touches[0], touches[1]) : 0;
  }

  /** @param {TouchEvent} event */
  move(event) {
    if (!this.began || event.touches.length !== 2) return;
    event.preventDefault(); // neither scroll nor enlarge the page
    const [one, other] = event.touches;
    const grown = distance(one, other) / this.began;
    if (grown < APART && grown > 1 / APART) return;
    this.began = 0;
    if (grown > 1)
      this.on.apart({ clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 });
    else this.on.together();
  }
}

/** @param {Touch} one @param {Touch} other */
function distance(one, other) {
  return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
}
