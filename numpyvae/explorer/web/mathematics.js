"use strict";
// The model: reading its weights, the encoder, the decoder, the loss. Nothing here needs a browser.

// ---- Reading

function bytesOf(base64) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const value = new Uint8Array(128);
  for (let i = 0; i < 64; i++) value[letters.charCodeAt(i)] = i;
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((base64.length / 4) * 3 - padding);
  for (let i = 0, out = 0; i < base64.length; i += 4) {
    const three =
      (value[base64.charCodeAt(i)] << 18) | (value[base64.charCodeAt(i + 1)] << 12) |
      (value[base64.charCodeAt(i + 2)] << 6) | value[base64.charCodeAt(i + 3)];
    bytes[out++] = three >> 16;
    if (out < bytes.length) bytes[out++] = (three >> 8) & 255;
    if (out < bytes.length) bytes[out++] = three & 255;
  }
  return bytes;
}

const floatsOf = (base64) => new Float32Array(bytesOf(base64).buffer);
const integersOf = (base64) => new Int16Array(bytesOf(base64).buffer);

function imagesOf(packed, pixels) {
  // x = byte / 255; a 0 is followed by the number of zeros. One Float64Array for each image.
  const bytes = bytesOf(packed.bytes);
  const flat = new Uint8Array(packed.count * pixels);
  for (let i = 0, out = 0; i < bytes.length; i++) {
    if (bytes[i] === 0) out += bytes[++i];
    else flat[out++] = bytes[i];
  }
  return Array.from({ length: packed.count }, (_, n) =>
    Float64Array.from(flat.subarray(n * pixels, (n + 1) * pixels), (byte) => byte / 255));
}

function surfaceOf(packed, columns) {
  // Running sums along each row, which begins with one down the first column.
  const integers = integersOf(packed.integers), values = new Float64Array(integers.length);
  let first = packed.first, units = 0;
  for (let k = 0; k < values.length; k++) {
    if (k % columns === 0) units = first += integers[k];
    else units += integers[k];
    values[k] = units * packed.scale;
  }
  return values;
}

function readModel(data) {
  // W[i, j] = scale[j] · integer[i, j], rounded to float32, as numpyvae.explorer.packing stores it.
  const integers = integersOf(data.weights.integers);
  const scales = floatsOf(data.weights.scales);
  const biases = floatsOf(data.weights.biases);
  const weights = {};
  let integer = 0, column = 0, bias = 0;
  for (const [name, [rows, columns]] of data.weights.shapes) {
    if (columns === undefined) {
      weights[name] = biases.subarray(bias, (bias += rows));
      continue;
    }
    const W = (weights[name] = new Float32Array(rows * columns));
    for (let k = 0; k < W.length; k++) W[k] = integers[integer + k] * scales[column + (k % columns)];
    integer += W.length;
    column += columns;
  }
  const layer = (name) => {
    const b = weights["b_" + name];
    return { W: weights["W_" + name], b, y: new Float64Array(b.length) };
  };
  const depth = data.hidden.length;
  const hidden = (letter) => Array.from({ length: depth }, (_, i) => layer(letter + (i + 1)));
  return {
    latent: data.latent, shape: data.shape, pixels: data.shape[0] * data.shape[1],
    activation: data.activation === "tanh" ? tanh : relu,
    encoder: hidden("h"), mu: layer("mu"), logvar: layer("logvar"),
    decoder: hidden("g"), output: layer("out"),
  };
}

// ---- One pass

function dense(x, layer, y) {
  // y = x W + b. Rows of W whose x is 0 are left out, because most pixels are black. The others
  // are added four at a time, so that y is read and written less often.
  const { W, b } = layer, n = b.length, rows = [];
  for (let i = 0; i < x.length; i++) if (x[i] !== 0) rows.push(i);
  y.set(b);
  let k = 0;
  for (; k + 4 <= rows.length; k += 4) {
    const [i0, i1, i2, i3] = [rows[k], rows[k + 1], rows[k + 2], rows[k + 3]];
    const [x0, x1, x2, x3] = [x[i0], x[i1], x[i2], x[i3]];
    const [r0, r1, r2, r3] = [i0 * n, i1 * n, i2 * n, i3 * n];
    for (let j = 0; j < n; j++) {
      y[j] += x0 * W[r0 + j] + x1 * W[r1 + j] + (x2 * W[r2 + j] + x3 * W[r3 + j]);
    }
  }
  for (; k < rows.length; k++) {
    const xi = x[rows[k]], row = rows[k] * n;
    for (let j = 0; j < n; j++) y[j] += xi * W[row + j];
  }
  return y;
}

