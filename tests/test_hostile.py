"""Files with random damage: each is read, or refused in one line that names it. Nothing else."""

import random
import shutil
import tracemalloc

import numpy as np
import pytest

from numpyvae import load, load_idx
from numpyvae.course import functions
from numpyvae.data import load_images
from numpyvae.runs import Run, RunFolder, Settings


def damaged(content, draw):
    """The content with one to four random changes: bits, bytes, pieces cut, doubled or moved."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randrange(len(data) + 1)
        some = slice(at, at + draw.choice((1, 2, 4, 8, 100, 10_000)))
        kind = draw.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[some] = draw.randbytes(len(data[some]))
        elif kind == 2:
            del data[some]
        elif kind == 3:
            data[at:at] = data[some]
        elif kind == 4:
            del data[at:]
        else:  # a number in a text, or a length in a header
            data[at : at + 4] = draw.choice(
                (b"\xff" * 4, b"\0" * 4, b"9999", b"-1e9", b"[[[[", b"null")
            )
    return bytes(data)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Files of every kind, each with its reader."""
    folder = tmp_path_factory.mktemp("honest")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 3, 4), dtype=np.uint8)
    np.save(folder / "images.npy", images)
    np.savez(folder / "images.npz", x_train=images, x_test=images[:9], y_test=np.arange(9))
    np.savez_compressed(folder / "packed.npz", x_train=images, x_test=images[:9])
    header = b"\0\0\x08\3" + np.array(images.shape, ">u4").tobytes()
    (folder / "idx").write_bytes(header + images.tobytes())
    with Run.start(
        Settings(str(folder / "images.npy"), hidden=(4,), epochs=2), folder / "run"
    ) as run:
        list(run)
    return folder


def resume(path):
    with Run.resume(path.parent, epochs=3):
        pass


def record(path):
    RunFolder(path.parent).record()


def released(path):
    """As of 0.1 and 0.2: the model holds no record, so these files are read."""
    (path.parent / "model.npz").write_bytes((path.parent / "plain.npz").read_bytes())
    record(path)


def notebook(path):
    functions("01_dense_layer", path.parent)


READERS = {
    "run/model.npz": (load, record, resume),
    "images.npy": (load_images,),
    "images.npz": (load_images,),
    "packed.npz": (load_images,),
    "idx": (load_idx,),
    "run/settings.json": (released,),
    "run/history.csv": (released,),
    "01_dense_layer.ipynb": (notebook,),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("mutations", [60, pytest.param(2500, marks=pytest.mark.slow)])
def test_damage_is_read_or_refused_by_name(honest, tmp_path, name, mutations):
    from numpyvae import VAE, save
    from numpyvae.course import tutorials

    draw = random.Random(f"{name} {mutations}")
    shutil.copytree(honest, tmp_path, dirs_exist_ok=True)
    shutil.copy(tutorials() / "01_dense_layer.ipynb", tmp_path)
    save(tmp_path / "run" / "plain.npz", VAE(4, 2, image_shape=(3, 4)))
    path = tmp_path / name
    content, refused = path.read_bytes(), 0
    for number in range(mutations):
        path.write_bytes(damaged(content, draw))
        for read in READERS[name]:
            tracemalloc.start()
            problem = None
            try:
                read(path)
            except (ValueError, OSError) as error:
                problem, refused = str(error), refused + 1
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 100e6, number
            if problem is not None:
                assert str(tmp_path) in problem, number
                assert "\n" not in problem, number
                assert len(problem) < 600, number
    print(f"{name}: {mutations} mutations, {refused} refused")
    assert refused > mutations / 20
