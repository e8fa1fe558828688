"""A model as a file."""

import json
import signal
import tracemalloc
import zipfile

import numpy as np
import pytest

import numpyvae
from numpyvae import IWAE, VAE, FreeBits, Gaussian, GaussianVAE, fit, load, save
from numpyvae.debugging import check_vae
from numpyvae.evaluation import evaluate
from numpyvae.runs.checkpoints import model_bytes, open_checkpoint


@pytest.fixture
def saved(tmp_path):
    vae = VAE((6, 5), 3, activation="tanh", beta=0.25, image_shape=(4, 7), rng=1)
    save(tmp_path / "model.npz", vae)
    return vae, tmp_path / "model.npz"


def test_what_was_saved_comes_back(saved, rng):
    vae, path = saved
    back = load(path)
    assert np.array_equal(back.parameters.value, vae.parameters.value)
    assert back.parameters.value.dtype == np.float32
    assert (back.hidden, back.latent, back.beta) == ((6, 5), 3, 0.25)
    assert (back.image_shape, back.activation) == ((4, 7), "tanh")
    x = rng.random((3, 28))
    assert np.array_equal(back.reconstruct(x), vae.reconstruct(x))


@pytest.mark.parametrize(("version", "activation"), [(1, "relu"), (2, "tanh")])
def test_models_of_earlier_formats_load(saved, version, activation):
    """They had a member for each size; in the first one, the activation had no meaning."""
    vae, path = saved
    sizes = {"hidden": (6, 5), "latent": 3, "beta": 0.25, "image_shape": (4, 7)}
    rewritten(path, format=version, model=None, activation="tanh", **sizes)
    back = load(path)
    assert (back.hidden, back.latent, back.beta, back.image_shape) == ((6, 5), 3, 0.25, (4, 7))
    assert back.activation == activation
    assert np.array_equal(back.parameters.value, vae.parameters.value)


@pytest.mark.parametrize(
    "vae",
    [
        VAE((6, 5), 3, beta=0.25, image_shape=(2, 3), rng=1),
        IWAE(6, 3, k=7, activation="tanh", image_shape=(2, 3)),
        FreeBits(6, 3, free_bits=0.2, beta=2.0, image_shape=(2, 3)),
        GaussianVAE(6, 3, image_shape=(2, 3)),
        GaussianVAE(6, 3, sigma=0.3, image_shape=(2, 3)),
        IWAE(6, 3, k=7, likelihood=Gaussian(), image_shape=(2, 3)),
        FreeBits(6, 3, likelihood=Gaussian(0.5), image_shape=(2, 3)),
    ],
    ids=repr,
)
def test_the_class_and_its_likelihood_come_back(vae, tmp_path, rng):
    vae.parameters.value += 0.1 * rng.standard_normal(vae.parameters.value.size)
    save(tmp_path / "model.npz", vae)
    back = load(tmp_path / "model.npz")
    assert type(back) is type(vae)
    assert repr(back) == repr(vae)
    assert np.array_equal(back.parameters.value, vae.parameters.value)
    z, x, eps = rng.standard_normal((4, 3)), rng.random((5, 6)), rng.standard_normal(vae.eps_shape)
    assert np.array_equal(back.decode(z), vae.decode(z))
    losses = [m.loss(m.forward(x, np.tile(eps, (5,) + (1,) * eps.ndim))).total for m in (vae, back)]
    assert losses[0] == losses[1]


class Mine(VAE):
    """A class of somebody else."""


class Laplace(Gaussian):
    """A likelihood of somebody else."""

    name = "laplace"


@pytest.mark.parametrize(
    ("vae", "table", "name"),
    [
        (Mine(4, 2, image_shape=(2, 2)), "KINDS", "Mine"),
        (VAE(4, 2, image_shape=(2, 2), likelihood=Laplace()), "LIKELIHOODS", "Laplace"),
    ],
)
def test_a_class_that_is_in_no_table_is_refused_by_name_until_it_is_added(
    vae, table, name, tmp_path, monkeypatch
):
    path = tmp_path / "model.npz"
    save(path, vae)
    dotted = f"{__name__}.{name}"
    with pytest.raises(ValueError, match="is not one of") as refusal:
        load(path)
    remedy = f"if it is yours, add it before you load: numpyvae.{table}['{dotted}'] = …"
    assert str(refusal.value).startswith(f"{path}: kind '{dotted}' is not one of ")
    assert str(refusal.value).endswith(remedy)
    monkeypatch.setitem(getattr(numpyvae, table), dotted, globals()[name])
    back = load(path)
    assert repr(back) == repr(vae)
    assert np.array_equal(back.parameters.value, vae.parameters.value)


