"use strict";
// What the page shows, and who must know when it changes.

const find = (id) => document.getElementById(id);
const data = JSON.parse(find("data").textContent);
const model = readModel(data);
const pictures = imagesOf(data.pictures, model.pixels);
const grid = data.grid ? new Grid(model, data.grid) : null;
const means = Float64Array.from(integersOf(data.means.integers), (v) => v * data.means.scale);
const labels = data.labels ? bytesOf(data.labels) : null;
const near = new Neighbors(means, labels, data.names, model.latent);
const random = randomNumbers(1);
const nameOf = (label) => data.names[label];
// What may be called log p(x), and what not: grey pixels have no probability.
const EVIDENCE = data.binary ? "log p(x)" : "evidence";

const state = {
  z: Array.from({ length: model.latent }, () => 0), // the place that was chosen
  hover: null, // the place under the mouse
  clean: pictures[0], // the picture, and x with the noise on it
  x: pictures[0],
  label: null, // of the picture; of a drawing, what its author says
  index: 0, // of the test picture; null for a drawing
  q: null,
  evidence: null, // as Grid.evidence returns it
  gap: null, // KL(q ‖ posterior), null if not known
  draws: [],
  bound: null, // of 50 draws, for more than two latents
  noise: data.noise,
  pins: { A: null, B: null },
  path: [], // the labels on the way from A to B
};
const shownZ = () => state.hover ?? state.z;

// ---- Who listens to what: "z", "picture", "costs", "pins", "view", "backdrop", "theme"

const listeners = {};

function on(events, listener) {
  for (const event of events.split(" ")) (listeners[event] ??= []).push(listener);
}

function changed(event) {
  for (const listener of listeners[event] ?? []) listener();
}

// For screen readers: spoken on a click or a key, never while the mouse only moves.
function speak(text) {
  find("spoken").textContent = text;
}

function zInWords(z) {
  const digits = Math.max(2, Math.ceil(-Math.log10(SMALL_STEP * view.half)));
  const inDigits = (numbers) => Array.from(numbers, (v) => fixed(v, digits));
  if (z.length === 1) return `z = ${fixed(z[0], digits)}`;
  if (z.length <= 4) return `z = (${inDigits(z).join(", ")})`;
  const [first, second] = inDigits(project(z));
  return `z, first component ${first}, second component ${second}`;
}

function placeInWords(z) {
  const around = labels ? `; the ${near.count} nearest test means: ${near.inWords(z)}` : "";
  const away = model.latent === 2 ? `; the nearest is ${fixed(near.around(z).distance)} away` : "";
  return zInWords(z) + around + away;
}

function chooseZ(z) {
  state.hover = null;
  state.z = Array.from(z);
  changed("z");
}

// ---- A new picture, and all that follows from it

let waiting = null; // the timer of costs that are not counted yet

// While the pen or the slider of the noise moves, only the pictures and q follow.
function choosePicture(picture, { index = null, label = null, moving = false }) {
  Object.assign(state, { clean: picture, index, label });
  encodePicture(moving);
}

function encodePicture(moving = false) {
  const { clean, noise } = state;
  state.x = noise > 0
    ? clean.map((v) => Math.min(1, Math.max(0, v + noise * random.normal())))
    : clean;
  state.q = encode(model, state.x);
  Object.assign(state, { evidence: null, gap: null, bound: null, draws: [] });
  changed("picture");
  clearTimeout(waiting);
  if (!moving) waiting = setTimeout(countCosts, 0); // after the pictures are on the screen
}

// Count what is not counted yet.
function settle() {
  if (state.draws.length === 0) countCosts();
}

// All costs are those of the clean picture, which a denoising model is trained to restore.
function countCosts() {
  const { clean, q } = state;
  clearTimeout(waiting);
  if (grid) {
    state.evidence = grid.evidence(clean);
    const gap = grid.gap(state.evidence, q);
    state.gap = Number.isNaN(gap) ? null : gap;
  }
  drawAnew();
  speak(`${chosenInWords()} ${costsInWords()}`);
}

// All that is estimated from draws.
function drawAnew() {
  const { clean, q } = state;
  state.draws = drawsOf(model, clean, q, 30, random);
  if (!grid) {
    const bounds = Array.from({ length: 10 }, () =>
      importanceBound(drawsOf(model, clean, q, 50, random)));
    state.bound = meanAndError(bounds);
  }
  changed("costs");
}

// The parts of −ELBO. Exact where the gap is known, else a mean of draws with its error.
function costs() {
  const kl = klDivergence(state.q);
  const drawn = meanAndError(state.draws.map((draw) => draw.reconstruction));
  const exact = state.gap !== null;
  const reconstruction = exact ? state.gap - state.evidence.value - kl : drawn.mean;
  return { kl, drawn, exact, reconstruction, elbo: -reconstruction - kl };
}

function costsInWords() {
  const { kl, reconstruction } = costs();
  const gap = state.gap === null ? "" : `, KL to the true posterior ${fixed(state.gap)}`;
  return `KL to the prior ${fixed(kl)}, reconstruction ${fixed(reconstruction)}${gap}.`;
}

function chosenInWords() {
  const kind = state.index === null ? "Your drawing" : `Test picture ${state.index}`;
  const label = state.label !== null && state.index !== null ? `, labeled ${nameOf(state.label)}` : "";
  const around = labels ? `. The ${near.count} test means nearest to its μ: ${near.inWords(state.q.mu)}` : "";
  return `${kind}${label}${around}.`;
}
