"""README and the guides: programs print what stands below them, links lead somewhere."""

import re
import subprocess
import sys

import numpy as np
import pytest
from documents import GUIDES, PATHS, ROOT, TEXTS, commands, programs, words
from test_house import READING_PATH

from numpyvae import VAE, fit
from numpyvae.cli import main
from numpyvae.cli.command_line import parser
from numpyvae.evaluation import evaluate
from numpyvae.evaluation.evaluator import SPACING

PROGRAMS = [(name, i) for name in TEXTS for i in range(len(programs(name)))]
TRAINED = {("README", 0)}  # another machine adds in another order, which training amplifies


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


def but_for_rounding(text):
    """A report without its time and the digits that rounding decides."""
    text = re.sub(r"\d+ evaluations   [\d.]+ s", "# evaluations", text)
    text = re.sub(r" +[\d.]+ +[\d.]+  (PASS|FAIL)", r" \1", text)
    return re.sub(r"(\d\.\d{5})\d+", r"\1", text)


@pytest.mark.once
@pytest.mark.parametrize(("name", "place"), PROGRAMS)
def test_a_program_runs_and_prints_what_stands_below_it(tmp_path, name, place):
    code, printed = programs(name)[place]
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if (name, place) in TRAINED:
        assert re.sub(r"[-\d.]+", "#", done.stdout) == re.sub(r"[-\d.]+", "#", printed)
        assert numbers(done.stdout) == pytest.approx(numbers(printed), rel=3e-3, abs=0.1)
        assert (tmp_path / "manifold.png").stat().st_size > 10_000
        assert (tmp_path / "model.npz").exists()
    elif printed is not None:
        assert but_for_rounding(done.stdout) == but_for_rounding(printed)
    if "Sweep(" in code:
        assert (
            len(re.findall(r"^beta=(0\.5|1),epochs=2,seed=0 epoch [12]/2 ", done.stdout, re.M)) == 4
        )
        assert len(list(tmp_path.glob("my-sweep/*/model.npz"))) == 2


def test_most_programs_print_something():
    assert len(PROGRAMS) >= 7
    assert sum(programs(name)[i][1] is not None for name, i in PROGRAMS) >= 5


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_and_option_exists(name):
    for _, *arguments in commands(name):
        if arguments[-1] in ("--help", "--version"):
            with pytest.raises(SystemExit) as stop:
                parser().parse_args(arguments)
            assert stop.value.code == 0
        else:
            values = {"N": "1", "NAME": "gaussian"}
            parser().parse_args([values.get(word, word) for word in arguments])


def test_a_command_that_does_not_exist_is_noticed():
    assert ["numpyvae", "train"] in commands("README")
    assert sum(len(commands(name)) for name in TEXTS) > 30
    with pytest.raises((SystemExit, ValueError)):
        parser().parse_args(["train", "--epoch", "3"])


def anchors(text):
    """The anchors of the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name):
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", TEXTS[name]):
        path = PATHS[name].parent / target if target else PATHS[name]
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_every_guide_is_linked_from_the_readme():
    assert len(list(GUIDES.glob("*.md"))) >= 7
    for path in GUIDES.glob("*.md"):
        assert f"](tutorials/guides/{path.name})" in TEXTS["README"]


def test_every_picture_says_what_is_seen():
    pictures = [alt for text in TEXTS.values() for alt in re.findall(r"!\[(.*?)\]\(", text)]
    assert len(pictures) >= 6
    assert min(len(alt.split()) for alt in pictures) >= 12


def test_the_two_commands_stand_alone_and_ci_runs_the_second():
    assert (
        '\n    pip install . && numpyvae train\n    pip install ".[test]" && pytest -n auto\n'
        in TEXTS["README"]
    )
    assert '\npip install ".[test]" && pytest -n auto\n' in (ROOT / ".ci" / "run").read_text()


def test_the_map_names_every_room_and_the_reading_path_in_order():
    for path in (ROOT / "numpyvae").glob("*/__init__.py"):
        assert f"[{path.parent.name}](numpyvae/{path.parent.name}/__init__.py)" in TEXTS["README"]
    named = re.findall(r"\[(\w+)\]\(numpyvae/core/\1\.py\)", TEXTS["README"])
    assert tuple(named) == READING_PATH


@pytest.mark.once
def test_the_hints_of_the_broken_vae_are_those_of_the_guide(capsys):
    assert main(["gradcheck", "--break", "missing_half_kl"]) == 1
    hints = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  hint: ")]
    assert "\n".join(f"  {hint}" for hint in hints) in TEXTS["gradient_checking"]


def test_the_likelihood_in_contributing_is_right(rng):
    space = {}
    exec(programs("CONTRIBUTING")[0][0], space)  # its last line is a gradient check
    vae = VAE(5, 1, image_shape=(2, 2), likelihood=space["Cauchy"]())
    history = fit(vae, np.clip(rng.standard_cauchy((300, 4)), -9.0, 9.0), epochs=20)
    assert history[-1].train.total < history[0].train.total
    result = evaluate(vae, rng.standard_normal((6, 4)))
    assert (result.elbo <= result.evidence.value + 0.1).all()


def test_the_reference_losses_are_those_of_the_guide(mnist):
    from numpyvae.pictures import reference_losses

    for value in reference_losses(mnist[1][0]).values():
        assert f"| {value:.2f} |" in TEXTS["questions"]


def test_the_grid_of_the_evidence_is_as_fine_as_the_guide_says():
    assert f"on a grid of points {SPACING[2]} apart" in words("how_good")


def test_the_recorded_values_of_burda_are_those_of_the_table():
    from numpyvae.runs import EXPERIMENTS

    heads = {"burda-vae": "VAE", "burda-iwae-5": "IWAE, k = 5", "burda-iwae-50": "IWAE, k = 50"}
    for name, head in heads.items():
        line = next(line for line in TEXTS["runs"].splitlines() if line.startswith(f"| {head} |"))
        for known in EXPERIMENTS[name].known:
            assert f"{known.value:.2f}" in line


def test_the_ratios_of_speed_are_those_of_the_recorded_benchmark():
    text = (ROOT / "tests" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    tables = []  # for one thread and for two: contender → column → value
    for part in text.split("## An epoch of the classic")[1:]:
        rows = [[cell.strip() for cell in line.split("|")] for line in part.splitlines()]
        heads, _, *rows = [row[1:-1] for row in rows if len(row) == 12]
        tables.append({row[0]: dict(zip(heads, row)) for row in rows})
    one, two = tables
    said = words("questions")
    takes = {name: row["numpyvae takes"] for name, row in one.items()}
    assert f"takes {takes['PyTorch eager']} times as long as with PyTorch" in said
    assert f"{takes['matrix products only']} times as long as its matrix products alone" in said
    assert float(takes["JAX, whole epoch compiled"]) > 1
    longer = float(two["numpyvae"]["seconds"]) / float(one["numpyvae"]["seconds"])
    assert f"On two idle cores, two threads take {longer:.2f} times as long as one" in said
    assert f"two threads take {two['numpyvae']['÷ alone']} times as long as alone" in said
    assert f"one thread takes {one['numpyvae']['÷ alone']} times as long." in said
