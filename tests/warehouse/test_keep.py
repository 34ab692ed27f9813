"""Keep: what was kept comes back whole, or not at all."""

import threading
from pathlib import Path

import pytest

from schemas.base import Frozen
from warehouse.keep import Keep

CONTRACT = "c_0123456789abcdef"


class Note(Frozen):
    """Something to keep."""

    text: str


class Other(Frozen):
    """What a later layout expects."""

    number: int


NOTE = Note(text="契約 " * 1000)


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    return Keep(tmp_path, CONTRACT)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_kept_comes_back(keep, tmp_path):
    keep.save("read", "k1", NOTE)
    assert Keep(tmp_path, CONTRACT).load("read", "k1", Note) == NOTE
    assert [path.relative_to(tmp_path).as_posix() for path in files(tmp_path)] == [f"01/{CONTRACT}.read-k1"]
    assert files(tmp_path)[0].stat().st_size < len(NOTE.text)


def test_nothing_comes_back_for_another_key_step_or_contract(keep, tmp_path):
    keep.save("read", "k1", NOTE)
    assert keep.load("read", "k2", Note) is None
    assert keep.load("extract", "k1", Note) is None
    assert Keep(tmp_path, "c_fedcba9876543210").load("read", "k1", Note) is None


def test_a_new_key_drops_the_old_one_of_its_step_alone(keep, tmp_path):
    keep.save("read", "k1", NOTE)
    keep.save("extract", "k1", NOTE)
    neighbour = Keep(tmp_path, "c_01ffffffffffffff")
    neighbour.save("read", "k1", NOTE)
    keep.save("read", "k2", Note(text="new"))
    assert keep.load("read", "k1", Note) is None
    assert keep.load("read", "k2", Note) == Note(text="new")
    assert keep.load("extract", "k1", Note) == neighbour.load("read", "k1", Note) == NOTE
    assert len(files(tmp_path)) == 3


def test_the_same_key_is_replaced(keep, tmp_path):
    keep.save("read", "k1", NOTE)
    keep.save("read", "k1", Note(text="again"))
    assert keep.load("read", "k1", Note) == Note(text="again")
    assert len(files(tmp_path)) == 1


DAMAGES = {
    "empty": lambda data: b"",
    "short": lambda data: data[:5],
    "cut": lambda data: data[: len(data) // 2],
    "overwritten": lambda data: data[:20] + b"\0" * 30 + data[50:],
    "length too small": lambda data: (3).to_bytes(8, "big") + data[8:],
    "length too large": lambda data: (2**20).to_bytes(8, "big") + data[8:],
    "length beyond memory": lambda data: b"\x00\xff" + data[2:],
    "length beyond numbers": lambda data: b"\xff" * 8 + data[8:],
    "something else": lambda data: b"%PDF-1.7 and more than eight bytes",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_as_none_and_can_be_made_anew(keep, tmp_path, damage):
    keep.save("read", "k1", NOTE)
    (file,) = files(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    assert keep.load("read", "k1", Note) is None
    keep.save("read", "k1", NOTE)
    assert keep.load("read", "k1", Note) == NOTE


def test_another_layout_is_as_none(keep):
    keep.save("read", "k1", NOTE)
    assert keep.load("read", "k1", Other) is None


def test_a_save_that_fails_leaves_the_old_one(keep, monkeypatch):
    keep.save("read", "k1", NOTE)

    def full(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", full)
        broken.setattr("os.replace", full)
        with pytest.raises(OSError, match="No space"):
            keep.save("read", "k2", Note(text="new"))
    assert keep.load("read", "k1", Note) == NOTE


def test_a_reader_never_sees_half_a_file(keep, tmp_path):
    """One writes again and again under one key while another reads: each reading is one of the two values."""
    values = (NOTE, Note(text="x" * 50_000))
    keep.save("read", "k1", values[0])
    done = threading.Event()

    def write() -> None:
        for i in range(200):
            Keep(tmp_path, CONTRACT).save("read", "k1", values[i % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        seen.append(keep.load("read", "k1", Note))
    writer.join()
    assert seen and all(value in values for value in seen)
