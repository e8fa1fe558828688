"""How fast is training, compared with its matrix products and with other frameworks?

    python tests/benchmarks/training.py                     everything, about half an hour
    python tests/benchmarks/training.py --rounds 3 --json > times.json

Every contender trains the classic on the same images: 784-256-2-256-784, batch 100, RMSprop, with
the loss reported. Each draws its own order and noise. Each round runs each contender in its own
process, once with one thread and once with two. The first epoch (with any compilation) is not
counted. The next two are the figure; two more are run beside another busy process, which is started
and ended here. "cores" is processor time / time of the two undisturbed epochs. Machines drift, so
the table gives ratios within a round, and of these the median. PyTorch, JAX and Keras are included
if they are installed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.data.minibatches import Minibatches

THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))  # of a contender, in its own process
EPOCHS = 5  # one to warm up, two alone, two beside a busy process
BATCH, HIDDEN, LATENT, PIXELS, IMAGES = 100, 256, 2, 784, 60_000


def products(batch=BATCH, hidden=HIDDEN, latent=LATENT, pixels=PIXELS):
    """The eleven matrix products that a step cannot avoid, and nothing else, with `out=`.

    μ and logvar are one product here, as they could be; the gradient of the images is not needed.
    """
    rng = np.random.default_rng(0)

    def array(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    x, h, heads = array(batch, pixels), array(batch, hidden), array(batch, 2 * latent)
    z, g, logits = array(batch, latent), array(batch, hidden), array(batch, pixels)
    W_h, W_heads = array(pixels, hidden), array(hidden, 2 * latent)
    W_g, W_out = array(latent, hidden), array(hidden, pixels)
    dW_h, dW_heads, dW_g, dW_out = (np.empty_like(W) for W in (W_h, W_heads, W_g, W_out))
    pairs = [
        (x, W_h, h.copy()),
        (h, W_heads, heads.copy()),
        (z, W_g, g.copy()),
        (g, W_out, logits.copy()),
        (g.T, logits, dW_out),
        (logits, W_out.T, g.copy()),
        (z.T, g, dW_g),
        (g, W_g.T, z.copy()),
        (h.T, heads, dW_heads),
        (heads, W_heads.T, h.copy()),
        (x.T, h, dW_h),
    ]

    def step():
        for left, right, out in pairs:
            np.matmul(left, right, out=out)

    return step


def floor(images):
    step = products()
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for _ in range(len(images) // BATCH):
            step()
        yield time.perf_counter() - start, float("nan")


def numpyvae_(images):
    vae = numpyvae.VAE(HIDDEN, LATENT)
    for epoch in numpyvae.train(vae, images, epochs=EPOCHS, threads=THREADS):
        yield epoch.seconds, epoch.train.total


def textbook(images):
    """Float32 NumPy, written straightforwardly: no buffers, no views."""
    rng = np.random.default_rng(0)
    images = images.astype(np.float32) / np.float32(255)

    def glorot(n_in, n_out):
        limit = (6 / (n_in + n_out)) ** 0.5
        return rng.uniform(-limit, limit, (n_in, n_out)).astype(np.float32)

    shapes = {"h": (PIXELS, HIDDEN), "mu": (HIDDEN, LATENT), "logvar": (HIDDEN, LATENT)}
    shapes |= {"g": (LATENT, HIDDEN), "out": (HIDDEN, PIXELS)}
    W = {name: glorot(*shape) for name, shape in shapes.items()}
    b = {name: np.zeros(shape[1], np.float32) for name, shape in shapes.items()}
    theta = [*W.values(), *b.values()]
    squares = [np.zeros_like(w) for w in theta]
    for _ in range(EPOCHS):
        start, total = time.perf_counter(), 0.0
        order = rng.permutation(len(images))
        for first in range(0, len(images), BATCH):
            x = images[order[first : first + BATCH]]
            eps = rng.standard_normal((len(x), LATENT), dtype=np.float32)
            h = np.maximum(x @ W["h"] + b["h"], 0)
            mu, logvar = h @ W["mu"] + b["mu"], h @ W["logvar"] + b["logvar"]
            sigma = np.exp(logvar / 2)
            z = mu + sigma * eps
            g = np.maximum(z @ W["g"] + b["g"], 0)
            logits = g @ W["out"] + b["out"]
            p = 0.5 + 0.5 * np.tanh(logits / 2)
            softplus = np.maximum(logits, 0) - np.log(np.maximum(p, 1 - p))
            total += float((softplus - x * logits).sum())
            total += float(0.5 * (mu**2 + sigma**2 - 1 - logvar).sum())

            dlogits = (p - x) / len(x)
            da_g = dlogits @ W["out"].T * (g > 0)
            dz = da_g @ W["g"].T
            dmu = dz + mu / len(x)
            dlogvar = dz * eps * sigma / 2 + (sigma**2 - 1) / 2 / len(x)
            da_h = (dmu @ W["mu"].T + dlogvar @ W["logvar"].T) * (h > 0)
            weights = [x.T @ da_h, h.T @ dmu, h.T @ dlogvar, z.T @ da_g, g.T @ dlogits]
            biases = [d.sum(axis=0) for d in (da_h, dmu, dlogvar, da_g, dlogits)]
            for w, s, gradient in zip(theta, squares, weights + biases):
                s[:] = 0.9 * s + 0.1 * gradient**2
                w -= 1e-3 * gradient / (np.sqrt(s) + 1e-7)
        yield time.perf_counter() - start, total / len(images)


def pytorch(images):
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    x_train = torch.from_numpy(images).float() / 255
    encoder = nn.Linear(PIXELS, HIDDEN)
    mu_head, logvar_head = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)
    decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS))
    parts = nn.ModuleList([encoder, mu_head, logvar_head, decoder])
    optimizer = torch.optim.RMSprop(parts.parameters(), 1e-3, alpha=0.9, eps=1e-7, foreach=True)
    cross_entropy = nn.functional.binary_cross_entropy_with_logits
    for _ in range(EPOCHS):
        start, total = time.perf_counter(), torch.zeros(())
        order = torch.randperm(len(x_train))
        for first in range(0, len(x_train), BATCH):
            x = x_train[order[first : first + BATCH]]
            h = torch.relu(encoder(x))
            mu, logvar = mu_head(h), logvar_head(h)
            z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
            loss = cross_entropy(decoder(z), x, reduction="sum")
            loss = (loss + 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum()) / len(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        yield time.perf_counter() - start, float(total) / (len(x_train) // BATCH)


def jax_(images):
    """The whole epoch is one compiled program: order, noise, gradient, RMSprop, loss."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    x_train = jnp.asarray(images)
    keys = iter(jax.random.split(jax.random.key(0), 100))

    def glorot(n_in, n_out):
        limit = (6 / (n_in + n_out)) ** 0.5
        return jax.random.uniform(next(keys), (n_in, n_out), minval=-limit, maxval=limit)

    shapes = {"h": (PIXELS, HIDDEN), "mu": (HIDDEN, LATENT), "logvar": (HIDDEN, LATENT)}
    shapes |= {"g": (LATENT, HIDDEN), "out": (HIDDEN, PIXELS)}
    theta = {name: (glorot(*shape), jnp.zeros(shape[1])) for name, shape in shapes.items()}
    squares = jax.tree.map(jnp.zeros_like, theta)

    def dense(theta, name, x):
        return x @ theta[name][0] + theta[name][1]

    def loss(theta, x, eps):
        h = jax.nn.relu(dense(theta, "h", x))
        mu, logvar = dense(theta, "mu", h), dense(theta, "logvar", h)
        g = jax.nn.relu(dense(theta, "g", mu + jnp.exp(logvar / 2) * eps))
        logits = dense(theta, "out", g)
        reconstruction = (jax.nn.softplus(logits) - x * logits).sum(axis=1)
        return (reconstruction + 0.5 * (mu**2 + jnp.exp(logvar) - 1 - logvar).sum(axis=1)).mean()

    def step(state, batch):
        theta, squares = state
        index, eps = batch
        x = x_train[index].astype(jnp.float32) / 255
        value, gradient = jax.value_and_grad(loss)(theta, x, eps)
        squares = jax.tree.map(lambda s, g: 0.9 * s + 0.1 * g**2, squares, gradient)
        theta = jax.tree.map(
            lambda w, g, s: w - 1e-3 * g / (jnp.sqrt(s) + 1e-7), theta, gradient, squares
        )
        return (theta, squares), value

    @jax.jit
    def epoch(theta, squares, key):
        shuffling, noise = jax.random.split(key)
        steps = len(images) // BATCH
        order = jax.random.permutation(shuffling, len(images)).reshape(steps, BATCH)
        eps = jax.random.normal(noise, (steps, BATCH, LATENT))
        return lax.scan(step, (theta, squares), (order, eps))

    for _ in range(EPOCHS):
        start = time.perf_counter()
        (theta, squares), losses = epoch(theta, squares, next(keys))
        total = float(losses.mean())
        yield time.perf_counter() - start, total


