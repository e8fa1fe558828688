"""A working folder of the course."""

import pytest

from numpyvae import course


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("started")
    course.start(folder)
    return folder
