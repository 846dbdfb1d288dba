"""Indexes on disk: whatever happens to the files, answers are those of an index built from SQL."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from aim_memory.assemble import open_engine
from aim_memory.bodies import QueryRequest, WriteRequest
from aim_memory.settings import DatabaseSettings, EmbedderSettings, IndexSettings, Settings
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.packing import unpack
from aim_memory.storage.snapshots import Manifest, Snapshots
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Change, IndexRow, Space
from tests.figures import figure
from tests.memories import ADA, BOB, GENERATION, SteppingClock, day, new

COUNT = 300
Keeper = FollowingKeeper["Watched"]


class Watched(FlatIndex):
    """Knows whether it was built from rows or thawed."""

    def __init__(self) -> None:
        super().__init__(8)
        self.upserted = 0

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        super().upsert(rows)
        self.upserted += len(rows)


class Home:
    """A store, and the files beside it."""

    def __init__(self, folder: Path) -> None:
        self.snapshots = Snapshots(folder / "indexes")
        self.files = folder / "indexes"
        self.store = SqlStore(
            f"sqlite:///{folder / 'aim.db'}", SteppingClock(), GENERATION, forget=self.snapshots.remove
        )

    def keeper(self, generation: str = GENERATION) -> Keeper:
        """As after a restart."""
        return FollowingKeeper(self.store, Watched, snapshots=self.snapshots, generation=generation)

    def write(self, *ids: str, space: Space = ADA) -> None:
        with self.store.begin(space) as work:
            work.insert([new(memory_id, f"note {memory_id} costs ${len(memory_id)}") for memory_id in ids])
            work.commit()

    def delete(self, *ids: str, space: Space = ADA) -> None:
        with self.store.begin(space) as work:
            work.delete(list(ids))
            work.commit()

    def file(self, space: Space = ADA) -> Path:
        head = self.store.head(space)
        assert head is not None
        return self.files / f"{head.epoch}.index"


def open_home(folder: Path) -> Home:
    home = Home(folder)
    for space in (ADA, BOB):
        home.write(*(f"{space.namespace[-3:]}{number}" for number in range(COUNT)), space=space)
        read(home.keeper(), space)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    opened = open_home(tmp_path)
    yield opened
    opened.store.close()


def answers(index: Watched) -> list[object]:
    """What an index says about all it holds, by id."""
    rows = [(index.id_of(row), row) for row in range(index.size) if index.columns.alive[row]]
    question = np.arange(8, dtype=np.float32)
    near, words = index.similarities(question), index.lexical({"costs": 1.0, "ada7": 2.0, "bob8": 2.0})
    told = [(own, round(float(near[row]), 5), round(float(words[row]), 4)) for own, row in rows]
    return [sorted(told), index.columns.uses.sum(), [index.anchors_of(row) for _, row in sorted(rows)]]


def read(keeper: Keeper, space: Space = ADA) -> tuple[list[object], int]:
    """What it answers, and how many rows it read for it."""
    with keeper.open(space) as index:
        return answers(index), index.upserted


def plain(home: Home, space: Space = ADA) -> list[object]:
    return read(FollowingKeeper(home.store, Watched), space)[0]


def test_after_a_restart_nothing_is_read_again(home: Home) -> None:
    assert read(home.keeper()) == (plain(home), 0)
    assert not list(home.files.glob("*.unfinished"))
    assert {oct(path.stat().st_mode & 0o777) for path in home.files.iterdir()} == {"0o600"}


def test_what_changed_since_is_read_from_the_log(home: Home) -> None:
    home.write("new1", "new2")
    with home.store.begin(ADA) as work:
        work.update(new("ada7", "ada7, edited, costs $9"), day(1))
        work.commit()
    home.store.reinforce(ADA, {"ada9": 2.0})
    assert read(home.keeper()) == (plain(home), 4)


def test_a_snapshot_is_made_anew_when_a_quarter_has_changed(home: Home) -> None:
    keeper = home.keeper()
    read(keeper)
    before = home.file().read_bytes()
    home.write(*(f"few{number}" for number in range(200)))
    read(keeper)
    assert home.file().read_bytes() == before
    home.write(*(f"more{number}" for number in range(100)))
    read(keeper)
    assert home.file().read_bytes() != before
    assert read(home.keeper()) == (plain(home), 0)


def test_small_namespaces_have_no_file(home: Home) -> None:
    small = Space("acme", "user/small")
    home.write("a", "b", space=small)
    read(home.keeper(), small)
    assert not home.file(small).exists()


def test_vectors_of_another_embedder_are_not_taken(home: Home) -> None:
    assert read(home.keeper("another"))[1] == COUNT


def test_a_history_that_was_taken_back_is_noticed(tmp_path: Path) -> None:
    """A database restored to an earlier state goes on with the same numbers and other memories."""
    here = tmp_path / "here"
    here.mkdir()
    home = open_home(here)
    home.store.close()
    shutil.copy(here / "aim.db", tmp_path / "old.db")
    home = Home(here)
    home.write(*(f"lost{number}" for number in range(COUNT)))
    read(home.keeper())
    home.store.close()
    shutil.copy(tmp_path / "old.db", here / "aim.db")
    home = Home(here)
    ahead = home.file().read_bytes()
    assert read(home.keeper())[0] == plain(home), "the snapshot is ahead of the log"
    home.file().write_bytes(ahead)
    home.write(*(f"other{number}" for number in range(2 * COUNT)))
    assert read(home.keeper())[0] == plain(home), "the log has other changes under these numbers"
    home.store.close()


# --- erased ----------------------------------------------------------------------------------------------------------


def test_nothing_of_what_was_erased_stays_in_files(home: Home) -> None:
    home.delete("ada7")
    assert not home.file().exists()
    home.store.erase(BOB)
    assert list(home.files.iterdir()) == []
    assert read(home.keeper())[0] == plain(home)
    loaded = home.snapshots.load(int(home.file().stem))
    assert loaded is not None
    told = json.dumps(asdict(loaded[0])) + json.dumps([own for own in unpack(loaded[1]).values() if type(own) is list])
    assert '"ada8"' in told
    assert '"ada7"' not in told


def test_who_saves_while_somebody_erases_takes_it_back(home: Home) -> None:
    erasures: list[Callable[[], object]] = [lambda: home.delete("bob7", space=BOB), lambda: home.store.erase(BOB)]

    class Slow(Snapshots):
        def save(self, manifest: Manifest, body: bytes) -> bool:
            erasures.pop(0)()
            return super().save(manifest, body)

    path = home.file(BOB)
    for _ in range(2):
        path.unlink(missing_ok=True)
        keeper = FollowingKeeper(home.store, Watched, snapshots=Slow(home.files), generation=GENERATION)
        read(keeper, BOB)
        assert not path.exists()
    assert not erasures


def test_who_was_killed_before_removing_a_file_has_it_swept(home: Home) -> None:
    kept, ours, theirs = (path.read_bytes() for path in (home.file(), home.file(), home.file(BOB)))
    home.delete("ada7")
    paths = home.file(), home.file(BOB)
    home.store.erase(BOB)
    for path, body in zip(paths, (ours, theirs), strict=True):
        path.write_bytes(body)
    (home.files / "x.unfinished").write_bytes(kept[:1000])
    (home.files / "7777.index").write_bytes(b"no manifest")
    home.keeper().sweep()
    assert list(home.files.iterdir()) == []


def test_a_sweep_leaves_what_is_right(home: Home) -> None:
    home.write("new")
    home.keeper().sweep()
    assert home.file().exists()
    assert home.file(BOB).exists()


# --- damaged ---------------------------------------------------------------------------------------------------------

Damage = Callable[[bytes, random.Random], bytes]


def _flip(body: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(8 * len(body))
    damaged = bytearray(body)
    damaged[place // 8] ^= 1 << place % 8
    return bytes(damaged)


def _flip_early(body: bytes, chance: random.Random) -> bytes:
    return _flip(body[:600], chance) + body[600:]


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body))]


def _grow(body: bytes, chance: random.Random) -> bytes:
    return body + chance.randbytes(1 + chance.randrange(99))


def _blank(body: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(body))
    return body[:start] + bytes(min(512, len(body) - start)) + body[start + 512 :]


def _noise(body: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(len(body))


DAMAGES: Sequence[Damage] = (_flip, _flip, _flip, _flip_early, _cut, _grow, _blank, _noise)


@pytest.mark.parametrize("times", [100, pytest.param(1_000, marks=pytest.mark.deep)])
def test_every_damage_is_noticed_and_mended(home: Home, times: int) -> None:
    chance = random.Random(4)
    whole, right, path = home.file().read_bytes(), plain(home), home.file()
    noticed = wrong = mended = tried = 0
    while tried < times:
        damaged = chance.choice(DAMAGES)(whole, chance)
        if damaged == whole:
            continue
        tried += 1
        path.write_bytes(damaged)
        found, rows = read(home.keeper())
        noticed += rows == COUNT
        wrong += found != right
        mended += path.read_bytes() == whole
    assert (noticed, wrong, mended) == (times, 0, times)
    size = f"{times:,} damages: bits flipped, cut, grown, blanked, noise"
    figure("a damaged index file is noticed", size, f"{noticed:,} noticed and rebuilt, {wrong} wrong answers")


@contextmanager
def _said_to_be(home: Home, path: Path, **other: object) -> Iterator[None]:
    """The namespace's file with another manifest, its digest right."""
    found = home.snapshots.load(int(path.stem))
    assert found is not None
    whole = path.read_bytes()
    manifest, body = found
    assert Snapshots(home.files / "aside").save(replace(manifest, **other), body)  # type: ignore[arg-type]
    (made,) = (home.files / "aside").iterdir()
    made.replace(path)
    yield
    path.write_bytes(whole)