def keras_(images):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras
    from keras import layers, ops

    class Sample(layers.Layer):
        def build(self, shape):
            self.seeds = keras.random.SeedGenerator(0)

        def call(self, mu, logvar):
            kl = 0.5 * ops.sum(mu**2 + ops.exp(logvar) - 1 - logvar, axis=1)
            self.add_loss(ops.mean(kl))
            return mu + ops.exp(logvar / 2) * keras.random.normal(ops.shape(mu), seed=self.seeds)

    def cross_entropy(x, logits):
        return ops.sum(ops.softplus(logits) - x * logits, axis=1)

    x_train = images.astype(np.float32) / np.float32(255)
    x = keras.Input((PIXELS,))
    h = layers.Dense(HIDDEN, "relu")(x)
    z = Sample()(layers.Dense(LATENT)(h), layers.Dense(LATENT)(h))
    model = keras.Model(x, layers.Dense(PIXELS)(layers.Dense(HIDDEN, "relu")(z)))
    model.compile(keras.optimizers.RMSprop(1e-3, rho=0.9, epsilon=1e-7), cross_entropy)
    for _ in range(EPOCHS):
        start = time.perf_counter()
        history = model.fit(x_train, x_train, batch_size=BATCH, epochs=1, verbose=0)
        yield time.perf_counter() - start, history.history["loss"][-1]


