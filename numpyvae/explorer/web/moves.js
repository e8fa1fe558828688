"use strict";
// Mouse, fingers and keys in the latent space.

const fingers = new Map(); // where each finger, or the mouse button, is down
let start = null; // where the first one went down
let moved = 0; // the farthest that it has been from there, in pixels
let sideways = false; // one finger moves z once it moved sideways; downward it scrolls the page

const inCanvas = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const zAt = (point) => lift(placeAt(...point), state.z);

function pinch(before, after) {
  const middle = (points) => [0, 1].map((k) => total(points.map((point) => point[k])) / points.length);
  const apart = ([p, q]) => (q ? Math.max(10, Math.hypot(p[0] - q[0], p[1] - q[1])) : 1);
  const [from, to] = [placeAt(...middle(before)), placeAt(...middle(after))];
  Object.assign(view, { a: view.a + from[0] - to[0], b: view.b + from[1] - to[1] });
  zoom(apart(after) / apart(before), from);
}

// The mouse drags the view, two fingers too; one finger drags z.
function dragged(event) {
  const before = [...fingers.values()];
  fingers.set(event.pointerId, inCanvas(event));
  const after = [...fingers.values()];
  const [dx, dy] = after[0].map((value, k) => Math.abs(value - start[k]));
  moved = Math.max(moved, dx, dy);
  if (event.pointerType === "mouse" || fingers.size === 2) return pinch(before, after);
  sideways ||= dx > 8 && dx > dy;
  if (sideways) chooseZ(zAt(after[0]));
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const KEYS = {
  "+": () => zoom(1.5, project(state.z)), "=": () => zoom(1.5, project(state.z)),
  "-": () => zoom(1 / 1.5, project(state.z)), 0: lookAtAll, q: lookAtQ,
  m: () => chooseZ(state.q.mu), a: () => setPin("A", state.z), b: () => setPin("B", state.z),
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const move = MOVES[event.key], act = KEYS[event.key.toLowerCase()];
  if (move) {
    const step = (event.shiftKey ? 0.01 : 0.05) * view.half, [a, b] = project(state.z);
    chooseZ(lift([a + step * move[0], b + step * move[1]], state.z));
  } else if (act) act();
  else return;
  event.preventDefault();
  speak(placeInWords());
}

function startMoves() {
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, inCanvas(event));
    if (fingers.size === 1) [moved, start, sideways] = [0, inCanvas(event), false];
    else moved = Infinity; // two fingers are no tap
  });
  canvas.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) dragged(event);
    else if (event.pointerType === "mouse") {
      state.hover = zAt(inCanvas(event));
      changed("z");
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (fingers.size === 1 && moved < 6) {
      chooseZ(zAt(inCanvas(event)));
      speak(placeInWords());
    }
    fingers.delete(event.pointerId);
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => {
    state.hover = null;
    changed("z");
  });
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 500), placeAt(...inCanvas(event)));
  }, { passive: false });
  canvas.addEventListener("keydown", pressed);
  find("zoom-in").onclick = KEYS["+"];
  find("zoom-out").onclick = KEYS["-"];
  find("zoom-all").onclick = lookAtAll;
  find("zoom-q").onclick = lookAtQ;
  find("to-mu").onclick = () => {
    chooseZ(state.q.mu);
    speak(placeInWords());
  };
  for (const choice of find("backdrop").elements) choice.onchange = () => changed("backdrop");
}