function relu(y) {
  for (let j = 0; j < y.length; j++) if (y[j] < 0) y[j] = 0;
  return y;
}

function tanh(y) {
  for (let j = 0; j < y.length; j++) y[j] = Math.tanh(y[j]);
  return y;
}

function throughHidden(model, layers, x) {
  // The last hidden layer; the array is overwritten by the next call.
  for (const layer of layers) x = model.activation(dense(x, layer, layer.y));
  return x;
}

function encode(model, x) {
  // μ(x), log σ²(x)
  const h = throughHidden(model, model.encoder, x);
  return {
    mu: dense(h, model.mu, new Float64Array(model.latent)),
    logvar: dense(h, model.logvar, new Float64Array(model.latent)),
  };
}

function logitsAt(model, z) {
  // The array is overwritten by the next call.
  return dense(throughHidden(model, model.decoder, z), model.output, model.output.y);
}

function decode(model, z) {
  // p = sigmoid(logits)
  return Float64Array.from(logitsAt(model, z), (l) => 1 / (1 + Math.exp(-l)));
}

// ---- The loss, in nats

function softplusSum(logits) {
  // Σ log(1 + eˡ) = Σ max(l, 0) + log ∏ (1 + e^−|l|); 16 factors of at most 2 share a logarithm.
  let sum = 0, product = 1;
  for (let j = 0; j < logits.length; j++) {
    const l = logits[j];
    product *= 1 + Math.exp(l > 0 ? -l : l);
    if (l > 0) sum += l;
    if ((j & 15) === 15) {
      sum += Math.log(product);
      product = 1;
    }
  }
  return sum + Math.log(product);
}

function crossEntropy(logits, x) {
  // −Σ (x log p + (1−x) log(1−p)) = Σ (softplus(l) − x l)
  let sum = softplusSum(logits);
  for (let j = 0; j < x.length; j++) sum -= x[j] * logits[j];
  return sum;
}

function entropy(x) {
  // The least cross-entropy that any p can reach: 0 for binary pixels.
  let sum = 0;
  for (const v of x) if (v > 0 && v < 1) sum -= v * Math.log(v) + (1 - v) * Math.log(1 - v);
  return sum;
}

function klPerLatent(q) {
  // ½ (μ² + σ² − 1 − log σ²)
  return Array.from(q.mu, (mu, i) => 0.5 * (mu * mu + Math.expm1(q.logvar[i]) - q.logvar[i]));
}

const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const klDivergence = (q) => total(klPerLatent(q));
const sigmas = (q) => Array.from(q.logvar, (logvar) => Math.exp(0.5 * logvar));

// ---- Draws

function randomNumbers(seed) {
  // mulberry32, and the Box-Muller transform: the same draws in every browser.
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

function drawFrom(q, random) {
  // z = μ + σ ε
  return Float64Array.from(q.mu, (mu, i) => mu + Math.exp(0.5 * q.logvar[i]) * random.normal());
}

function drawsOf(model, x, q, count, random) {
  // Draws z from q, each with its reconstruction term −log p(x|z) and its log w.
  return Array.from({ length: count }, () => {
    const z = drawFrom(q, random);
    const reconstruction = crossEntropy(logitsAt(model, z), x);
    let logWeight = -reconstruction; // log p(x|z) + log p(z) − log q(z|x)
    for (let i = 0; i < z.length; i++) {
      const eps = (z[i] - q.mu[i]) / Math.exp(0.5 * q.logvar[i]);
      logWeight += 0.5 * (eps * eps - z[i] * z[i] + q.logvar[i]);
    }
    return { z, reconstruction, logWeight };
  });
}

function meanAndError(values) {
  const mean = total(values) / values.length;
  const squares = total(values.map((value) => (value - mean) ** 2));
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

function importanceBound(draws) {
  // log 1/k Σ w of k draws
  const largest = Math.max(...draws.map((draw) => draw.logWeight));
  const sum = total(draws.map((draw) => Math.exp(draw.logWeight - largest)));
  return largest + Math.log(sum / draws.length);
}
