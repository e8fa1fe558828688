"use strict";
// Drawing the latent space. The scene is kept: while the mouse moves, only the mark at z is new.

const ONE_BY_ONE = 350; // so few means are drawn as their labels
const NINETY = Math.sqrt(2 * Math.log(10)); // 90 % of a Gaussian of two dimensions, in σ
const backdrop = () => document.querySelector("input[name=backdrop]:checked").value;
const scene = document.createElement("canvas");
const pen = scene.getContext("2d");
let sheet = null; // the decoder's pictures, and where they were decoded
let oldScene = true, asked = false, sheetWaiting = 0;

function drawMeans() {
  const flat = flatMeans(), seen = [];
  for (let n = 0; n < flat.a.length; n++) {
    const x = right(flat.a[n]), y = model.latent === 1 ? rowOf(n) : down(flat.b[n]);
    if (x > -5 && y > -5 && x < view.width + 5 && y < view.height + 5) seen.push([x, y, labels ? labels[n] : 0]);
  }
  const few = labels && seen.length <= ONE_BY_ONE, size = view.width > 450 ? 2.6 : 2;
  pen.globalAlpha = few ? 1 : isDark() ? 0.65 : 0.5;
  Object.assign(pen, { font: font(12, 600), textAlign: "center", textBaseline: "middle" });
  for (const [x, y, label] of seen) {
    pen.fillStyle = !labels ? style("quiet") : few ? textColorOf(label) : colorOf(label);
    if (few) pen.fillText(nameOf(label), x, y);
    else pen.fillRect(x - size / 2, y - size / 2, size, size);
  }
  pen.globalAlpha = 1;
  if (labels && !few && model.latent > 1 && data.names.length <= 30) nameGroups(seen);
}

// Each label at the median of its means; from top to bottom, so that none covers another.
function nameGroups(seen) {
  const median = (list) => list.sort((u, v) => u - v)[list.length >> 1], placed = [];
  data.names.forEach((name, label) => {
    const mine = seen.filter((mean) => mean[2] === label);
    if (mine.length > 20) placed.push([median(mine.map((m) => m[0])), median(mine.map((m) => m[1])), label]);
  });
  placed.sort((u, v) => u[1] - v[1]);
  pen.font = font(20, 700);
  placed.forEach((here, k) => {
    while (placed.slice(0, k).some((other) => Math.hypot(other[0] - here[0], other[1] - here[1]) < 19)) here[1] += 3;
    halo(pen, nameOf(here[2]), here[0], here[1], textColorOf(here[2]));
  });
}

// The decoder's pictures at the view's places. While the view moves the old ones move with it.
function decodeSheet() {
  const columns = view.width > 450 ? 17 : 11, line = model.latent === 1;
  const [height, width] = model.shape, cell = view.width / columns;
  const rows = line ? 1 : Math.ceil(view.height / (cell * height / width));
  const picture = document.createElement("canvas");
  picture.width = columns * width;
  picture.height = rows * height;
  const to = picture.getContext("2d"), image = to.createImageData(picture.width, picture.height), dark = isDark();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const y = line ? 0 : (row + 0.5) * cell * height / width;
      const p = decode(model, lift(placeAt((column + 0.5) * cell, y), state.z));
      p.forEach((v, j) => {
        const at = 4 * ((row * height + Math.floor(j / width)) * picture.width + column * width + (j % width));
        const grey = dark ? 30 + 200 * v : 255 * (1 - v);
        image.data.set([grey, grey, grey, 255], at);
      });
    }
  }
  to.putImageData(image, 0, 0);
  const [left, top] = placeAt(0, line ? view.height / 2 : 0);
  const unit = 1 / scale();
  return { picture, left, top, width: view.width * unit, height: rows * cell * (height / width) * unit };
}

function drawSheet() {
  if (!sheet) sheet = decodeSheet();
  const top = model.latent === 1 ? view.height - sheet.height * scale() - 24 : down(sheet.top);
  pen.globalAlpha = 0.8;
  pen.drawImage(sheet.picture, right(sheet.left), top, sheet.width * scale(), sheet.height * scale());
  pen.globalAlpha = 1;
}

function drawAxes() {
  const step = stepOfView(), digits = digitsOfView();
  const ticks = (middle, half) => {
    const first = Math.ceil((middle - half) / step), last = Math.floor((middle + half) / step);
    return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
  };
  Object.assign(pen, { font: font(12), textAlign: "center", textBaseline: "bottom" });
  const names = model.latent > 2 ? ["first component", "second component"] : ["z₁", "z₂"];
  for (const a of ticks(view.a, view.half)) {
    if (right(a) < 20 || right(a) > view.width - 30 - pen.measureText(names[0]).width) continue;
    pen.fillStyle = style("ink");
    pen.fillRect(right(a), view.height - 5, 1, 5);
    halo(pen, fixed(a, digits), right(a), view.height - 6, style("ink"));
  }
  pen.textAlign = "right";
  halo(pen, names[0], view.width - 6, view.height - 6, style("ink"));
  if (model.latent === 1) return;
  Object.assign(pen, { textAlign: "left", textBaseline: "middle" });
  for (const b of ticks(view.b, (view.half * view.height) / view.width)) {
    if (down(b) < 28 || down(b) > view.height - 26) continue;
    pen.fillStyle = style("ink");
    pen.fillRect(0, down(b), 5, 1);
    halo(pen, fixed(b, digits), 8, down(b), style("ink"));
  }
  halo(pen, names[1], 6, 13, style("ink"));
}

