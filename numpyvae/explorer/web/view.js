"use strict";
// What the canvas of the latent space shows, and where. Coordinates on it are (a, b): the two
// latents, or two principal components of the means; with one latent, a is z and b means nothing.

const WIDEST_VIEW = Math.max(6, 1.1 * means.reduce((far, v) => Math.max(far, Math.abs(v)), 0)); // half the width
const NARROWEST_VIEW = 0.02;
const SMALL_STEP = 0.01; // of a key, in half widths of the view
const canvas = find("plane");
const view = { a: 0, b: 0, half: 4, width: 0, height: 0, ratio: 1 };
const components = data.components ?? { center: [0, 0], directions: [[1, 0], [0, 1]] };
const product = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);

function project(z) {
  if (model.latent === 1) return [z[0], 0];
  if (model.latent === 2) return [z[0], z[1]];
  const away = Array.from(z, (value, i) => value - components.center[i]);
  return components.directions.map((direction) => product(away, direction));
}

// The z at (a, b): of all that project there, the one nearest to `from`.
function lift([a, b], from) {
  if (model.latent === 1) return [a];
  if (model.latent === 2) return [a, b];
  const [fromA, fromB] = project(from), [first, second] = components.directions;
  return Array.from(from, (value, i) => value + (a - fromA) * first[i] + (b - fromB) * second[i]);
}

// The step of the axes, and the digits that it needs.
function stepOfView() {
  return [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2].find((step) => view.half / step < 5) ?? 5;
}
const digitsOfView = () => Math.max(0, -Math.floor(Math.log10(stepOfView()) + 1e-9));

const scale = () => view.width / (2 * view.half); // pixels for a unit
const right = (a) => view.width / 2 + (a - view.a) * scale();
const down = (b) => view.height / 2 - (b - view.b) * scale();
const placeAt = (x, y) => [view.a + (x - view.width / 2) / scale(), view.b - (y - view.height / 2) / scale()];

function fitCanvas() {
  const { width, height } = canvas.getBoundingClientRect();
  view.ratio = Math.min(window.devicePixelRatio || 1, 2);
  Object.assign(view, { width, height });
  canvas.width = Math.round(width * view.ratio);
  canvas.height = Math.round(height * view.ratio);
  changed("view");
}

// Enlarge by a factor, so that what is at (a, b) stays where it is.
function zoom(factor, [a, b]) {
  const half = Math.min(WIDEST_VIEW, Math.max(NARROWEST_VIEW, view.half / factor));
  const kept = half / view.half;
  lookAt(a + (view.a - a) * kept, b + (view.b - b) * kept, half);
}

function lookAt(a, b, half) {
  const limit = (value) => Math.min(WIDEST_VIEW, Math.max(-WIDEST_VIEW, value));
  Object.assign(view, { a: limit(a), b: limit(b), half: Math.min(WIDEST_VIEW, Math.max(NARROWEST_VIEW, half)) });
  changed("view");
}

const isInView = ([a, b]) => right(a) >= 0 && right(a) <= view.width &&
  (model.latent === 1 || (down(b) >= 0 && down(b) <= view.height));

// Shift the view just so far that (a, b) is inside, with some room around it.
function bringIntoView([a, b]) {
  if (isInView([a, b])) return;
  const into = (middle, half, v) => Math.min(v + 0.9 * half, Math.max(v - 0.9 * half, middle));
  const tall = (view.half * view.height) / view.width;
  lookAt(into(view.a, view.half, a), model.latent === 1 ? view.b : into(view.b, tall, b), view.half);
}

function viewInWords() {
  const from = placeAt(0, view.height), to = placeAt(view.width, 0), digits = Math.max(1, digitsOfView());
  const names = model.latent > 2 ? ["first component", "second component"] : ["z₁", "z₂"].slice(0, model.latent);
  return `view: ${names.map((name, k) => `${name} from ${fixed(from[k], digits)} to ${fixed(to[k], digits)}`).join(", ")}`;
}

// All means but the outermost 0.2 % on each side.
function lookAtAll() {
  const flat = flatMeans(), middle = (list, share) => list[Math.min(list.length - 1, Math.floor(share * list.length))];
  const spans = [flat.a, flat.b].map((list) => {
    const sorted = Float64Array.from(list).sort();
    return [middle(sorted, 0.002), middle(sorted, 0.998)];
  });
  if (model.latent === 1) spans[1] = [0, 0];
  const half = Math.max(...spans.map(([from, to]) => to - from)) / 2;
  lookAt((spans[0][0] + spans[0][1]) / 2, (spans[1][0] + spans[1][1]) / 2, Math.max(3.2, half * 1.08));
}

// The ellipse of q and the posterior's regions.
function lookAtQ() {
  settle(); // the regions of a new picture
  const [a, b] = project(state.q.mu), reach = 3 * Math.max(...sigmas(state.q));
  const span = [[a - reach, a + reach], [b - reach, b + reach]];
  if (state.evidence) {
    boxOf(state.evidence, grid).slice(0, model.latent).forEach(([from, to], k) => {
      span[k] = [Math.min(span[k][0], from), Math.max(span[k][1], to)];
    });
  }
  const half = 0.6 * Math.max(...span.slice(0, Math.min(2, model.latent)).map(([from, to]) => to - from));
  lookAt((span[0][0] + span[0][1]) / 2, (span[1][0] + span[1][1]) / 2, half);
}

// The projected means, computed once.
let flatCache = null;
function flatMeans() {
  if (flatCache) return flatCache;
  const count = means.length / model.latent;
  flatCache = { a: new Float64Array(count), b: new Float64Array(count) };
  for (let n = 0; n < count; n++) {
    [flatCache.a[n], flatCache.b[n]] = project(means.subarray(n * model.latent, (n + 1) * model.latent));
  }
  return flatCache;
}
