"use strict";
// The tasks on the page. Their rules stand in checks.js.

function situation() {
  const { kl, exact, reconstruction, elbo, drawn } = costs();
  return {
    z: state.z, mu: state.q.mu, path: state.path, label: state.label, kl, reconstruction, gap: state.gap,
    drawnGap: exact || !grid ? null : { mean: state.evidence.value - elbo, error: drawn.error },
  };
}

// What a task asks about. An answer holds until that changes.
const subjectOf = (kind) => ({ border: state.z, hole: state.z, way: state.path })[kind] ?? state.q;

// For a drawing, its author says what it is.
function labelChooser(chosen) {
  const chooser = document.createElement("p"), words = document.createElement("span");
  chooser.className = "row tight";
  chooser.setAttribute("aria-label", "what you drew");
  words.textContent = "I drew:";
  chooser.append(words);
  const buttons = data.names.map((name, label) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: name });
    button.onclick = () => {
      state.label = label;
      show();
      chosen();
    };
    chooser.append(button);
    return button;
  });
  const show = () => {
    chooser.hidden = state.index !== null;
    buttons.forEach((button, label) => button.setAttribute("aria-pressed", state.label === label));
  };
  oneStop(chooser);
  on("picture", show);
  return chooser;
}

function startTasks() {
  const done = new Set();
  find("tasks").hidden = data.tasks.length === 0;
  if (data.noise > 0) find("task-noise").textContent = `Each task has solutions with the noise at ${data.noise}.`;
  data.tasks.forEach((task, number) => {
    const rule = CHECKS[task.kind], item = document.createElement("li");
    const [title, text, answer, why] = ["h3", "p", "p", "p"].map((tag) => document.createElement(tag));
    const check = document.createElement("button"), row = document.createElement("p");
    let subject = null; // of the answer
    const clear = () => (answer.textContent = "");
    title.textContent = rule.title(task, nameOf);
    text.textContent = rule.text(task, nameOf);
    answer.className = "answer";
    why.className = "quiet";
    Object.assign(check, { type: "button", textContent: "check" });
    check.setAttribute("aria-label", `check: ${title.textContent}`);
    row.append(check);
    check.onclick = () => {
      settle();
      const now = situation(), solved = rule.solved(task, now, near);
      subject = subjectOf(task.kind);
      if (solved) {
        done.add(number);
        item.classList.add("done");
        why.textContent = rule.why(task, near);
      }
      const verdict = solved ? "Yes." : done.has(number) ? "Not this one." : "Not yet.";
      answer.textContent = `${verdict} ${rule.found(task, now, near, nameOf)}`;
      find("score").textContent = `${done.size} of ${data.tasks.length} found`;
      speak(`${answer.textContent} ${solved ? why.textContent : ""}`);
    };
    on("z picture pins", () => subjectOf(task.kind) === subject || clear());
    item.append(title, text, ...(task.kind === "fool" ? [labelChooser(clear)] : []), answer, why, row);
    find("task-list").append(item);
  });
}