def test_what_is_whole_but_not_ours_is_noticed(home: Home) -> None:
    """The digest is right, what it says is not: files that were exchanged, or are of another time or place."""
    right, path = plain(home), home.file()
    foreign: list[dict[str, object]] = [
        {"tenant": "other"},
        {"namespace": BOB.namespace},
        {"epoch": 99},
        {"seq": 10_000},
        {"seq": 12},
        {"generation": "another"},
        {"memories": COUNT - 1},
        {"format": 0},
        {"mark": "1:write:ada1"},
        {"size": 3},
    ]
    for other in foreign:
        with _said_to_be(home, path, **other):
            assert read(home.keeper()) == (right, COUNT), other
    path.write_bytes(home.file(BOB).read_bytes())
    assert read(home.keeper()) == (right, COUNT), "another namespace's"
    kinds = len(foreign) + 1
    figure("a foreign index file is noticed", f"{kinds} kinds", f"{kinds} rebuilt, 0 wrong answers")


def test_an_older_file_is_caught_up(home: Home) -> None:
    old = home.file().read_bytes()
    wrong = 0
    for number in range(20):
        home.write(f"later{number}")
        home.file().write_bytes(old)
        found, rows = read(home.keeper())
        assert rows == number + 1
        wrong += found != plain(home)
    assert wrong == 0
    figure("an older index file is caught up", "20 states behind", "0 wrong answers, only what changed was read")


