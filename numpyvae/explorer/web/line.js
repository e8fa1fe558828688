"use strict";
// The latent space of one latent: curves over an axis, and a row of means for each label.

const CURVES = 0.55; // of the height; the rows of means lie below
const rowOf = (n) => {
  const rows = Math.max(1, data.names.length), row = labels ? labels[n] : 0;
  const room = (1 - CURVES) * view.height - 40;
  return CURVES * view.height + 10 + ((row + 0.5 + 0.6 * (((n * 0.618034) % 1) - 0.5)) / rows) * room;
};

function drawLine() {
  const base = CURVES * view.height, top = 34;
  const q = gaussian(state.q.mu[0], sigmas(state.q)[0]);
  const curves = [["quiet", gaussian(0, 1), false], ["q", q, false]];
  if (state.evidence) curves.unshift(["posterior", posteriorCurve(), true]);
  const highestOf = (points) => Math.max(...points.map(([, density]) => density));
  const peak = Math.max(...curves.map(([, points]) => highestOf(points)));
  for (const [color, points, filled] of curves) {
    Object.assign(pen, { strokeStyle: style(color), fillStyle: style(color), lineWidth: color === "quiet" ? 1 : 2.5 });
    pen.setLineDash(color === "quiet" ? [5, 4] : []);
    pen.beginPath();
    points.forEach(([a, density], k) => pen[k ? "lineTo" : "moveTo"](right(a), base - (density / peak) * (base - top)));
    pen.stroke();
    if (!filled) continue;
    pen.lineTo(right(points[points.length - 1][0]), base);
    pen.lineTo(right(points[0][0]), base);
    pen.globalAlpha = 0.25;
    pen.fill();
    pen.globalAlpha = 1;
  }
  pen.setLineDash([]);
  pen.fillStyle = style("line");
  pen.fillRect(0, base, view.width, 1);
  pen.fillStyle = style("q");
  for (const draw of state.draws) pen.fillRect(right(draw.z[0]) - 1, base - 6, 2, 12);
  drawPins();
  if (labels && data.names.length <= 30 && backdrop() === "means") {
    Object.assign(pen, { font: font(13, 700), textAlign: "left", textBaseline: "middle" });
    const room = (1 - CURVES) * view.height - 40;
    data.names.forEach((name, label) =>
      halo(pen, name, 6, base + 10 + ((label + 0.5) / data.names.length) * room, textColorOf(label)));
  }
}

function gaussian(mu, sigma) {
  return Array.from({ length: 241 }, (_, k) => {
    const u = (k - 120) / 24;
    return [mu + u * sigma, Math.exp(-0.5 * u * u) / (sigma * Math.sqrt(2 * Math.PI))];
  });
}

// p(z|x) = p(x, z) / p(x): the area under p(x, z) is the evidence.
function posteriorCurve() {
  const { nodes, value } = state.evidence;
  return Array.from(nodes.values(), (node) => [grid.place(node.i), Math.exp(node.value - value)])
    .sort((u, v) => u[0] - v[0]);
}