CONTENDERS = {
    "matrix products only": (floor, "numpy"),
    "numpyvae": (numpyvae_, "numpyvae"),
    "textbook NumPy": (textbook, "numpy"),
    "JAX, whole epoch compiled": (jax_, "jax"),
    "PyTorch eager": (pytorch, "torch"),
    "Keras": (keras_, "keras"),
}


@contextmanager
def busy(processes):
    """Other programs that compute all the time, for the length of the block."""
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(processes)]
    time.sleep(0.5 if others else 0.0)  # until they run
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def run_one(name):
    """Print the seconds of an epoch, alone and in company, as JSON; it runs in its own process."""
    (images, _), _ = numpyvae.load_mnist()
    epochs = CONTENDERS[name][0](images)
    next(epochs)
    start, used = time.perf_counter(), time.process_time()
    alone = [next(epochs)[0] for _ in range(2)]
    cores = (time.process_time() - used) / (time.perf_counter() - start)
    with busy(1):
        beside, losses = zip(*(next(epochs) for _ in range(2)))
    result = {"seconds": median(alone), "cores": cores}
    print(json.dumps(result | {"beside": median(beside), "loss": losses[-1]}))


def call(*arguments, threads=None):
    """Run a fresh Python; return its output and the seconds it took.

    `threads` is for every library that is asked by an environment variable.
    """
    environment = dict(os.environ)
    if threads is not None:
        names = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")
        environment |= {f"{name}_NUM_THREADS": str(threads) for name in names}
        environment["NPROC"] = str(threads)  # for JAX
        if threads == 1:
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout, time.perf_counter() - start


def installed(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def compare(rounds, counts):
    """The contenders, interleaved: a table of rows for each number of threads."""
    present = {name: installed(package) for name, (_, package) in CONTENDERS.items()}
    present = {name: number for name, number in present.items() if number}
    results = {(threads, name): [] for threads in counts for name in present}
    for number in range(rounds):
        for threads, name in results:
            print(f"round {number + 1}/{rounds}: {name}, {threads} …", file=sys.stderr, flush=True)
            output, _ = call(__file__, "--contender", name, threads=threads)
            results[threads, name].append(json.loads(output.splitlines()[-1]))

    def row(threads, name):
        mine = results[threads, name]

        def against(other):
            pairs = zip(mine, results[threads, other])
            return median(one["seconds"] / two["seconds"] for one, two in pairs)

        seconds = [result["seconds"] for result in mine]
        return {
            "contender": name,
            "version": present[name],
            "seconds": median(seconds),
            "least": min(seconds),
            "most": max(seconds),
            "cores": median(result["cores"] for result in mine),
            "x products": against("matrix products only"),
            "numpyvae takes": 1.0 / against("numpyvae"),
            "beside one busy process": median(result["beside"] for result in mine),
            "÷ alone": median(result["beside"] / result["seconds"] for result in mine),
            "loss": mine[-1]["loss"],
        }

    return {threads: [row(threads, name) for name in present] for threads in counts}


def timed(function, times):
    start = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - start) / times


