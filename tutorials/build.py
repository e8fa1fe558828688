"""Make the notebooks from their sources: python tutorials/build.py [NN ...]

    python tutorials/build.py --new-exercise NAME NN

writes the skeleton of a new exercise of notebook NN, and says what to fill in.

Each NN_name.py becomes NN_name.ipynb, executed, in order and in one folder, so that 09, 10 and 11
find the model of 08. Needs: pip install ".[course]".
"""

import base64
import io
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from PIL import Image

HERE = Path(__file__).parent
LIMIT = 300_000  # bytes of a notebook


def notebook(source: Path) -> nbformat.NotebookNode:
    """The notebook of a source, without outputs; the same source gives the same notebook."""
    made = jupytext.read(source, fmt="py:percent")
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {}
    made.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return made


def shrink(picture: str) -> str:
    """A PNG (in base64) with at most 128 colours, which takes a third of the space."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    file = io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def main(chosen: list[str]) -> None:
    """Build the chosen notebooks, or all."""
    from nbclient import NotebookClient  # needs a kernel, which the tests do without

    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(HERE.glob("[0-9][0-9]_*.py")):
            if chosen and source.name[:2] not in chosen:
                continue
            started, made = time.perf_counter(), notebook(source)
            NotebookClient(
                made, timeout=600, record_timing=False, resources={"metadata": {"path": folder}}
            ).execute()
            made.metadata["language_info"] = {"name": "python"}  # not this machine's version
            for cell in made.cells:
                for output in cell.get("outputs", []):
                    data = output.get("data", {})
                    if "image/png" in data:
                        data["image/png"] = shrink(data["image/png"])
            text = nbformat.writes(made)
            seconds = time.perf_counter() - started
            print(f"{source.stem:28} {len(text) / 1000:5.0f} kB {seconds:6.1f} s", flush=True)
            if len(text) > LIMIT:
                raise SystemExit(f"{source.stem}: larger than {LIMIT:,} bytes; draw less")
            source.with_suffix(".ipynb").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--new-exercise"]:
        from new_exercise import new_exercise

        try:
            print("\n".join(new_exercise(*sys.argv[2:])))
        except (TypeError, ValueError) as error:
            usage = "python tutorials/build.py --new-exercise NAME NN"
            raise SystemExit(f"{usage}: {error}") from None
    else:
        main(sys.argv[1:])
