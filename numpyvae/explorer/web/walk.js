"use strict";
// The way from A to B, and a slider for each latent.

function setPin(name, z) {
  state.pins[name] = Array.from(z);
  changed("pins");
}

function setPinHere(name) {
  setPin(name, state.z);
  speak(`${name} is at ${zInWords(state.z)}`);
}

function showWay() {
  const { A, B } = state.pins;
  if (A === null || B === null) return;
  const way = straightWay(A, B);
  state.path = labels ? way.map((z) => near.most(z)) : [];
  find("strip").replaceChildren(...way.map((z, k) => {
    const button = document.createElement("button"), canvas = document.createElement("canvas");
    paint(canvas, decode(model, z));
    const end = k === 0 ? "A" : k === STEPS - 1 ? "B" : "", name = labels ? nameOf(state.path[k]) : "";
    button.type = "button";
    button.append(canvas, [end, name].filter(Boolean).join(" · ") || "\u00a0");
    button.setAttribute("aria-label", `step ${k + 1} of ${STEPS}${name ? `, among ${name}` : ""}`);
    button.onclick = () => goTo(z);
    return button;
  }));
  oneStop(find("strip"));
}

// Pins to begin with: the medians of the two labels that lie farthest apart.
function firstPins() {
  if (!labels || data.names.length < 2) {
    const last = pictures[pictures.length - 1];
    return [encode(model, pictures[0]).mu, encode(model, last).mu];
  }
  const middle = data.names.slice(0, 10).map((_, label) => {
    const mine = Array.from(labels.keys()).filter((n) => labels[n] === label);
    return Array.from({ length: model.latent }, (_, a) =>
      mine.map((n) => means[n * model.latent + a]).sort((u, v) => u - v)[mine.length >> 1]);
  });
  let best = [middle[0], middle[1]], most = -1;
  for (const a of middle) {
    for (const b of middle) {
      const distance = Math.hypot(...a.map((v, i) => v - b[i]));
      if (distance > most) [best, most] = [[a, b], distance];
    }
  }
  return best;
}

function startSliders() {
  if (model.latent === 2) return;
  find("sliders").hidden = false;
  const order = data.kl.map((kl, i) => [kl, i]).sort((a, b) => b[0] - a[0]);
  const shown = order.map(([kl, i]) => {
    const label = document.createElement("label"), range = document.createElement("input");
    const name = document.createElement("span"), value = document.createElement("span");
    Object.assign(range, { type: "range", min: -WIDEST_VIEW, max: WIDEST_VIEW, step: "any" });
    range.setAttribute("aria-label", `z ${i + 1}, mean KL ${fixed(kl)} nats`);
    label.title = `mean KL ${fixed(kl)} nats`;
    name.textContent = `z${[...String(i + 1)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("")}`;
    range.oninput = () => {
      const z = Array.from(state.z);
      z[i] = Number(range.value);
      chooseZ(z);
    };
    range.onchange = () => speak(placeInWords(state.z));
    label.append(name, range, value);
    find("sliders").append(label);
    return { i, range, value };
  });
  on("z", () => shown.forEach(({ i, range, value }) => {
    range.value = shownZ()[i];
    value.textContent = fixed(shownZ()[i]);
    range.setAttribute("aria-valuetext", value.textContent);
  }));
}

function startWalk() {
  on("pins", showWay);
  for (const name of ["A", "B"]) {
    find(`pin-${name.toLowerCase()}`).onclick = () => setPinHere(name);
  }
  startSliders();
}
