"use strict";
// Choosing a test picture, and the noise on the input.

function pickTest(index) {
  clearPad();
  choosePicture(pictures[index], { index, label: labels ? labels[index] : null });
}

// The next test picture with this label, each time another one.
const turns = {};
function pickLabel(label) {
  const all = pictures.map((_, n) => n).filter((n) => labels[n] === label);
  if (all.length === 0) return;
  turns[label] = ((turns[label] ?? -1) + 1) % all.length;
  pickTest(all[turns[label]]);
}

function startChoice() {
  if (labels && data.names.length <= 30) {
    data.names.forEach((name, label) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: name, onclick: () => pickLabel(label) });
      button.setAttribute("aria-label", `a test picture labeled ${name}`);
      find("by-label").append(button);
    });
    oneStop(find("by-label"));
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
    encodePicture(true);
  };
  noise.onchange = noise.onpointerup = settle; // no change is told if it is back where it began
  show();
  on("picture", () => {
    find("chosen").textContent = chosenInWords();
    const list = (values, digits) => Array.from(values, (v) => fixed(v, digits)).join(", ");
    find("q").textContent = model.latent <= 3 ? `μ: ${list(state.q.mu, 2)}\nσ: ${list(sigmas(state.q), 3)}` : "";
  });
}
