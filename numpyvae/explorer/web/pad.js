"use strict";
// Drawing a picture.

const PAD_SCALE = 10; // pixels of the pad for one of a picture
const PEN = 2.1; // width of the pen, in pixels of a picture; MNIST's strokes are about as wide
const pad = find("pad");
const padPen = pad.getContext("2d", { willReadFrequently: true });
let tip = null; // where the pen touches the pad
let finger = null; // which of the fingers draws, or the mouse
let cursor = null; // the pen that keys move
let empty = true;

function clearPad() {
  [pad.height, pad.width] = model.shape.map((side) => side * PAD_SCALE);
  [empty, tip, finger] = [true, null, null];
  moveCursor([pad.width / 2, pad.height / 2]);
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
  if (empty) return;
  const { width, height } = pad, rgba = padPen.getImageData(0, 0, width, height).data;
  const ink = Float64Array.from({ length: width * height }, (_, k) => 1 - rgba[4 * k] / 255);
  let picture = pictureOf(ink, width, height, model.shape, find("centered").checked);
  if (data.binary) picture = picture.map((v) => (v > 0.5 ? 1 : 0)); // as the model's own images
  choosePicture(picture, { label: state.index === null ? state.label : null, moving: tip !== null });
}

// ---- With mouse, pen or finger

function onPad(event) {
  const box = pad.getBoundingClientRect();
  return [((event.clientX - box.left) * pad.width) / box.width, ((event.clientY - box.top) * pad.height) / box.height];
}

function startStroke(event) {
  if (finger !== null || event.button !== 0) return; // a second finger, or another button
  pad.setPointerCapture(event.pointerId);
  finger = event.pointerId;
  tip = onPad(event);
  stroke(tip);
  readSoon();
}

function goOnWithStroke(event) {
  if (event.pointerId !== finger) return;
  for (const part of event.getCoalescedEvents?.() ?? [event]) stroke(onPad(part));
  readSoon();
}

function endStroke(event) {
  if (event.pointerId !== finger) return;
  [finger, tip] = [null, null];
  moveCursor(cursor); // the pen of the keyboard is up, too
  readPad();
}

let reading = false;
function readSoon() {
  if (reading) return;
  reading = true;
  requestAnimationFrame(() => {
    reading = false;
    readPad();
  });
}

// ---- With keys

function moveCursor(to) {
  cursor = to;
  const mark = find("pen"), width = (100 * PEN) / model.shape[1];
  Object.assign(mark.style, { left: `${(100 * to[0]) / pad.width}%`, top: `${(100 * to[1]) / pad.height}%`, width: `${width}%` });
  mark.classList.toggle("down", tip !== null);
}

function movePen(event) {
  const side = (event.shiftKey ? 3 : 1) * PAD_SCALE, limits = [pad.width, pad.height];
  const move = { ArrowLeft: [-side, 0], ArrowRight: [side, 0], ArrowUp: [0, -side], ArrowDown: [0, side] }[event.key];
  if (!move && event.key !== " ") return;
  event.preventDefault();
  if (finger !== null) return;
  if (event.key === " ") tip = tip === null ? cursor : null;
  const to = move ? cursor.map((v, a) => Math.min(limits[a], Math.max(0, v + move[a]))) : cursor;
  if (tip) {
    stroke(to);
    readPad();
  }
  moveCursor(to);
  speak(`pen ${tip ? "down" : "up"} at ${to.map((v) => Math.round(v / PAD_SCALE)).join(", ")}`);
  if (!tip) settle();
}

function startPad() {
  clearPad();
  pad.addEventListener("pointerdown", startStroke);
  pad.addEventListener("pointermove", goOnWithStroke);
  pad.addEventListener("pointerup", endStroke);
  pad.addEventListener("pointercancel", endStroke);
  pad.addEventListener("lostpointercapture", endStroke); // by another button
  pad.addEventListener("dragstart", (event) => event.preventDefault()); // of text that is selected
  pad.addEventListener("keydown", movePen);
  pad.addEventListener("blur", () => {
    if (finger !== null) return;
    tip = null;
    moveCursor(cursor);
    settle();
  });
  find("clear").onclick = () => {
    clearPad();
    settle(); // of a stroke that was not at its end
    speak("the pad is empty");
  };
  find("centered").onchange = readPad;
}