def test_a_class_whose_config_lacks_an_argument_is_refused_when_it_is_saved(tmp_path, monkeypatch):
    """Otherwise it would come back with the default of the argument, or not at all."""

    class Named(VAE):
        def __init__(self, name="", **options):
            super().__init__(4, 2, **options)
            self.name = name

    class Nu(Gaussian):
        CONFIG = ()

        def __init__(self, nu=3.0):
            super().__init__()

    path = tmp_path / "model.npz"
    with pytest.raises(ValueError, match=r"Named: name of the constructor would be lost; name it"):
        save(path, Named("mine", image_shape=(2, 2)))
    with pytest.raises(ValueError, match=r"Nu: nu of the constructor would be lost; .* Nu\.CONFIG"):
        save(path, VAE(4, 2, likelihood=Nu(), image_shape=(2, 2)))
    assert not path.exists()
    Named.CONFIG = ("name", "image_shape")
    monkeypatch.setitem(numpyvae.KINDS, "Named", Named)
    save(path, Named("mine", image_shape=(2, 2)))
    assert load(path).name == "mine"


class TwoOutputs(Gaussian):
    """A likelihood that wants two numbers for each pixel, and does not use the second."""

    name, outputs = "two", 2

    def mean(self, output):
        return output[:, : output.shape[1] // 2]

    def cost_backward(self, output, x, mean, dcost):
        return np.hstack([super().cost_backward(output, x, mean, dcost), 0.0 * mean])

    def all_costs(self, output, x):
        return super().all_costs(self.mean(output), x)


class OfTwo(VAE):
    """A class that makes its likelihood itself."""

    CONFIG = ("hidden", "latent", "image_shape")

    def __init__(self, hidden, latent, image_shape=(2, 3), **options):
        super().__init__(
            hidden, latent, image_shape=image_shape, likelihood=TwoOutputs(0.5), **options
        )


def test_a_class_with_a_likelihood_of_its_own_and_more_outputs(tmp_path, monkeypatch, rng):
    monkeypatch.setitem(numpyvae.KINDS, "OfTwo", OfTwo)
    vae = OfTwo(5, 1)
    fit(vae, rng.standard_normal((50, 6)), epochs=2)
    check_vae(vae).raise_if_failed()
    save(tmp_path / "model.npz", vae)
    back = load(tmp_path / "model.npz")
    assert type(back.likelihood) is TwoOutputs
    assert back.parameters["W_out"].shape == (5, 12)
    assert np.array_equal(back.parameters.value, vae.parameters.value)
    assert evaluate(back, rng.standard_normal((5, 6))).kind == "density"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda v: v.astype(np.float16),
            "vae: expected weights of float32 or float64, got",
        ),
        (lambda v: v.astype(np.complex128), "expected weights of float32 or float64, got complex"),
        (lambda v: setattr(v, "beta", float("nan")), "beta: expected a finite number"),
        (lambda v: setattr(v, "beta", "2"), "beta: expected a finite number"),
        (
            lambda v: setattr(v, "likelihood", Gaussian()),
            "has a weight log_sigma, and the model",
        ),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(change, message, tmp_path):
    vae = VAE(4, 2, image_shape=(2, 2))
    changed = change(vae)
    with pytest.raises(ValueError, match=message):
        save(tmp_path / "model.npz", vae if changed is None else changed)
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_saved_as_plain_ones(tmp_path):
    vae = GaussianVAE(4, 2, sigma=np.float32(0.5), image_shape=(2, 2))
    vae.beta = np.float32(0.25)
    save(tmp_path / "model.npz", vae)
    assert (load(tmp_path / "model.npz").sigma, load(tmp_path / "model.npz").beta) == (0.5, 0.25)


def test_a_config_that_is_not_plain_is_refused_when_it_is_saved(tmp_path, monkeypatch):
    vae = VAE(4, 2, image_shape=(2, 2))
    vae.activation = np.tanh
    with pytest.raises(ValueError, match="config: expected numbers and texts, got ufunc"):
        save(tmp_path / "model.npz", vae)
    assert not list(tmp_path.iterdir())