function drawPrior() {
  const [a, b] = project(new Float64Array(model.latent));
  Object.assign(pen, { strokeStyle: style("quiet"), lineWidth: 1 });
  pen.setLineDash([5, 4]);
  for (const radius of [1, 2, 3]) {
    pen.beginPath();
    pen.arc(right(a), down(b), radius * scale(), 0, 7);
    pen.stroke();
  }
  pen.setLineDash([]);
}

function drawPosterior() {
  const { evidence } = state;
  evidence.regions ??= evidence.levels.map((level) => [...cellsAbove(evidence, grid, level)]);
  const color = style("posterior");
  for (const cells of [...evidence.regions].reverse()) {
    const inside = new Path2D(), border = new Path2D();
    for (const cell of cells) {
      cell.inside.forEach(([a, b], k) => inside[k ? "lineTo" : "moveTo"](right(a), down(b)));
      inside.closePath();
      for (let k = 0; k + 1 < cell.border.length; k += 2) {
        border.moveTo(right(cell.border[k][0]), down(cell.border[k][1]));
        border.lineTo(right(cell.border[k + 1][0]), down(cell.border[k + 1][1]));
      }
    }
    Object.assign(pen, { fillStyle: color, strokeStyle: color, globalAlpha: 0.2, lineWidth: 1.3 });
    pen.fill(inside);
    pen.globalAlpha = 1;
    pen.stroke(border);
  }
  evidence.mode ??= modeOf(evidence, grid);
  cross(right(evidence.mode[0]), down(evidence.mode[1]));
}

// The region of q that holds 90 % of two dimensions; in the plane of the components, its shadow.
function drawQ() {
  const color = style("q"), [a, b] = project(state.q.mu);
  Object.assign(pen, { strokeStyle: color, fillStyle: color, lineWidth: 2.5 });
  const axes = sigmas(state.q).map((sigma, i) => {
    const direction = new Float64Array(model.latent);
    direction[i] = sigma;
    return model.latent === 2 ? direction : components.directions.map((d) => product(d, direction));
  });
  const covariance = (i, j) => total(axes.map((axis) => axis[i] * axis[j]));
  const [xx, xy, yy] = [covariance(0, 0), covariance(0, 1), covariance(1, 1)];
  const half = (xx + yy) / 2, spread = Math.hypot((xx - yy) / 2, xy), angle = 0.5 * Math.atan2(2 * xy, xx - yy);
  const radii = [half + spread, Math.max(0, half - spread)].map((variance) => NINETY * Math.sqrt(variance) * scale());
  pen.beginPath();
  pen.ellipse(right(a), down(b), radii[0], radii[1], -angle, 0, 7);
  pen.stroke();
  for (const draw of state.draws) {
    const [x, y] = project(draw.z);
    pen.beginPath();
    pen.arc(right(x), down(y), 2.2, 0, 7);
    pen.fill();
  }
  cross(right(a), down(b));
}

function drawScene() {
  scene.width = canvas.width;
  scene.height = canvas.height;
  pen.scale(view.ratio, view.ratio);
  pen.fillStyle = style("paper");
  pen.fillRect(0, 0, view.width, view.height);
  const behind = backdrop();
  if (behind === "pictures") drawSheet();
  if (behind === "means") drawMeans();
  if (model.latent === 1) drawLine();
  else {
    drawPrior();
    if (state.evidence) drawPosterior();
    drawPins();
    drawQ();
  }
  drawAxes();
  const q = project(state.q.mu);
  if (!isInView(q)) pointTo(pen, q, "q", style("q"));
}

function draw() {
  if (oldScene) drawScene();
  oldScene = false;
  const to = canvas.getContext("2d"), [a, b] = project(shownZ());
  to.setTransform(1, 0, 0, 1, 0, 0);
  to.drawImage(scene, 0, 0);
  to.scale(view.ratio, view.ratio);
  if (!isInView([a, b])) pointTo(to, [a, b], "z", style("ink"));
  const y = model.latent === 1 ? view.height / 2 : down(b);
  for (const [color, width] of [["paper", 4.5], ["ink", 2]]) {
    Object.assign(to, { strokeStyle: style(color), lineWidth: width });
    to.beginPath();
    if (model.latent === 1) {
      to.moveTo(right(a), 0);
      to.lineTo(right(a), view.height);
    } else to.arc(right(a), y, 8, 0, 7);
    to.stroke();
  }
  find("status").textContent = placeInWords(shownZ());
}

function drawSoon(sceneChanged) {
  oldScene ||= sceneChanged;
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

function startPlane() {
  on("picture costs pins", () => drawSoon(true));
  const decodeAnew = () => {
    clearTimeout(sheetWaiting);
    sheetWaiting = setTimeout(() => {
      sheet = null;
      if (backdrop() === "pictures") drawSoon(true);
    }, 120);
  };
  on("z", () => {
    drawSoon(false);
    if (model.latent > 2 && state.hover === null) decodeAnew(); // for the latents outside of the plane
  });
  on("view theme backdrop", () => {
    drawSoon(true);
    decodeAnew();
  });
}
