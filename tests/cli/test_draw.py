"""numpyvae draw."""

import pytest

from numpyvae.cli import main


@pytest.mark.once
def test_draw_makes_its_pictures_and_an_animation_of_the_kept_epochs(trained, capsys):
    folder = trained("--keep-epochs")
    assert len(list((folder / "epochs").glob("*.npz"))) == 20
    capsys.readouterr()
    assert main(["draw", "model"]) == 0
    assert "model holds interpolation.png, walk.png, animation.gif" in capsys.readouterr().out
    image = pytest.importorskip("PIL.Image").open(folder / "animation.gif")
    assert image.n_frames == 20
    image.close()
    assert not list(folder.glob(".*"))
    # a second training moves all of it out of the way, and has no epochs to animate
    trained()
    assert (folder / "earlier-1" / "epochs").is_dir()
    assert (folder / "earlier-1" / "animation.gif").exists()
    capsys.readouterr()
    assert main(["draw", "model"]) == 0
    assert "animation" not in capsys.readouterr().out


def test_draw_with_many_latents_and_bad_input(trained, capsys):
    trained("--latent", "23")
    assert main(["draw", "model"]) == 0
    assert main(["draw", "nowhere"]) == 2
    assert "no such folder" in capsys.readouterr().err