def test_dtype_is_kept(saved):
    vae, path = saved
    save(path, vae.astype(np.float64))
    assert load(path).parameters.value.dtype == np.float64


def test_every_weight_is_in_the_file_by_name_and_nothing_is_pickled(saved):
    vae, path = saved
    with np.load(path, allow_pickle=False) as file:
        for name in vae.parameters:
            assert np.array_equal(file[name], vae.parameters[name])


def test_saving_twice_gives_the_same_bytes_and_leaves_no_other_file(saved):
    vae, path = saved
    first = path.read_bytes()
    save(path, vae)
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; make it first"):
        save(tmp_path / "nowhere" / "model.npz", VAE(hidden=2))


def rewritten(path, config=None, **changes):
    """The file with other members, or with other entries in its config."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file}
    if config is not None:
        model = json.loads(arrays["model"].item()) | config
        model = {name: value for name, value in model.items() if value is not None}
        arrays["model"] = json.dumps(model).encode()
    arrays |= changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})


def of(**config):
    """Changes of the config of a model; None leaves an entry out."""
    return {"config": config}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W_mu": None}, "there is no 'W_mu' in it"),
        ({"format": None}, "no 'format' in it"),
        ({"format": np.array([1, 2])}, r"format \[1, 2\], expected 3"),
        ({"W_mu": np.full((5, 3), 1e300)}, "W_mu: expected finite numbers, got NaN or infinity"),
        (of(hidden=[2**31 - 1, 2**31 - 1]), "model.npz: too small for a model of the size"),
        (of(hidden=[100_000]), "model.npz: too small for a model of the size"),
        (of(hidden=[1] * 30_000), "model: expected 65,536 bytes at most"),
        (of(hidden=[6, 6]), r"W_h2: expected shape \(6, 6\), got \(6, 5\)"),
        (of(beta=float("nan")), "beta: expected a finite number"),
        (of(image_shape=[28]), "image_shape: expected 2 whole numbers"),
        (of(latent="two"), "latent: expected a whole number"),
        (of(latent=None), "its config is not that of VAE: expected activation, .*, got activation"),
        (of(beta=None), "its config is not that of VAE: expected activation, beta, hidden, "),
        (of(activation="gelu"), "activation: expected one of relu, tanh, got 'gelu'"),
        ({"format": 99}, "format 99, expected 3: damaged, or of a later numpyvae"),
        (of(latent=4), r"W_mu: expected shape \(5, 4\), got \(5, 3\)"),
        (of(latent=-1), "latent: expected a whole number of at least 1, got -1"),
        (of(kind=None), "kind None is not one of VAE, IWAE, .*; if it is yours"),
        (of(kind="IWAE"), "its config is not that of IWAE: expected activation, .* k, .*, got .*"),
        (of(kind=["VAE"]), r"kind \['VAE'\] is not one of"),
        (of(depth=3), "its config is not that of VAE: expected .*, got .* depth, "),
        (of(rng=1), "its config is not that of VAE: expected .*, got .* rng"),
        (of(likelihood=3), "likelihood: expected its kind and config, got 3"),
        (of(likelihood={"kind": "poisson"}), "kind 'poisson' is not one of bernoulli, .*; if it"),
        (
            of(likelihood={"kind": "gaussian", "s": 1}),
            "of Gaussian: expected sigma, got s",
        ),
        (of(likelihood={"kind": "gaussian", "sigma": -1}), "sigma: expected a finite number above"),
        ({"model": None}, "there is no 'model' in it"),
        ({"model": b"[1]"}, "its config is damaged"),
        ({"model": b"{"}, "its config is damaged"),
        ({"b_out": np.zeros((28, 1))}, r"b_out: expected shape \(28,\)"),
        ({"W_out": np.zeros((6, 28), "U3")}, "damaged, or not a file of plain NumPy arrays"),
        (
            {"W_out": np.zeros((6, 28), np.float16)},
            "W_out: expected float32 or float64, got float16",
        ),
        ({"W_out": np.zeros((6, 28), np.longdouble)}, "W_out: expected float32 or float64, got"),
        ({"b_mu": np.full(3, np.nan)}, "b_mu: expected finite numbers"),
        (of(hidden=6), "hidden: expected a list of numbers; the file is damaged"),
    ],
)
def test_a_file_that_is_not_a_whole_model_is_refused(saved, changes, message):
    _, path = saved
    rewritten(path, **changes)
    with pytest.raises(ValueError, match=message) as refusal:
        load(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def test_truncated_foreign_and_pickled_files_are_refused(saved, tmp_path):
    _, path = saved
    whole = path.read_bytes()
    for content in (whole[:-30], whole[: len(whole) // 2], b"", b"not a model"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"model\.npz: damaged, or not a file of plain"):
            load(path)
    np.savez(path, format=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="damaged, or not a file of plain NumPy arrays"):
        load(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match="not a model that numpyvae saved"):
        load(tmp_path / "array.npy")


def test_one_damaged_byte_in_a_weight_is_noticed(saved):
    _, path = saved
    data = bytearray(path.read_bytes())
    where = data.index(b"W_out.npy") + 200
    data[where] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        load(path)


def test_a_folder_or_nothing_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file; `numpyvae train` writes one"):
        load(tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"a folder; name the model\.npz inside it"):
        load(tmp_path)


def test_big_endian_weights_become_native(saved):
    vae, path = saved
    rewritten(path, **{name: vae.parameters[name].astype(">f4") for name in vae.parameters})
    back = load(path)
    assert back.parameters.value.dtype == np.float32
    assert np.array_equal(back.parameters.value, vae.parameters.value)


@pytest.mark.once
def test_members_that_are_not_needed_are_not_read(saved):
    """Three hundred megabytes in a member that nobody asks for."""
    vae, path = saved
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bomb.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(30):
            member.write(bytes(10**7))
    tracemalloc.start()
    back = load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.array_equal(back.parameters.value, vae.parameters.value)
    assert peak < 1e6


def test_a_large_model_takes_three_times_its_size(tmp_path):
    vae = VAE(hidden=3000, latent=2)
    size = 2 * vae.parameters.value.nbytes  # values and gradients
    save(tmp_path / "model.npz", vae)
    del vae
    tracemalloc.start()
    load(tmp_path / "model.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * size


def test_ctrl_c_while_a_model_is_written_waits_until_it_is(tmp_path, monkeypatch):
    savez, before = np.savez, signal.getsignal(signal.SIGINT)

    def interrupted(file, **arrays):
        signal.raise_signal(signal.SIGINT)
        savez(file, **arrays)

    monkeypatch.setattr(np, "savez", interrupted)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has none
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path / "model.npz", VAE(4, 2))
    finally:
        signal.signal(signal.SIGINT, before)
    load(tmp_path / "model.npz")


def test_the_record_of_a_training_comes_back(tmp_path):
    vae = VAE(hidden=2)
    record = {"a": {"numbers": [1, 2.5], "S": np.arange(3.0)}, "b": "text"}
    path = tmp_path / "model.npz"
    path.write_bytes(model_bytes(vae, record))
    with open_checkpoint(path) as checkpoint:
        table = checkpoint.record()
        assert table == {"a": {"numbers": [1, 2.5]}, "b": "text"}
        whole = checkpoint.with_arrays(table, {"a": {"S": np.empty(3)}})
        assert whole["a"]["S"].tolist() == [0.0, 1.0, 2.0]
        with pytest.raises(ValueError, match=r"training.a.S: expected shape \(4,\), got \(3,\)"):
            checkpoint.with_arrays(table, {"a": {"S": np.empty(4)}})
        with pytest.raises(ValueError, match=r"training.c: the record of its training is damaged"):
            checkpoint.with_arrays(table, {"c": {}})
    assert np.array_equal(load(path).parameters.value, vae.parameters.value)
    save(path, vae)
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.record() is None


@pytest.mark.parametrize("text", [b"{", b"[1]", b"[" * 50_000, b"\xff", 3.0])
def test_a_damaged_record_is_refused_and_the_model_is_not(saved, text):
    vae, path = saved
    rewritten(path, training=text)
    assert np.array_equal(load(path).parameters.value, vae.parameters.value)
    with (
        pytest.raises(ValueError, match=r"model.npz: the record of its training is damaged"),
        open_checkpoint(path) as checkpoint,
    ):
        checkpoint.record()
