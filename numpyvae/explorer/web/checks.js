"use strict";
// The rules of the tasks, without a page: the same as in numpyvae/explorer/tasks.py.
//
// A situation is what the page shows: { z, mu, label, kl, reconstruction, gap, drawnGap, path }.
// `label` is the number of the picture's label; `drawnGap` the gap by draws with its error, where
// the exact one is not known; `path` holds the labels on the way from A to B. What is not known is
// null.

const NEIGHBORS = 20;
const STEPS = 13; // pictures on the way from A to B

class Neighbors {
  // The test means around a place, and their labels.
  constructor(means, labels, names, latent) {
    Object.assign(this, { means, labels, names, latent });
    this.count = Math.min(NEIGHBORS, means.length / latent);
  }

  // The number of neighbors with each label, and the distance of the nearest one.
  around(z) {
    const { means, latent, count } = this;
    const nearest = []; // [squared distance, image], in order
    for (let n = 0; n * latent < means.length; n++) {
      let distance = 0;
      for (let a = 0; a < latent; a++) distance += (means[n * latent + a] - z[a]) ** 2;
      if (nearest.length === count && distance >= nearest[count - 1][0]) continue;
      let at = nearest.length;
      while (at > 0 && nearest[at - 1][0] > distance) at--;
      nearest.splice(at, 0, [distance, n]);
      if (nearest.length > count) nearest.pop();
    }
    const counts = new Array(this.names.length).fill(0);
    if (this.labels) for (const [, n] of nearest) counts[this.labels[n]]++;
    return { counts, distance: Math.sqrt(nearest[0][0]) };
  }

  // The label of most of them; of several, the first.
  most(z) {
    const { counts } = this.around(z);
    return counts.indexOf(Math.max(...counts));
  }

  // "7 (15×), 9 (2×), 4 (2×), others (1×)"
  inWords(z) {
    const { counts } = this.around(z);
    const order = counts.map((count, label) => [count, this.names[label]]).filter(([count]) => count > 0);
    order.sort((a, b) => b[0] - a[0]);
    const others = order.slice(3).reduce((sum, [count]) => sum + count, 0);
    if (others > 0) order.splice(3, order.length, [others, "others"]);
    return order.map(([count, name]) => `${name} (${count}×)`).join(", ");
  }
}

// A number as it is shown. It is judged as it is shown, so that no answer contradicts itself.
const shown = (value) => Number(value.toFixed(2));

function straightWay(from, to) {
  return Array.from({ length: STEPS }, (_, k) =>
    Array.from(from, (a, i) => a + ((to[i] - a) * k) / (STEPS - 1)));
}

const CHECKS = {
  border: {
    title: (task, name) => `Where does ${name(task.labels[0])} become ${name(task.labels[1])}?`,
    text: () => "Choose a place where the decoder’s picture could be either.",
    solved: (task, now, near) => {
      const { counts } = near.around(now.z);
      return task.labels.every((label) => counts[label] >= task.least);
    },
    found: (task, now, near, name) =>
      `Among the ${near.count} test means nearest to your z: ` +
      task.labels.map((label) => `${near.around(now.z).counts[label]} of label ${name(label)}`).join(", ") +
      `; ${task.least} of each are asked for.`,
    why: () => "Nothing in the loss knows of labels. Two kinds of pictures lie side by side where one of " +
      "them costs few nats when it is decoded as the other.",
  },
  hole: {
    title: () => "Find a hole in the prior",
    text: (task) => `Choose a place inside the circle of ${task.radius} σ that is at least ` +
      `${task.least} from every test mean. What does the decoder draw there?`,
    solved: (task, now, near) =>
      shown(Math.hypot(...now.z)) < task.radius && shown(near.around(now.z).distance) >= task.least,
    found: (task, now, near) => `Your z is ${fixed(Math.hypot(...now.z))} from 0, and ` +
      `${fixed(near.around(now.z).distance)} from the nearest test mean.`,
    why: () => "All codes together are not quite the prior. A sample begins with a draw from the prior, " +
      "and it may fall in here. So some samples may look like nothing in the data.",
  },
  fool: {
    title: () => "Fool the encoder",
    text: () => "Draw a picture, or choose one, that the encoder places among pictures of other labels.",
    solved: (task, now, near) => now.label !== null &&
      near.around(now.mu).counts[now.label] < task.fewer,
    found: (task, now, near, name) => now.label === null
      ? "First say what you drew."
      : `Among the ${near.count} test means nearest to μ: ${near.around(now.mu).counts[now.label]} ` +
        `of label ${name(now.label)}; fewer than ${task.fewer} are asked for.`,
    why: () => "The encoder always answers, and usually with a small σ. It has no way to say that it never " +
      "saw such a picture. The reconstruction term says so: compare x with the picture at μ(x).",
  },
  far: {
    title: () => "Where is q far from the true posterior?",
    text: (task) => `Find a picture, or draw one, with KL(q ‖ posterior) above ${task.above} nats. ` +
      "Then press “zoom to q”.",
    solved: (task, now) => now.gap !== null && shown(now.gap) > task.above,
    found: (task, now) => now.gap === null
      ? `By 30 draws it is ${fixed(now.drawnGap.mean)} ± ${fixed(now.drawnGap.error)} nats here. ` +
        "The grid does not hold q, so it is not known exactly."
      : `Here it is ${fixed(now.gap)} nats.`,
    why: (task) => "The evidence minus the ELBO is this KL and nothing else. When this page was written, " +
      `the worst tenth of its test pictures made up ${task.share} % of the mean.`,
  },
  cheap: {
    title: () => "Cheap to place, costly to draw",
    text: (task) => `Find a picture with KL(q ‖ prior) below ${task.below} and a reconstruction ` +
      `term above ${task.above}.`,
    solved: (task, now) => shown(now.kl) < task.below && shown(now.reconstruction) > task.above,
    found: (task, now) => `Here the KL is ${fixed(now.kl)} and the reconstruction term is ` +
      `${fixed(now.reconstruction)}.`,
    why: () => "The KL pays for saying where a picture lies: little, near the middle of the prior. The " +
      "reconstruction term pays for the ink. They are two prices, not two views of one quality.",
  },
  way: {
    title: (task, name) => `From ${name(task.labels[0])} to ${name(task.labels[1])}, through no other`,
    text: (task, name) => `Set A among the ${name(task.labels[0])}s and B among the ` +
      `${name(task.labels[1])}s, so that every step between them lies among one of the two.`,
    solved: (task, now) => now.path.length === STEPS && now.path[0] === task.labels[0] &&
      now.path[STEPS - 1] === task.labels[1] && now.path.every((label) => task.labels.includes(label)),
    found: (task, now, near, name) =>
      `On the way: ${now.path.filter((label, k) => k === 0 || label !== now.path[k - 1]).map(name).join(", ")}.`,
    why: (task, near) => "A straight line in z is not a straight line between pictures." + (near.latent === 2
      ? " On a plane few labels can share a border, so most lines cross others."
      : ""),
  },
};

function fixed(value, digits = 2) {
  // With a true minus sign, and no "−0.00".
  if (!Number.isFinite(value)) return "unknown";
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? "−" + text : text;
}
