"""numpyvae course."""

from numpyvae.cli import main


def test_the_command_says_what_to_do_next(tmp_path, capsys):
    folder = tmp_path / "course"
    assert main(["course", "start", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"next: open {folder / '01_dense_layer.ipynb'} in Jupyter or VS Code" in said
    assert main(["course", "start", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("already there, not changed: 01_dense_layer.ipynb, ")


def test_a_file_in_the_way_is_one_line_and_status_2(tmp_path, capsys):
    (tmp_path / "course").write_text("")
    assert main(["course", "start", str(tmp_path / "course")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "expected the name of a folder" in captured.err


def test_a_folder_that_cannot_be_written_to(monkeypatch, capsys):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", f"{folder}/.README.md.17")

    monkeypatch.setattr("numpyvae.cli.course.start", refuse)
    assert main(["course", "start", "mine"]) == 2
    said = "numpyvae: mine: no permission to write there; name another folder\n"
    assert capsys.readouterr().err == said


def test_no_name_for_the_folder(capsys):
    assert main(["course", "start", ""]) == 2
    assert capsys.readouterr().err == "numpyvae: expected the name of a folder, got an empty one\n"