def test_a_disk_that_is_full_costs_no_answer(home: Home) -> None:
    home.delete("ada7")
    shutil.rmtree(home.files)
    home.files.write_text("no folder")
    assert read(home.keeper())[0] == plain(home)


def test_a_log_that_was_cut_is_not_trusted(home: Home) -> None:
    class Cut:
        def __getattr__(self, name: str) -> object:
            return getattr(home.store, name)

        def changes(self, space: Space, after: int, limit: int = 1000) -> Sequence[Change]:
            return [change for change in home.store.changes(space, after, limit) if change.seq > COUNT]

    home.write("new")
    keeper = FollowingKeeper(Cut(), Watched, snapshots=home.snapshots, generation=GENERATION)  # type: ignore[arg-type]
    assert read(keeper) == (plain(home), COUNT + 1)


def test_an_engine_leaves_its_indexes_and_takes_them_away(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, embedder=EmbedderSettings(kind="hashing"))
    files = tmp_path / "indexes"
    asked = QueryRequest(namespace="n", query="what costs $123?")
    with closing(open_engine(settings)) as engine:
        for start in range(0, COUNT, 100):
            items = [{"id": f"m{start + number}", "text": f"It costs ${start + number}"} for number in range(100)]
            engine.write("t", WriteRequest.model_validate({"namespace": "n", "memories": items}))
        first = engine.query("t", asked)
    (file,) = files.iterdir()
    with closing(open_engine(settings)) as engine:
        again = engine.query("t", asked)
        assert [(hit.id, hit.score) for hit in again.results] == [(hit.id, hit.score) for hit in first.results]
        assert again.results[0].id == "m123"
        engine.delete("t", "m123", namespace="n")
        assert not file.exists()
    with closing(open_engine(settings)) as engine:
        assert engine.query("t", asked).results[0].id != "m123"
        assert file.exists()
        engine.erase("t", "n")
        assert not file.exists()


def test_no_files_beside_a_database_that_others_share(tmp_path: Path) -> None:
    shared = DatabaseSettings(url="postgresql+psycopg://somewhere/aim")
    assert Settings(home=tmp_path, database=shared).snapshot_folder is None
    assert Settings(home=tmp_path, index=IndexSettings(snapshots=False)).snapshot_folder is None
    assert Settings(home=tmp_path).snapshot_folder == tmp_path / "indexes"
