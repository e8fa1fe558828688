"use strict";
// The evidence and the true posterior of a picture, for one or two latents, by a sum over a grid.
//
//   log p(x|z) = x·l(z) − S(z),   l(z) = g(z) W + b,   S(z) = Σ softplus(l(z))
//              = g(z)·(W x) + b·x − S(z)
//
// W x is computed once for a picture, and S does not depend on the picture: the file holds it on a
// grid. So a node costs one product of vectors as long as the last hidden layer, g.
// Where that grid is too coarse, only the nodes that matter are halved in spacing, again and again.

const ROUGH = 2; // the first look takes every second node of the file's grid
const DEPTH = 22; // nats below the highest node that the first look keeps: it is coarse
const KEPT = 10; // nats below the highest node that a finer grid keeps
const TOLERANCE = 0.008; // nats; the change of the sum if every second node is left out
const INSIDE = 150; // nodes that the posterior's largest region must hold, to be drawn
const ENOUGH = 700; // nodes in it, of which no finer grid is made
const FINEST = 16; // times finer than the file's grid
const REMEMBERED = 300_000; // values of S between the nodes of the file's grid
const REACH = 4.5; // standard deviations of q on each side
const SHARES = [0.5, 0.9, 0.99]; // of the posterior's mass, in the regions that are drawn
const LOG_2PI = Math.log(2 * Math.PI);

class Grid {
  // Nodes are pairs of integers (i, j), in units of the finest spacing, from the lower left corner.
  // With one latent, j is 0.
  constructor(model, data) {
    this.model = model;
    this.plane = model.latent === 2;
    this.halfWidth = data.half_width;
    this.nodes = data.nodes;
    this.spacing = (2 * data.half_width) / (data.nodes - 1);
    this.unit = this.spacing / FINEST;
    this.softplus = surfaceOf(data.softplus, this.plane ? this.nodes : 1);
    this.last = (data.nodes - 1) * FINEST;
    this.finer = new Map(); // S where the file's grid has no node
    this.z = new Float64Array(model.latent);
  }

  place(i) {
    return -this.halfWidth + i * this.unit;
  }

  key(i, j) {
    return i * (this.last + 1) + j;
  }

  // log p(x, z) at a node; outside of the grid, and beside a line, there is none.
  valueAt(i, j, evidence) {
    if (i < 0 || j < 0 || i > this.last || j > (this.plane ? this.last : 0)) return -Infinity;
    return evidence.nodes.get(this.key(i, j))?.value ?? evidence.logJoint(i, j);
  }

  at(i, j) {
    // z of a node; the array is overwritten by the next call.
    this.z[0] = this.place(i);
    if (this.plane) this.z[1] = this.place(j);
    return this.z;
  }

  softplusAt(i, j) {
    if (i % FINEST === 0 && j % FINEST === 0) {
      const row = i / FINEST;
      return this.softplus[this.plane ? row * this.nodes + j / FINEST : row];
    }
    const key = this.key(i, j);
    let found = this.finer.get(key);
    if (found === undefined) {
      found = softplusSum(logitsAt(this.model, this.at(i, j)));
      if (this.finer.size >= REMEMBERED) this.finer.clear();
      this.finer.set(key, found);
    }
    return found;
  }

  // A function (i, j) → log p(x, z) for one picture.
  logJoint(x) {
    const { W, b } = this.model.output, pixels = b.length;
    const v = new Float64Array(W.length / pixels);
    for (let k = 0; k < v.length; k++) {
      for (let j = 0; j < pixels; j++) if (x[j] !== 0) v[k] += W[k * pixels + j] * x[j];
    }
    let constant = -0.5 * this.model.latent * LOG_2PI;
    for (let j = 0; j < pixels; j++) constant += b[j] * x[j];
    return (i, j) => {
      const softplus = this.softplusAt(i, j); // before `at`, which it overwrites
      const z = this.at(i, j);
      const g = throughHidden(this.model, this.model.decoder, z);
      let sum = constant - softplus;
      for (let k = 0; k < v.length; k++) sum += g[k] * v[k];
      for (let a = 0; a < z.length; a++) sum -= 0.5 * z[a] * z[a];
      return sum;
    };
  }

