"use strict";
// The tasks on the page. Their rules stand in checks.js.

function situation() {
  const known = costs();
  return {
    z: state.z, mu: state.q.mu, path: state.path, kl: known.kl, gap: state.gap,
    reconstruction: known.reconstruction,
    picture: { label: state.label, own: state.index === null },
  };
}

// For a drawing, its author says what it is.
function labelChooser() {
  const chooser = document.createElement("p"), words = document.createElement("span");
  chooser.className = "row tight";
  words.textContent = "I drew a";
  chooser.append(words);
  const buttons = data.names.map((name, label) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: name });
    button.onclick = () => {
      state.label = label;
      show();
    };
    chooser.append(button);
    return button;
  });
  const show = () => {
    chooser.hidden = state.index !== null;
    buttons.forEach((button, label) => button.setAttribute("aria-pressed", state.label === label));
  };
  on("picture", show);
  return chooser;
}

function startTasks() {
  const done = new Set();
  find("tasks").hidden = data.tasks.length === 0;
  data.tasks.forEach((task, number) => {
    const rule = CHECKS[task.kind], item = document.createElement("li");
    const [title, text, answer, why] = ["h3", "p", "p", "p"].map((tag) => document.createElement(tag));
    const check = document.createElement("button"), row = document.createElement("p");
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
      answer.textContent = `${solved ? "Yes." : "Not yet."} ${rule.found(task, now, near, nameOf)}`;
      if (solved) {
        done.add(number);
        item.classList.add("done");
        why.textContent = rule.why;
      }
      find("score").textContent = `${done.size} of ${data.tasks.length} found`;
      speak(`${answer.textContent} ${solved ? rule.why : ""}`);
    };
    item.append(title, text, ...(task.kind === "fool" ? [labelChooser()] : []), answer, why, row);
    find("task-list").append(item);
  });
}
