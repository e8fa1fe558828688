"""A model as a file."""

import signal
import threading

import numpy as np
import pytest

from numpyvae import VAE, load, save


@pytest.fixture
def saved(tmp_path):
    vae = VAE(hidden=(6, 5), latent=3, beta=0.25, image_shape=(4, 7), rng=1)
    save(tmp_path / "model.npz", vae)
    return vae, tmp_path / "model.npz"


def test_what_was_saved_comes_back(saved, rng):
    vae, path = saved
    back = load(path)
    assert np.array_equal(back.parameters.value, vae.parameters.value)
    assert back.parameters.value.dtype == np.float32
    assert (back.hidden, back.latent, back.beta) == ((6, 5), 3, 0.25)
    assert back.image_shape == (4, 7)
    x = rng.random((3, 28))
    assert np.array_equal(back.reconstruct(x), vae.reconstruct(x))


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


def rewritten(path, **changes):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file} | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W_mu": None}, "no 'W_mu' in it"),
        ({"format": None}, "no 'format' in it"),
        ({"format": np.array([1, 2])}, r"format \[1, 2\], expected 1"),
        ({"W_mu": np.full((5, 3), 1e300)}, "W_mu: expected finite numbers, got NaN or infinity"),
        ({"hidden": np.array([2**31 - 1, 2**31 - 1])}, "model.npz: (Unable|Maximum)"),
        ({"format": 99}, "format 99, expected 1; update numpyvae"),
        ({"latent": 4}, r"W_mu: expected shape \(5, 4\), got \(5, 3\)"),
        ({"latent": -1}, "latent: expected a whole number of at least 1, got -1"),
        ({"b_out": np.zeros((28, 1))}, r"b_out: expected shape \(28,\)"),
        ({"W_out": np.zeros((5, 28), "U3")}, "W_out: expected floats, got <U3"),
        ({"b_mu": np.full(3, np.nan)}, "b_mu: expected finite numbers"),
        ({"hidden": np.array(6)}, "damaged settings"),
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


@pytest.fixture
def ctrl_c():
    """Python's own handler of Ctrl-C; a job in the background may have inherited none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_a_model_is_written_waits_until_it_is(tmp_path, monkeypatch, ctrl_c):
    savez = np.savez

    def interrupted(file, **arrays):
        signal.raise_signal(signal.SIGINT)
        savez(file, **arrays)

    monkeypatch.setattr(np, "savez", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "model.npz", VAE(4, 2))
    load(tmp_path / "model.npz")
    assert signal.getsignal(signal.SIGINT) is handler
    # elsewhere than in the main thread there is nothing to wait for
    monkeypatch.setattr(np, "savez", savez)
    thread = threading.Thread(target=save, args=(tmp_path / "other.npz", VAE(4, 2)))
    thread.start()
    thread.join()
    load(tmp_path / "other.npz")
