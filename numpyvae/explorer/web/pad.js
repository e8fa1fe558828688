"use strict";
// Choosing a test picture, and drawing one.

const PAD_SCALE = 10; // pixels of the pad for one of a picture
const PEN = 2.1; // width of the pen, in pixels of a picture; MNIST's strokes are about as wide
const pad = find("pad");
const padPen = pad.getContext("2d", { willReadFrequently: true });
let tip = null; // where the pen touches the pad
let cursor = null; // the pen that keys move
let empty = true;

function clearPad() {
  [pad.height, pad.width] = model.shape.map((side) => side * PAD_SCALE);
  empty = true;
  padPen.fillStyle = "#fff";
  padPen.fillRect(0, 0, pad.width, pad.height);
  padPen.fillStyle = "#777";
  padPen.font = `${Math.round(pad.width / 14)}px system-ui, sans-serif`;
  padPen.textAlign = "center";
  padPen.fillText("draw here", pad.width / 2, pad.height / 2);
}

function stroke(to) {
  if (empty) {
    padPen.fillStyle = "#fff";
    padPen.fillRect(0, 0, pad.width, pad.height);
    empty = false;
    if (state.index === null) state.label = null; // of the drawing before
  }
  Object.assign(padPen, { lineWidth: PEN * PAD_SCALE, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
  padPen.beginPath();
  padPen.moveTo(...tip);
  padPen.lineTo(to[0] + 0.01, to[1]); // a point is a line, too
  padPen.stroke();
  tip = to;
}

function readPad() {
  const { width, height } = pad, rgba = padPen.getImageData(0, 0, width, height).data;
  const ink = Float64Array.from({ length: width * height }, (_, k) => 1 - rgba[4 * k] / 255);
  let picture = pictureOf(ink, width, height, model.shape, find("centered").checked);
  if (data.binary) picture = picture.map((v) => (v > 0.5 ? 1 : 0)); // as the model's own images
  choosePicture(picture, { label: state.index === null ? state.label : null });
}

function choosePlace(event) {
  const box = pad.getBoundingClientRect();
  return [((event.clientX - box.left) * pad.width) / box.width, ((event.clientY - box.top) * pad.height) / box.height];
}

function pickTest(index) {
  clearPad();
  choosePicture(pictures[index], { index, label: labels ? labels[index] : null });
  speak(chosenInWords());
}

// The next test picture with this label, each time another one.
const turns = {};
function pickLabel(label) {
  const all = pictures.map((_, n) => n).filter((n) => labels[n] === label);
  if (all.length === 0) return;
  turns[label] = ((turns[label] ?? -1) + 1) % all.length;
  pickTest(all[turns[label]]);
}

function movePen(event) {
  const side = (event.shiftKey ? 3 : 1) * PAD_SCALE;
  const moves = { ArrowLeft: [-side, 0], ArrowRight: [side, 0], ArrowUp: [0, -side], ArrowDown: [0, side] };
  const limits = [pad.width, pad.height];
  cursor ??= limits.map((limit) => limit / 2);
  if (event.key === " ") {
    tip = tip === null ? cursor : null;
    if (tip) stroke(cursor);
    speak(tip ? "pen down" : "pen up");
  } else if (moves[event.key]) {
    cursor = cursor.map((v, a) => Math.min(limits[a], Math.max(0, v + moves[event.key][a])));
    if (tip) stroke(cursor);
    speak(`pen at ${cursor.map((v) => Math.round(v / PAD_SCALE)).join(", ")}`);
  } else return;
  event.preventDefault();
  if (!empty) readPad();
}

function startPad() {
  clearPad();
  let asked = false;
  const readSoon = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      readPad();
    });
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    tip = choosePlace(event);
    stroke(tip);
    readSoon();
  });
  pad.addEventListener("pointermove", (event) => {
    if (tip === null || !pad.hasPointerCapture(event.pointerId)) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) stroke(choosePlace(part));
    readSoon();
  });
  pad.addEventListener("pointercancel", () => (tip = null));
  pad.addEventListener("pointerup", () => {
    if (tip === null) return; // it went down elsewhere
    tip = null;
    readPad();
    speak(chosenInWords());
  });
  pad.addEventListener("keydown", movePen);
  pad.addEventListener("blur", () => (tip = null));
  find("clear").onclick = clearPad;
  find("centered").onchange = () => empty || readPad();

  if (labels && data.names.length <= 30) {
    data.names.forEach((name, label) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: name, onclick: () => pickLabel(label) });
      button.setAttribute("aria-label", `a test picture labeled ${name}`);
      find("by-label").append(button);
    });
  }
  find("any").onclick = () => pickTest(Math.floor(random.uniform() * pictures.length));
  let turn = 0;
  find("badly").hidden = data.badly.length === 0;
  find("badly").onclick = () => pickTest(data.badly[turn++ % data.badly.length]);
  const noise = find("noise");
  const show = () => (find("noise-value").textContent = fixed(state.noise));
  noise.max = Math.max(1, data.noise);
  noise.value = state.noise;
  noise.oninput = () => {
    state.noise = Number(noise.value);
    show();
    encodePicture();
  };
  show();
  on("picture", () => {
    find("chosen").textContent = chosenInWords();
    const list = (values, digits) => Array.from(values, (v) => fixed(v, digits)).join(", ");
    find("q").textContent = model.latent <= 3 ? `μ: ${list(state.q.mu, 2)}\nσ: ${list(sigmas(state.q), 3)}` : "";
  });
}
