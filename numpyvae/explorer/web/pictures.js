"use strict";
// The three pictures: x, the one decoded at μ(x), and the one decoded at your z.

function paint(canvas, pixels) {
  // Ink is dark: a pixel of 1 is black.
  const [height, width] = model.shape;
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  pixels.forEach((p, j) => image.data.set([255 * (1 - p), 255 * (1 - p), 255 * (1 - p), 255], 4 * j));
  pen.putImageData(image, 0, 0);
}

const flipped = (p) => p.map((v) => (random.uniform() < v ? 1 : 0)); // a draw from p(x|z)

function paintAt(id, z, words) {
  const p = decode(model, z);
  paint(find(id), find("coins").checked ? flipped(p) : p);
  find(id).setAttribute("aria-label", words);
}

function paintMu() {
  paintAt("picture-mu", state.q.mu, labels ? `decoded at μ, near ${near.inWords(state.q.mu)}` : "decoded at μ");
}

function paintZ() {
  paintAt("picture-z", shownZ(), labels ? `decoded at your z, near ${near.inWords(shownZ())}` : "decoded at your z");
}

function startPictures() {
  on("picture", () => {
    paint(find("picture-x"), state.x);
    find("picture-x").setAttribute("aria-label", chosenInWords());
    paintMu();
  });
  on("z", () => requestAnimationFrame(paintZ));
  find("again").onclick = find("coins").onchange = () => {
    find("again").hidden = !find("coins").checked;
    paintMu();
    paintZ();
  };
}
