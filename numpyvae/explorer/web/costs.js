"use strict";
// The costs of a picture: evidence − KL(q ‖ posterior) = ELBO = −(reconstruction + KL(q ‖ prior)).

const PARTS = {
  evidence: grid ? `−${EVIDENCE}` : "−bound", gap: "KL(q ‖ posterior)", floor: "least",
  reconstruction: "reconstruction", kl: "KL(q ‖ prior)",
};

function bar(title, parts, scale) {
  // parts: [[name, nats], …]
  const row = document.createElement("div"), track = document.createElement("span");
  row.className = "bar";
  track.className = "track";
  for (const [name, nats] of parts) {
    const part = document.createElement("span");
    part.className = name;
    part.style.width = `${Math.max(0, (100 * nats) / scale)}%`;
    if (nats > 0.3 * scale) part.textContent = PARTS[name];
    track.append(part);
  }
  const name = document.createElement("span");
  name.textContent = title;
  row.append(name, track);
  return row;
}

function line(kind, name, value, words) {
  const row = document.createElement("tr"), head = document.createElement("th");
  if (kind === "sum") row.className = kind;
  else {
    const mark = document.createElement("i");
    mark.className = kind;
    head.append(mark);
  }
  head.scope = "row";
  head.append(name);
  row.append(head);
  for (const text of [value, words]) row.insertCell().textContent = text;
  return row;
}

function showCosts() {
  const { kl, drawn, exact, reconstruction, elbo } = costs(), { evidence, gap, bound } = state;
  const least = entropy(state.clean);
  const whole = Math.max(-elbo, evidence ? -evidence.value : 0, 1);
  const upper = evidence ? [["evidence", -evidence.value], ["gap", exact ? gap : -elbo + evidence.value]]
    : [["evidence", -bound.mean], ["gap", bound.mean - elbo]];
  const small = Math.max(25, kl, exact ? gap : 0);
  const bars = [
    bar("−ELBO", upper, whole),
    bar("the same", [
      ["floor", Math.min(least, reconstruction)], ["reconstruction", reconstruction - least], ["kl", kl],
    ], whole),
    bar("KL(q ‖ prior)", [["kl", kl]], small),
  ];
  if (exact) bars.push(bar("KL(q ‖ posterior)", [["gap", gap]], small));
  find("bars").replaceChildren(...bars);

  // The numbers add up as they are shown: the reconstruction, the largest, takes the rounding.
  const rounded = (value) => Math.round(100 * value) / 100;
  const above = rounded(evidence ? evidence.value : bound.mean);
  const below = rounded(exact ? gap : above - elbo), shownKl = rounded(kl);
  const minus = (value) => (value < 0 ? `+ ${fixed(-value)}` : `− ${fixed(value)}`); // by chance, with draws
  const error = ` ± ${fixed(drawn.error)}`;
  const lines = [];
  if (evidence) {
    const places = evidence.nodes.size.toLocaleString("en");
    lines.push(line("evidence", EVIDENCE, fixed(above), `an integral: a sum over ${places} places z`));
    lines.push(exact
      ? line("gap", "− KL(q ‖ posterior)", minus(below), "0 if q were the true posterior")
      : line("gap", "− KL(q ‖ posterior)", minus(below) + error, "from draws: the grid does not hold q"));
  } else {
    lines.push(line("evidence", "bound, k = 50", `${fixed(above)} ± ${fixed(bound.error)}`,
      "the importance-weighted bound; the integral is out of reach"));
    lines.push(line("gap", "− (bound − ELBO)", `${minus(below)} ± ${fixed(Math.hypot(bound.error, drawn.error))}`,
      "in expectation, KL(q ‖ posterior) is at least this"));
  }
  lines.push(line("sum", "= ELBO", fixed(above - below) + (exact ? "" : error), ""));
  lines.push(line("reconstruction", "= −reconstruction", `−${fixed(below - above - shownKl)}`,
    least > 0.5 ? `hatched: ${fixed(least)}, the least that grey pixels can cost` : "the mean of −log p(x|z) over q"));
  lines.push(line("kl", "− KL(q ‖ prior)", `− ${fixed(shownKl)}`, "the price of saying where z is"));
  find("sums").replaceChildren(...lines);
  const inWords = lines.map(({ cells }) => `${cells[0].textContent} ${cells[1].textContent}`);
  find("bars").setAttribute("aria-label", inWords.join(", "));

  const one = -state.draws[0].reconstruction - kl;
  find("one-draw").textContent = `The ELBO from one draw of z: ${fixed(one)}. From 30: ${fixed(-drawn.mean - kl)}${error}.`;
  const notes = [];
  if (!data.binary) {
    notes.push(`These pixels are grey. So the evidence${evidence ? "" : " that the bound bounds"} is ` +
      "log ∫ exp(−cross-entropy) p(z) dz, for which Bayes’ rule and every bound hold. It is not the logarithm of a probability.");
  }
  if (state.noise > 0) notes.push("q comes from the noisy x. The costs are those of the clean picture.");
  if (evidence && evidence.error > 0.02) notes.push(`The sum is uncertain by about ${fixed(evidence.error)} nats.`);
  if (evidence && boxOf(evidence, grid).flat().some((edge) => Math.abs(edge) >= grid.halfWidth)) {
    notes.push(`The sum ends at ±${grid.halfWidth}, where the posterior goes on.`);
  }
  notes.push("± stands for one standard error.");
  find("about-evidence").textContent = notes.join(" ");
}

function startCosts() {
  on("costs", showCosts);
  on("picture costs", () => find("costs").classList.toggle("old", state.draws.length === 0));
  find("redraw").onclick = () => {
    settle();
    drawAnew();
    speak(find("one-draw").textContent);
  };
}