  // log p(x) = log ∫ p(x, z) dz, and the posterior's regions.
  evidence(x) {
    const logJoint = this.logJoint(x);
    let found = this.firstLook(logJoint), step = ROUGH * FINEST, depth = DEPTH, sums;
    do {
      found = this.halved(found, step, depth, logJoint);
      step /= 2;
      depth = KEPT;
      sums = this.sums(found, step);
    } while (step > 1 && sums.inside < ENOUGH && (sums.error > TOLERANCE || sums.inside < INSIDE));
    return { ...sums, step, spacing: step * this.unit, nodes: found, logJoint };
  }

  firstLook(logJoint) {
    const step = ROUGH * FINEST, found = new Map();
    for (let i = 0; i <= this.last; i += step) {
      for (let j = 0; j <= (this.plane ? this.last : 0); j += step) {
        found.set(this.key(i, j), { i, j, value: logJoint(i, j) });
      }
    }
    return found;
  }

  // All nodes with half the spacing around those that matter.
  halved(nodes, step, depth, logJoint) {
    const half = step / 2, found = new Map();
    const sideways = this.plane ? [-half, 0, half] : [0];
    const top = highest(nodes);
    for (const node of nodes.values()) {
      if (node.value < top - depth) continue;
      for (const di of [-half, 0, half]) {
        for (const dj of sideways) {
          const i = node.i + di, j = node.j + dj, key = this.key(i, j);
          if (i < 0 || j < 0 || i > this.last || j > this.last || found.has(key)) continue;
          const known = nodes.get(key);
          found.set(key, known ?? { i, j, value: logJoint(i, j) });
        }
      }
    }
    return found;
  }

  // The trapezoidal sum, its error, and the levels of log p(x, z) that enclose SHARES of the mass.
  sums(nodes, step) {
    const cell = Math.log(step * this.unit) * this.model.latent;
    const top = highest(nodes);
    let all = 0, coarse = 0;
    for (const node of nodes.values()) {
      const mass = Math.exp(node.value - top);
      all += mass;
      if ((node.i / step) % 2 === 0 && (node.j / step) % 2 === 0) coarse += mass;
    }
    const error = Math.abs(Math.log(all / coarse) - this.model.latent * Math.LN2);
    const sorted = Float64Array.from(nodes.values(), (node) => node.value).sort().reverse();
    const levels = [];
    let mass = 0, inside = 0;
    for (const share of SHARES) {
      while (inside < sorted.length && mass < share * all) mass += Math.exp(sorted[inside++] - top);
      // between the last node inside and the first outside
      levels.push(0.5 * (sorted[inside - 1] + sorted[Math.min(inside, sorted.length - 1)]));
    }
    return { value: top + Math.log(all) + cell, error, top, levels, inside };
  }

  // KL(q ‖ posterior) = log p(x) − ∫ q log p(x, z) dz − entropy of q
  gap(evidence, q) {
    const sigma = sigmas(q), steps = sigma.map((s) => this.stepFor(s));
    const ranges = steps.map((step, a) => this.range(q.mu[a], sigma[a], step));
    if (!this.plane) ranges.push([0]);
    let held = 0, cross = 0;
    for (const i of ranges[0]) {
      for (const j of ranges[1]) {
        const z = [this.place(i), this.place(j)];
        let log = 0;
        for (let a = 0; a < sigma.length; a++) log -= 0.5 * ((z[a] - q.mu[a]) / sigma[a]) ** 2;
        const mass = Math.exp(log);
        held += mass;
        cross += mass * evidence.logJoint(i, j);
      }
    }
    const cell = steps.reduce((product, step) => product * step * this.unit, 1);
    const peak = sigma.reduce((product, s) => product / (s * Math.sqrt(2 * Math.PI)), 1);
    if (Math.abs(held * cell * peak - 1) > 1e-3) return NaN; // outside of the grid, or too narrow
    const entropyOfQ = total(sigma.map((s) => Math.log(s) + 0.5 * (LOG_2PI + 1)));
    return evidence.value - cross / held - entropyOfQ;
  }

