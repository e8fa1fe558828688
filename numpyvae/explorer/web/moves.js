"use strict";
// Mouse, fingers and keys in the latent space.

const fingers = new Map(); // where each finger, or the mouse button, is down
let start = null; // where the first one went down
// "press" until it moves. Then the mouse shifts the view ("shift"), and a finger that moves sideways
// drags z ("drag"); downward it scrolls the page. Two fingers "pinch", until none is down.
let gesture = "press";

const inCanvas = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const insideCanvas = ([x, y]) => [Math.min(view.width, Math.max(0, x)), Math.min(view.height, Math.max(0, y))];
const zAt = (point) => lift(placeAt(...point), state.z);

// Choose z from elsewhere than the canvas: show where it is, and say it.
function goTo(z) {
  chooseZ(z);
  bringIntoView(project(state.z));
  speak(placeInWords(state.z));
}

function pinch(before, after) {
  const middle = (points) => [0, 1].map((k) => total(points.map((point) => point[k])) / points.length);
  const apart = ([p, q]) => (q ? Math.max(10, Math.hypot(p[0] - q[0], p[1] - q[1])) : 1);
  const [from, to] = [placeAt(...middle(before)), placeAt(...middle(after))];
  Object.assign(view, { a: view.a + from[0] - to[0], b: view.b + from[1] - to[1] });
  zoom(apart(after) / apart(before), from);
}

function pressed(event) {
  if (event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, inCanvas(event));
  if (fingers.size > 1) gesture = "pinch";
  else [gesture, start] = ["press", inCanvas(event)];
}

function moved(event) {
  if (!fingers.has(event.pointerId)) return hovered(event);
  const before = [...fingers.values()];
  fingers.set(event.pointerId, inCanvas(event));
  const after = [...fingers.values()];
  if (gesture === "press") gesture = begun(after[0], event.pointerType === "mouse");
  if (gesture === "shift" || (gesture === "pinch" && after.length === 2)) pinch(before, after);
  if (gesture === "shift") hovered(event);
  if (gesture === "drag") chooseZ(zAt(insideCanvas(after[0])));
}

function begun([x, y], mouse) {
  const [dx, dy] = [Math.abs(x - start[0]), Math.abs(y - start[1])];
  if (mouse) return Math.max(dx, dy) > 5 ? "shift" : "press";
  return dx > 8 && dx > dy ? "drag" : "press";
}

function hovered(event) {
  if (event.pointerType !== "mouse") return;
  state.hover = zAt(inCanvas(event));
  changed("z");
}

function lifted(event) {
  if (!fingers.delete(event.pointerId)) return;
  const tapped = gesture === "press" && Math.hypot(...inCanvas(event).map((v, k) => v - start[k])) < 8;
  if (tapped) chooseZ(zAt(inCanvas(event)));
  if (tapped || gesture === "drag") speak(placeInWords(state.z));
}

// ---- Keys and buttons

const thenSayView = (act) => () => {
  act();
  speak(viewInWords());
};
const zoomBy = (factor) => thenSayView(() => {
  const z = project(state.z);
  zoom(factor, isInView(z) ? z : [view.a, view.b]);
});
const arrow = (da, db) => (event) => {
  const step = (event.shiftKey ? SMALL_STEP : 0.05) * view.half;
  const to = project(state.z).map((from, k) => {
    const farthest = Math.max(WIDEST_VIEW, Math.abs(from));
    return Math.min(farthest, Math.max(-farthest, from + step * [da, db][k]));
  });
  goTo(lift(to, state.z));
};
const KEYS = {
  arrowleft: arrow(-1, 0), arrowright: arrow(1, 0), arrowup: arrow(0, 1), arrowdown: arrow(0, -1),
  "+": zoomBy(1.5), "=": zoomBy(1.5), "-": zoomBy(1 / 1.5), 0: thenSayView(lookAtAll), q: thenSayView(lookAtQ),
  m: () => goTo(state.q.mu), a: () => setPinHere("A"), b: () => setPinHere("B"),
  escape: () => canvas.blur(), // and the wheel scrolls the page again
};

function startMoves() {
  canvas.addEventListener("pointerdown", pressed);
  canvas.addEventListener("pointermove", moved);
  canvas.addEventListener("pointerup", lifted);
  for (const end of ["pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  canvas.addEventListener("dragstart", (event) => event.preventDefault()); // of text that is selected
  canvas.addEventListener("pointerleave", () => {
    state.hover = null;
    changed("z");
  });
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 500), placeAt(...inCanvas(event)));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const act = KEYS[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(event);
  });
  find("zoom-in").onclick = KEYS["+"];
  find("zoom-out").onclick = KEYS["-"];
  find("zoom-all").onclick = KEYS[0];
  find("zoom-q").onclick = KEYS.q;
  find("to-mu").onclick = KEYS.m;
  for (const choice of find("backdrop").elements) choice.onchange = () => changed("backdrop");
}

// One Tab stop for a row of buttons. The arrow keys go from one to the next.
function oneStop(row) {
  const buttons = [...row.querySelectorAll("button")];
  const stopAt = (chosen) => buttons.forEach((button) => (button.tabIndex = button === chosen ? 0 : -1));
  row.setAttribute("role", "toolbar");
  row.onkeydown = (event) => {
    const step = { arrowleft: -1, arrowup: -1, arrowright: 1, arrowdown: 1 }[event.key.toLowerCase()];
    if (!step) return;
    event.preventDefault();
    const here = buttons.indexOf(document.activeElement);
    const next = buttons[(here + step + buttons.length) % buttons.length];
    stopAt(next);
    next.focus();
  };
  stopAt(buttons[0]);
}
