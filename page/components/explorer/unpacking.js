// @ts-check
// Unpacking: the arrays that packing.py wrote as text.

/** @typedef {{low: number, high: number, data: string}} PackedLog what `packed_log` writes */

/**
 * What `packed` wrote.
 *
 * @template T
 * @param {string} text
 * @param {new (buffer: ArrayBuffer) => T} Type
 */
export function unpacked(text, Type) {
  return new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/**
 * What `packed_log` wrote.
 *
 * @param {PackedLog} packed
 */
export function unpackedLog({ low, high, data }) {
  const log2 = (/** @type {number} */ level) => low + ((level - 1) / 65534) * (high - low);
  return Float32Array.from(unpacked(data, Uint16Array), (level) => (level ? 2 ** log2(level) : 0));
}
