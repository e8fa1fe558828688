// For tests in a browser: solutions of the tasks, and how long things take.

const ruleOf = (kind) => data.tasks.find((task) => task.kind === kind);
const solves = (kind, now) =>
  CHECKS[kind].solved(ruleOf(kind), { ...situation(), ...now }, near);

function place(kind) {
  for (let a = -2; a < 2; a += 0.05) {
    for (let b = -2; b < 2; b += 0.05) if (solves(kind, { z: [a, b] })) return [a, b];
  }
}

const costsOf = (x) => {
  const q = encode(model, x), e = grid.evidence(x), kl = klDivergence(q);
  return { kl, reconstruction: grid.gap(e, q) - e.value - kl };
};

const someMean = (label) => {
  const n = [...labels.keys()].filter((k) => labels[k] === label);
  return Array.from(means.subarray(2 * n[Math.floor(random.uniform() * n.length)])).slice(0, 2);
};

const SOLVE = {
  border: () => chooseZ(place("border")),
  hole: () => chooseZ(place("hole")),
  fool: () => pickTest(pictures.findIndex((x, n) =>
    solves("fool", { mu: encode(model, x).mu, label: labels[n] }))),
  far: () => pickTest(data.badly[0]),
  cheap: () => pickTest(pictures.findIndex((x) =>
    klDivergence(encode(model, x)) < ruleOf("cheap").below && solves("cheap", costsOf(x)))),
  way: () => {
    for (let k = 0; k < 2000 && !solves("way", {}); k++) {
      ["A", "B"].forEach((name, end) => setPin(name, someMean(ruleOf("way").labels[end])));
    }
  },
};

// A situation that solves none.
function solveNothing() {
  pickTest(pictures.findIndex((x, n) => {
    const q = encode(model, x);
    return near.most(q.mu) === labels[n] && klDivergence(q) > 8;
  }));
  chooseZ([0, 0]);
  setPin("A", [0, 0]);
  setPin("B", [3, -3]);
}

function median(times, act) {
  const took = Array.from({ length: times }, (_, k) => {
    const began = performance.now();
    act(k);
    return performance.now() - began;
  });
  return took.sort((u, v) => u - v)[times >> 1];
}

const someZ = () => [random.normal(), random.normal()];
const TIMES = {
  decode: () => median(200, () => decode(model, someZ())),
  frame: () => median(100, () => {
    state.hover = someZ();
    draw();
    paintZ();
  }),
  costs: () => median(41, (k) => {
    const x = pictures[100 + k];
    grid.gap(grid.evidence(x), encode(model, x));
  }),
};

const nameOfFocus = () => {
  const e = document.activeElement;
  if (e === document.body) return "";
  const name = e.ariaLabel || e.textContent || e.labels?.[0]?.textContent;
  return `${[...document.querySelectorAll("*")].indexOf(e)} ${name}`;
};

// How far from paper the plane is at z, 0 to 255: the mean of 5 x 5 pixels.
function darknessAt(z) {
  const copy = document.createElement("canvas");
  copy.width = copy.height = 5;
  const to = copy.getContext("2d", { willReadFrequently: true });
  to.drawImage(scene, right(z[0]) * view.ratio - 2, down(z[1]) * view.ratio - 2, 5, 5, 0, 0, 5, 5);
  const rgba = to.getImageData(0, 0, 5, 5).data;
  return 255 - total(Array.from(rgba).filter((_, k) => k % 4 < 3)) / 75;
}

// The number of pixels of a color (as in "#ff0000") near the rim of the plane.
function rimOf(color) {
  const rgb = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)), { width, height } = scene;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(scene, 0, 0);
  const rgba = copy.getImageData(0, 0, width, height).data;
  let found = 0;
  for (let k = 0; k < width * height; k++) {
    const x = k % width, y = Math.floor(k / width), rim = Math.min(x, y, width - 1 - x, height - 1 - y);
    if (rim < 50 && rgb.every((v, c) => v === rgba[4 * k + c])) found++;
  }
  return found;
}

// A picture of the backdrop, and the one that is decoded at its place.
function pictureOfBackdrop(column, row) {
  const { picture, left, top, width, height } = sheet;
  const columns = picture.width / 28, rows = picture.height / 28;
  const rgba = picture.getContext("2d").getImageData(column * 28, row * 28, 28, 28).data;
  const z = [left + ((column + 0.5) / columns) * width, top - ((row + 0.5) / rows) * height];
  const ink = Array.from({ length: 784 }, (_, j) => 1 - rgba[4 * j] / 255);
  return { z, ink, p: Array.from(decode(model, z)) };
}

Object.assign(window, { SOLVE, TIMES, darknessAt, nameOfFocus, pictureOfBackdrop, rimOf, solveNothing });
