"use strict";
// Puts the page together.

const MOUSE_WORDS = "Move the mouse to decode, click to stay, drag to shift the view. The wheel zooms " +
  "once the plane was clicked; Escape lets it scroll the page again. Fingers: tap or drag sideways to move z; " +
  "two fingers shift and zoom.";
const KEY_WORDS = "Keys, when the plane has the focus: arrows move z, with Shift in small steps; " +
  "+ and − zoom, 0 shows all, Q zooms to q; M goes to μ; A and B set the ends of the way.";

function showHeadline() {
  const widths = [model.pixels, ...data.hidden, model.latent, ...[...data.hidden].reverse(), model.pixels];
  const noise = data.noise > 0 ? `denoising, noise ${data.noise}` : "";
  const parts = [data.name, widths.join("-"), `β = ${data.beta}`, noise];
  find("about").textContent = `${parts.filter(Boolean).join(", ")}. Everything about the picture is computed in this page.`;
  const codes = (means.length / model.latent).toLocaleString("en");
  const credit = data.credit ? ` The pictures: ${data.credit}` : "";
  find("footer").textContent = `Written by numpyvae ${data.version}. It holds ${pictures.length} test pictures ` +
    `and the means of ${codes}${data.noise > 0 ? ", with noise" : ""}.${credit}`;
  find("keys").textContent = `${MOUSE_WORDS} ${KEY_WORDS}`;
  canvas.setAttribute("aria-label", `The latent ${model.latent === 1 ? "z" : "plane"}. ${KEY_WORDS}`);
  canvas.classList.toggle("line", model.latent === 1);
}

function showLegend() {
  const entries = [
    ["q", model.latent === 1 ? "q(z|x) of the encoder" : "q(z|x) of the encoder, 90 %"],
    ["posterior", model.latent === 1
      ? "true posterior p(z|x): p(x, z) divided by its area; the logarithm of this area is the evidence"
      : "true posterior p(z|x): 50, 90, 99 %"],
    ["draws", "30 draws from q"],
    ["prior", model.latent === 1 ? "prior" : "prior: 1, 2, 3 σ"],
    ["z", "your z"],
  ];
  if (!grid) entries.splice(1, 1);
  find("legend").classList.toggle("line", model.latent === 1);
  find("legend").replaceChildren(...entries.map(([name, words]) => {
    const item = document.createElement("li"), mark = document.createElement("i");
    mark.className = name;
    item.append(mark, words);
    return item;
  }));
  if (model.latent > 2) {
    const item = document.createElement("li");
    item.textContent = `This plane holds ${Math.round(100 * components.share)} % of the variance of the means.`;
    find("legend").append(item);
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  changed("theme");
}

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.onchange = () => setTheme(dark.matches ? "dark" : "light");
  find("theme").onclick = () => setTheme(isDark() ? "light" : "dark");
  let before = "light";
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    setTheme("light");
    [sheet, oldScene] = [null, true];
    draw(); // a frame would come too late
  });
  addEventListener("afterprint", () => setTheme(before));
}

showHeadline();
showLegend();
startPictures();
startPad();
startChoice();
startCosts();
startWalk();
startTasks();
startPlane();
startMoves();
pickTest(0);
startTheme();
fitCanvas();
lookAtAll();
addEventListener("resize", fitCanvas);
const [firstA, firstB] = firstPins();
setPin("A", firstA);
setPin("B", firstB);
chooseZ(state.z);
