"use strict";
// Colors, text and small marks on the canvas of the latent space.

// The colors of numpyvae.pictures, and their light forms for dark paper.
const COLORS = [
  "#0072B2", "#E69F00", "#009E73", "#000000", "#D55E00", "#56B4E9", "#CC79A7", "#C9B900", "#999999", "#7A1F4F"
];
const DARK_COLORS = [
  "#4BA3E3", "#E69F00", "#00B889", "#FFFFFF", "#FF7B2E", "#8CD3FF", "#E39CC4", "#DCCB2A", "#A9A9A9", "#D4648F"
];
// For text on light paper, as dark as it must be to be read.
const TEXT_COLORS = [
  "#0072B2", "#8F6200", "#007A58", "#000000", "#B34E00", "#2A7599", "#9A5079", "#766C00", "#666666", "#7A1F4F"
];
const font = (size, weight = 400) => `${weight} ${size}px system-ui, "DejaVu Sans", sans-serif`;
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const isDark = () => document.documentElement.dataset.theme === "dark";
const colorOf = (label) => (isDark() ? DARK_COLORS : COLORS)[label % COLORS.length];
const textColorOf = (label) => (isDark() ? DARK_COLORS : TEXT_COLORS)[label % COLORS.length];

function halo(pen, text, x, y, color) {
  Object.assign(pen, { lineWidth: 4, lineJoin: "round", strokeStyle: style("paper"), fillStyle: color });
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

function cross(x, y) {
  pen.beginPath();
  for (const [dx, dy] of [[6, 0], [0, 6]]) {
    pen.moveTo(x - dx, y - dy);
    pen.lineTo(x + dx, y + dy);
  }
  pen.stroke();
}

function drawPins() {
  const ends = Object.entries(state.pins).filter(([, z]) => z !== null);
  const at = ends.map(([, z]) => {
    const [a, b] = project(z);
    return [right(a), model.latent === 1 ? 16 : down(b)];
  });
  Object.assign(pen, { strokeStyle: style("ink"), lineWidth: 1.2, font: font(12, 700) });
  Object.assign(pen, { textAlign: "center", textBaseline: "middle" });
  if (at.length === 2) {
    pen.beginPath();
    pen.moveTo(...at[0]);
    pen.lineTo(...at[1]);
    pen.stroke();
  }
  ends.forEach(([name], k) => {
    pen.fillStyle = style("ink");
    pen.beginPath();
    pen.arc(...at[k], 9, 0, 7);
    pen.fill();
    pen.fillStyle = style("paper");
    pen.fillText(name, at[k][0], at[k][1] + 0.5);
  });
}

// An arrow at the border of the canvas that points to a place outside of the view.
function pointTo(pen, [a, b], name, color) {
  const middle = [view.width / 2, view.height / 2], rim = 34;
  const line = model.latent === 1;
  const way = [right(a) - middle[0], line ? 0 : down(b) - middle[1]];
  const short = Math.min(...way.map((d, k) => (middle[k] - rim) / Math.max(1e-9, Math.abs(d))), 1);
  if (line) middle[1] = name === "q" ? 60 : 90;
  const [x, y] = way.map((d, k) => middle[k] + d * short), angle = Math.atan2(way[1], way[0]);
  Object.assign(pen, { fillStyle: color, font: font(15, 700), textAlign: "center", textBaseline: "middle" });
  halo(pen, name, x, y, color);
  pen.save();
  pen.translate(x, y);
  pen.rotate(angle);
  pen.beginPath();
  for (const place of [[26, 0], [13, -7], [13, 7]]) pen.lineTo(...place);
  pen.fill();
  pen.restore();
}
