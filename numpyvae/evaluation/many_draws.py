"""The negative log-likelihood of each image, by many draws: hours of work that can be stopped."""

from __future__ import annotations

import io
import json
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.vae import VAE
from numpyvae.data.images import Pixels, binarize, pixels_for
from numpyvae.evaluation.bounds import log_weights
from numpyvae.support.arrays import DamagedFileError, open_arrays
from numpyvae.support.files import write_file
from numpyvae.support.inputs import check_array, check_count
from numpyvae.support.logarithms import log_mean_exp
from numpyvae.support.types import Array

FILE = "nll.npz"
PART = 1_000  # draws that are decoded at a time
EVERY = 10.0  # seconds between two files


class NegativeLogLikelihoods:
    """−log 1/k Σ w of each image, by k = `draws` draws of z, kept in `folder`/nll.npz.

    images (N, X) become pixels as in the training of `vae`: pixels is "grey", "thresholded" or
    "dynamic". Iterate to measure those that are not in the file, one after another. Each image has
    a random generator of its own, so its value is the same however often this was stopped. A file
    of other weights, images, draws or seed is replaced.
    """

    def __init__(
        self, folder: Path, vae: VAE, images: Array, pixels: Pixels, draws: int, seed: int = 0
    ) -> None:
        rng = np.random.default_rng(check_count("seed", seed, least=0))
        self.path, self._vae = folder / FILE, vae
        self.x = binarize(pixels_for(vae, "images", images), pixels, rng)
        self.draws = check_count("draws", draws)
        self._rngs = rng.spawn(len(self.x))
        self._of = {"draws": draws, "seed": seed, "model": _checksum(vae.parameters.value)}
        self._sums = np.array([_checksum(image) for image in self.x])
        self._known = self._read()

    def __len__(self) -> int:
        return len(self.x) - len(self._known)  # those that are left

    def __iter__(self) -> Iterator[float]:
        saved, before = time.monotonic(), len(self._known)
        try:
            for i in range(len(self._known), len(self.x)):
                self._known.append(self._measure(self.x[i : i + 1], self._rngs[i]))
                if time.monotonic() - saved > EVERY:
                    self._write()
                    saved = time.monotonic()
                yield self._known[-1]
        finally:
            if len(self._known) > before:  # the file may hold more images than are asked for
                self._write()

    @property
    def values(self) -> Array:
        """Those that are known, in nats, in the order of the images."""
        return np.array(self._known)

    def _measure(self, image: Array, rng: np.random.Generator) -> float:
        sizes = [min(PART, self.draws - start) for start in range(0, self.draws, PART)]
        parts = [log_weights(self._vae, image, size, rng) for size in sizes]
        return -float(log_mean_exp(np.concatenate(parts, axis=1))[0])

    def _read(self) -> list[float]:
        """The values in the file, up to the first image that is another one."""
        try:
            with open_arrays(self.path) as arrays:
                of: Any = json.loads(arrays.read("of", most=2**12).item())
                found = check_array("nll", arrays.read("nll", most=2**24), (-1,), np.float64)
                theirs = arrays.read("images", shape=found.shape)
        except (FileNotFoundError, DamagedFileError, ValueError, TypeError, RecursionError):
            return []
        count = min(len(found), len(self.x))
        other = np.flatnonzero(theirs[:count] != self._sums[:count])
        return found[: other[0] if len(other) else count].tolist() if of == self._of else []

    def _write(self) -> None:
        file, of = io.BytesIO(), json.dumps(self._of).encode()
        np.savez(file, of=np.array(of), nll=self.values, images=self._sums[: len(self._known)])
        write_file(self.path, file.getvalue())


def _checksum(array: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data)
