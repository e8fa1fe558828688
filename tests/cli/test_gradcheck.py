"""numpyvae gradcheck."""

import pytest

from numpyvae import VAE, save
from numpyvae.cli import main
from numpyvae.debugging import MISTAKES


@pytest.mark.once
def test_the_command(tmp_path, capsys):
    assert main(["gradcheck", "--plot", str(tmp_path / "check.png")]) == 0
    text = capsys.readouterr().out
    assert "404,244 parameters" in text
    assert "PASS: 10 of 10 gradients agree" in text
    assert (tmp_path / "check.png").read_bytes().startswith(b"\x89PNG")
    assert main(["gradcheck", "--list"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in MISTAKES)
    assert main(["gradcheck", "--break", "missing_half_kl"]) == 1
    text = capsys.readouterr().out
    assert "- return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)" in text
    assert "+ return mu.copy(), (np.exp(logvar) - 1.0)" in text
    assert "hint: known mistake: missing_half_kl" in text


@pytest.mark.parametrize("shape", [(28, 28), (4, 4)])
def test_the_command_checks_a_saved_model(tmp_path, capsys, shape):
    save(tmp_path / "model.npz", VAE(8, 2, image_shape=shape))
    assert main(["gradcheck", "--model", str(tmp_path / "model.npz")]) == 0
    assert f"VAE {shape[0] * shape[1]}-8-2-8-" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--break", "missing"], f"expected one of the {len(MISTAKES)} mistakes"),
        (["--model", "nothing.npz"], "nothing.npz"),
        (["--plot", "no/such/folder/check.png"], "no/such/folder"),
    ],
)
def test_bad_input_gets_one_line(tmp_path, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    assert main(["gradcheck", *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_ctrl_c_prints_what_is_known(monkeypatch, capsys):
    from numpyvae.cli import gradcheck

    def stop_at_b_mu(names, **options):
        for name in names:
            if name == "b_mu":
                raise KeyboardInterrupt
            yield name

    monkeypatch.setattr(gradcheck, "bar", stop_at_b_mu)
    assert main(["gradcheck", "--plot", "check.png"]) == 130
    out = capsys.readouterr().out
    assert "STOPPED: Ctrl-C, after 4 of 16 gradients were compared; none of them is wrong" in out


def test_a_picture_is_not_written_over_a_file_of_another_kind(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keep.npy").write_text("mine")
    assert main(["gradcheck", "--plot", "keep.npy"]) == 2
    problem = "--plot: expected a name that ends in .png, got 'keep.npy'"
    assert capsys.readouterr() == ("", f"numpyvae: {problem}\n")
    assert (tmp_path / "keep.npy").read_text() == "mine"
