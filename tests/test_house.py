"""The rules of the house: who imports whom, and what each room says first."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import numpyvae
from numpyvae.cli.command_line import COMMANDS

HOUSE = Path(numpyvae.__file__).parent
TESTS = Path(__file__).parent
# Each room, and the rooms that it may import. A room lists only rooms above it, so imports go one
# way. The command line may import every room.
ROOMS = {
    "support": [],
    "gradcheck": [],
    "data": ["support"],
    "core": ["data", "support"],
    "course": ["gradcheck", "support"],
    "evaluation": ["core", "data", "support"],
    "variants": ["core", "data", "support"],
    "debugging": ["core", "gradcheck", "data", "support"],
    "runs": ["core", "variants", "evaluation", "data", "support"],
    "explorer": ["core", "evaluation", "data", "support"],
    "pictures": ["evaluation", "gradcheck", "core", "data", "support"],
}
ROOMS["cli"] = list(ROOMS)
# The modules that only some rooms may import; all rooms share the standard library otherwise.
ONLY_IN = {
    "matplotlib": ["pictures"],
    "argparse": ["cli"],
    "multiprocessing": ["runs"],
    "concurrent": ["runs", "course", "cli"],
    "distributed": ["cli"],
    "subprocess": ["runs", "course"],
}
PACKAGES = {"numpy", "scipy", "matplotlib", "tqdm", "threadpoolctl", "numpyvae"}
OPTIONAL = {"distributed"}  # of an extra, imported where they are used
# core, in the order of reading; its __init__ holds nothing but this order.
READING_PATH = (
    "parameters", "layers", "latent", "bernoulli", "networks", "trace", "vae", "optimizers",
    "training",
)  # fmt: skip
SOURCES = sorted(HOUSE.rglob("*.py"))
MODULES = {path: ".".join(path.relative_to(HOUSE).with_suffix("").parts) for path in SOURCES}


def room_of(path):
    """The room of a file; None for numpyvae/__init__.py and numpyvae/__main__.py."""
    parts = path.relative_to(HOUSE).parts
    return parts[0] if len(parts) > 1 else None


def imports(path):
    """Every module that a file imports, wherever the import stands: "numpyvae.core.vae"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner.removeprefix("numpyvae.") in MODULES.values()
                is_room = inner.removeprefix("numpyvae.") in ROOMS
                yield inner if is_module or is_room else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def rooms_imported(path):
    """The other rooms that a file imports; "numpyvae" stands for the package itself."""
    own = [module.split(".") for module in imports(path) if module.split(".")[0] == "numpyvae"]
    rooms = {parts[1] if len(parts) > 1 else "numpyvae" for parts in own}
    return rooms - {room_of(path)}


def test_the_table_lists_every_room_and_contains_no_circle():
    assert {room_of(path) for path in SOURCES} - {None} == set(ROOMS)
    above = []
    for room, allowed in ROOMS.items():
        assert set(allowed) <= set(above), room
        above.append(room)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_table_allows(room):
    for path in (HOUSE / room).glob("*.py"):
        allowed = {*ROOMS[room], *({"numpyvae"} if room == "cli" else ())}
        assert rooms_imported(path) <= allowed, path


def test_no_files_import_each_other_in_a_circle():
    """Also inside a room, and also for imports that a type checker alone sees."""
    names = {f"numpyvae.{name}": name for name in MODULES.values()}
    graph = {}
    for path, name in MODULES.items():
        if path.name != "__init__.py":  # a room's __init__ imports its files, never the reverse
            graph[name] = {names[module] for module in imports(path) if module in names}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the circle
    assert set(order) == set(graph)


def test_gradcheck_needs_numpy_and_threadpoolctl_alone():
    for path in (HOUSE / "gradcheck").glob("*.py"):
        tops = {module.split(".")[0] for module in imports(path)} - set(sys.stdlib_module_names)
        own = {module for module in imports(path) if module.startswith("numpyvae")}
        assert tops <= {"numpy", "threadpoolctl", "numpyvae"}, path
        assert all(module.startswith("numpyvae.gradcheck.") for module in own), path


def test_only_a_few_packages_are_imported_and_each_in_its_place():
    for path in SOURCES:
        tops = {module.split(".")[0] for module in imports(path)}
        assert tops <= PACKAGES | OPTIONAL | set(sys.stdlib_module_names), path
        for module, rooms in ONLY_IN.items():
            assert module not in tops or room_of(path) in rooms, path


def test_the_reading_path_is_the_whole_of_core():
    files = {path.stem for path in (HOUSE / "core").glob("*.py")} - {"__init__"}
    assert files == set(READING_PATH)


def test_the_reading_path_can_be_read_in_order():
    """Each file imports only files before it, and nothing else but data and support."""
    for position, name in enumerate(READING_PATH):
        own = {module for module in imports(HOUSE / "core" / f"{name}.py") if "numpyvae" in module}
        own = {module for module in own if module.startswith("numpyvae.core")}
        assert own <= {f"numpyvae.core.{earlier}" for earlier in READING_PATH[:position]}, name


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_which_question_it_answers_and_in_which_order_to_read_it(room):
    text = ast.get_docstring(ast.parse((HOUSE / room / "__init__.py").read_text(encoding="utf-8")))
    assert "?" in text.splitlines()[0]
    commands = {command.__name__.rpartition(".")[2] for command in COMMANDS}
    for path in (HOUSE / room).glob("*.py"):
        unnamed = path.stem == "__init__" or (room == "cli" and path.stem in commands)
        assert unnamed or path.stem in text, path
    assert room in numpyvae.__doc__


def test_the_tests_mirror_the_house():
    folders = {path.parent.name for path in TESTS.glob("*/test_*.py")} - {"tutorials"}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("heavy", ["matplotlib", "scipy", "tqdm", "argparse"])
def test_import_loads_nothing_heavy(heavy):
    code = f"import sys, numpyvae; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_import_numpyvae_alone_reaches_every_public_room():
    code = "import numpyvae; numpyvae.evaluation.evaluate, numpyvae.debugging.check_vae"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_public_name_has_a_docstring():
    rooms = (numpyvae.evaluation, numpyvae.debugging, numpyvae.explorer, numpyvae.gradcheck)
    for module in (numpyvae, *rooms):
        for name in module.__all__:
            documented = getattr(module, name).__doc__
            assert documented or not callable(getattr(module, name)), name


def test_one_version_everywhere():
    from importlib.metadata import version

    assert version("numpyvae") == numpyvae.__version__
    root = TESTS.parent
    assert f"## {numpyvae.__version__} " in (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {numpyvae.__version__}" in (root / "CITATION.cff").read_text(encoding="utf-8")