def break_down(images, rounds, batch=BATCH, hidden=HIDDEN, latent=LATENT):
    """The microseconds of one step of numpyvae: products, RMSprop, data, and what remains."""
    vae = numpyvae.VAE(hidden, latent)
    list(numpyvae.train(vae, images[: 10 * batch], epochs=1, batch_size=batch))
    rng = np.random.default_rng(0)
    optimizer = numpyvae.RMSprop(vae.parameters, learning_rate=1e-12)  # repeated, it stays put
    feed = np.tile(rng.permutation(len(images)), 2 + 200 * batch * rounds // len(images))
    batches = Minibatches(vae, batch, "grey", 0.0)(images, feed, rng)
    x, eps, _ = next(batches)
    vae.backward(vae.forward(x, eps))  # so that the optimizer has a gradient

    def data():
        next(batches)

    def passes():
        t = vae.forward(x, eps)
        float(vae.loss(t).total)
        vae.backward(t)

    parts = {"products": products(batch, hidden, latent), "passes": passes}
    parts |= {"RMSprop": optimizer.step, "data": data}
    times = {name: [] for name in parts}
    for _ in range(10 * rounds):
        for name, part in parts.items():
            times[name].append(timed(part, 5) * 1e6)
    us = {name: median(values) for name, values in times.items()}
    step = us["passes"] + us["RMSprop"] + us["data"]
    return {
        "products": us["products"],
        "activations and loss": us["passes"] - us["products"],
        "RMSprop": us["RMSprop"],
        "data": us["data"],
        "step": step,
        "x products": step / us["products"],
    }


def evaluation(rounds):
    """The path around training, in milliseconds; the last row in MB (not on Windows)."""
    _, (x_test, _) = numpyvae.load_mnist()
    vae = numpyvae.VAE(HIDDEN, LATENT)
    mu, _ = vae.encode(x_test)

    def often(function):
        return median(timed(function, 1) * 1e3 for _ in range(rounds))

    def command(*arguments):
        return median(call(*arguments)[1] * 1e3 for _ in range(rounds))

    numpy_alone = command("-c", "import numpy")
    rows = {
        "encode 10,000 images": often(lambda: vae.encode(x_test)),
        "decode 10,000 latents": often(lambda: vae.decode(mu)),
        "load MNIST": often(numpyvae.load_mnist),
        "import numpyvae, beyond numpy": command("-c", "import numpyvae") - numpy_alone,
        "numpyvae --help": command("-m", "numpyvae", "--help"),
    }
    runs = [call("-c", WHOLE) for _ in range(3)]
    rows["numpyvae train, best of 3: ten epochs, five pictures"] = 1e3 * min(s for _, s in runs)
    rows["numpyvae train: peak memory in MB"] = median(float(out.split()[-1]) for out, _ in runs)
    return rows


def company(rounds):
    """Commands beside other programs and beside themselves, in seconds, with ratios."""

    def gradcheck(others):
        with busy(others):
            return call("-m", "numpyvae", "gradcheck")[1]

    def sweep(jobs):
        with tempfile.TemporaryDirectory() as folder:
            options = ("--seeds", "4", "--epochs", "3", "--jobs", str(jobs), "--out", folder)
            return call("-m", "numpyvae", "sweep", *options)[1]

    rows = []
    for what, run, pair, times in (
        ("numpyvae gradcheck: alone; beside two busy processes", gradcheck, (0, 2), 2 * rounds),
        ("numpyvae sweep, four runs of three epochs: one job; two", sweep, (1, 2), rounds),
    ):
        print(f"{what} …", file=sys.stderr, flush=True)
        seconds = [[run(number) for number in pair] for _ in range(times)]
        first, second = zip(*seconds)
        ratio = median(b / a for a, b in seconds)
        rows += [{"what": what, "first": median(first), "second": median(second), "ratio": ratio}]
    return rows


WHOLE = """
import resource, sys, tempfile
from numpyvae.cli import main
with tempfile.TemporaryDirectory() as folder:
    main(["train", "--out", folder])
unit = 2**20 if sys.platform == "darwin" else 2**10
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""


def show(title, rows):
    """A Markdown table of dictionaries with the same keys."""
    print(f"\n{title}\n\n| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}")
    for row in rows:
        cells = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row.values())
        print(f"| {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="repetitions (5)")
    parser.add_argument("--json", action="store_true", help="print the tables as JSON")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        return run_one(options.contender)

    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, {time.strftime('%Y-%m-%d')}, {options.rounds} rounds"
    )
    tables = {
        f"An epoch of the classic, {threads} thread{'s'[: threads != 1]}, in seconds": rows
        for threads, rows in compare(options.rounds, (1, 2)).items()
    }
    (images, _), _ = numpyvae.load_mnist()
    sizes = [{}, {"batch": 25}, {"batch": 400}, {"hidden": 64}, {"hidden": 1024}]
    sizes += [{"latent": 20}, {"latent": 100}]
    default = {"batch": BATCH, "hidden": HIDDEN, "latent": LATENT}
    with threadpool_limits(1, "blas"):
        steps = [default | size | break_down(images, options.rounds, **size) for size in sizes]
    for row in steps:
        row["epoch in s"] = row["step"] * IMAGES / row["batch"] / 1e6
    tables["One step in one thread, in microseconds, and how it grows"] = steps
    around = evaluation(options.rounds).items()
    tables["Around training, in milliseconds"] = [{"what": a, "median": b} for a, b in around]
    tables["In company, in seconds"] = company(options.rounds)
    if options.json:
        print(json.dumps({"machine": machine} | tables, indent=2, ensure_ascii=False))
        return 0
    print(machine)
    for title, rows in tables.items():
        show(title, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