  // The spacing of the file, or a part of it that is at most two fifths of σ: then the kinks of ReLU
  // cost less than 0.01 nats.
  stepFor(sigma) {
    let step = FINEST;
    while (step > 1 && step * this.unit > 0.4 * sigma) step /= 2;
    return step;
  }

  range(mu, sigma, step) {
    const nodes = [], at = (z) => (z + this.halfWidth) / this.unit / step;
    const first = Math.max(0, Math.floor(at(mu - REACH * sigma)));
    const end = Math.min(this.last / step, Math.ceil(at(mu + REACH * sigma)));
    for (let k = first; k <= end; k++) nodes.push(k * step);
    return nodes;
  }
}

// The highest node, and then, with half the spacing each time, the highest near it.
function modeOf(evidence, grid) {
  let best = { value: -Infinity };
  for (const node of evidence.nodes.values()) if (node.value > best.value) best = node;
  for (let step = evidence.step; step >= 1; step /= 2) {
    for (let improved = true; improved; ) {
      improved = false;
      const { i, j } = best;
      for (const [a, b] of [[-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [-1, 1], [1, -1], [1, 1]]) {
        const value = grid.valueAt(i + a * step, j + b * step, evidence);
        if (value <= best.value) continue;
        best = { i: i + a * step, j: j + b * step, value };
        improved = true;
      }
    }
  }
  return [grid.place(best.i), grid.place(best.j)];
}

function highest(nodes) {
  let top = -Infinity;
  for (const node of nodes.values()) if (node.value > top) top = node.value;
  return top;
}

// ---- The posterior's regions, as shapes

// The square cells of a grid of nodes where log p(x, z) reaches a level: for each one the polygon
// inside, and the piece of the border. Nodes that are missing lie below every level.
function* cellsAbove(evidence, grid, level) {
  const { nodes, step } = evidence;
  const corners = [[0, 0], [step, 0], [step, step], [0, step]];
  const started = new Set();
  for (const node of nodes.values()) {
    if (node.value < level) continue;
    for (const [di, dj] of corners) {
      const i = node.i - di, j = node.j - dj, key = grid.key(i, j);
      if (started.has(key)) continue;
      started.add(key);
      const cell = corners.map(([a, b]) => ({
        z: [grid.place(i + a), grid.place(j + b)],
        value: nodes.get(grid.key(i + a, j + b))?.value ?? evidence.top - 2 * DEPTH,
      }));
      yield cut(cell, level);
    }
  }
}

function cut(cell, level) {
  const inside = [], border = [];
  for (let e = 0; e < 4; e++) {
    const from = cell[e], to = cell[(e + 1) % 4];
    if (from.value >= level) inside.push(from.z);
    if (from.value >= level !== to.value >= level) {
      const t = (level - from.value) / (to.value - from.value);
      const crossing = from.z.map((z, a) => z + t * (to.z[a] - z));
      inside.push(crossing);
      border.push(crossing);
    }
  }
  return { inside, border };
}

function boxOf(evidence, grid) {
  // The smallest rectangle around the largest region: [[z₁ from, to], [z₂ from, to]].
  const lowest = evidence.levels[SHARES.length - 1];
  const box = [[Infinity, -Infinity], [Infinity, -Infinity]];
  for (const node of evidence.nodes.values()) {
    if (node.value < lowest) continue;
    [node.i, node.j].forEach((index, a) => {
      box[a][0] = Math.min(box[a][0], grid.place(index));
      box[a][1] = Math.max(box[a][1], grid.place(index));
    });
  }
  return box;
}
