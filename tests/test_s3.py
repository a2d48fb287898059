"""Libraries in an object store: the same library, one winner of every race, and a store that cheats is found out."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_encoder
import numpy as np
import pytest

from choreodb import cli
from choreodb.errors import StoreError
from choreodb.indexer import merge, subset
from choreodb.indexer.build import index
from choreodb.indexer.encoders import recorded
from choreodb.indexer.reembed import reembed
from choreodb.library import Library
from choreodb.storage import history, specimen
from choreodb.storage.cache import Cache
from choreodb.storage.place import at, file_sha256
from choreodb.storage.s3 import ObjectPlace
from choreodb.storage.store import Store
from choreodb.storage.verify import verify

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 server on this machine; it enforces If-None-Match."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An address in a bucket of its own, with what the environment must say to reach it, and an empty cache."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    said = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    said |= {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    said |= {"AWS_EC2_METADATA_DISABLED": "true", "CHOREODB_CACHE": str(tmp_path / "cache")}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    name = f"b{abs(hash(str(tmp_path))):x}"
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=name)
    return name


@pytest.fixture
def address(bucket: str) -> str:
    return f"s3://{bucket}/studio/library"


def test_the_same_library_in_a_bucket_and_in_a_folder(address: str, tmp_path: Path) -> None:
    here, there = specimen.make(tmp_path / "library"), specimen.make(address)
    assert there.manifest.files() == here.manifest.files()
    assert (tmp_path / "library" / "manifests" / "m-00000001.json").read_bytes() == at(address).read(
        "manifests/m-00000001.json"
    )
    again = Store.open(address)
    for name in ("clips", "segments", "transitions"):
        assert again.table(name) == here.table(name)
    np.testing.assert_array_equal(again.array("entry"), here.array("entry"))
    for got, kept in zip(
        again.read_motion("specimen/clip2", 10, 300), here.read_motion("specimen/clip2", 10, 300), strict=True
    ):
        np.testing.assert_array_equal(got, kept)
    assert verify(again) == ()
    assert (again.name, again.version, str(again.place)) == ("library", 1, address)
    with pytest.raises(StoreError, match="is no folder of this machine"):
        _ = again.path


def test_versions_in_a_bucket(address: str) -> None:
    first = specimen.make(address)
    second = first.commit(meta={"note": 2})
    assert Store.versions(address) == (1, 2)
    assert Store.open(address, version=1).meta == first.meta
    assert second.meta == {"note": 2}
    with pytest.raises(StoreError, match="was committed by another process"):
        first.commit(meta={"note": "late"})
    assert Store.open(address).meta == {"note": 2}
    with pytest.raises(StoreError, match="already is a library"):
        Store.create(address)
    assert [name for name in at(address).names("manifests") if "probe" in name] == []


def test_a_vacuum_of_a_bucket_waits_for_readers_it_cannot_see(address: str) -> None:
    first = specimen.make(address)
    first.commit(arrays={"exit": np.array(first.array("exit")) + 1.0})
    assert history.vacuum(address).removed == ()
    done = history.vacuum(address, grace_s=0.0)
    assert (done.removed, done.files) == ((1,), 1)
    assert verify(address) == ()
    assert [version.version for version in history.log(address)] == [2]


def test_a_path_keeps_the_address(address: str) -> None:
    assert str(at(Path(address))) == address
    assert str(at(f"{address}/")) == address


RACING = """
import sys
from choreodb.errors import StoreError
from choreodb.storage.store import Store
done = 0
while done < 3:
    store = Store.open(sys.argv[1])
    try:
        store.commit(meta={"count": store.meta.get("count", 0) + 1})
        done += 1
    except StoreError as error:
        assert "another process" in str(error), error
"""


def test_racing_committers_lose_nothing(address: str) -> None:
    Store.create(address).commit()
    writers = [subprocess.Popen([sys.executable, "-c", RACING, address]) for _ in range(2)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    last = Store.open(address)
    assert (last.version, last.meta) == (7, {"count": 6})


def test_an_answer_that_was_lost_is_no_lost_race(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = at(address)
    assert isinstance(place, ObjectPlace)
    plain = place._put_new

    def twice(name: str, data: bytes, writer: str) -> None:
        plain(name, data, writer)
        plain(name, data, writer)

    monkeypatch.setattr(place, "_put_new", twice)
    place.create("manifests/m-00000001.json", b"mine")
    monkeypatch.undo()
    with pytest.raises(FileExistsError):
        place.create("manifests/m-00000001.json", b"mine")


def test_a_store_that_ignores_the_condition_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = at(address)
    assert isinstance(place, ObjectPlace)
    monkeypatch.setattr(
        place,
        "_put_new",
        lambda name, data, writer: place._client.put_object(Bucket=place.bucket, Key=place._key(name), Body=data),
    )
    with pytest.raises(StoreError, match="does not enforce If-None-Match"):
        Store.create(place).commit()
    assert place.names("manifests") == []


def test_a_damaged_object_is_named(address: str) -> None:
    store = specimen.make(address)
    entry = store.manifest.arrays["exit"].file
    data = bytearray(store.place.read(entry.path))
    data[-1] ^= 1
    client = boto3.client("s3", region_name="us-east-1")
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    client.put_object(Bucket=bucket, Key=f"{prefix}/{entry.path}", Body=bytes(data))
    with pytest.raises(StoreError, match=rf"{entry.path} is damaged"):
        Store.open(address).array("exit")
    assert [problem.file for problem in verify(address)] == [entry.path]
    client.delete_object(Bucket=bucket, Key=f"{prefix}/{entry.path}")
    with pytest.raises(StoreError, match=rf"{entry.path} is missing"):
        Store.open(address)


def test_ranges(address: str) -> None:
    place = at(address)
    place.create("manifests/x", bytes(range(100)))
    assert place.read("manifests/x", 10, 5) == bytes(range(10, 15))
    assert place.read("manifests/x", 95, 10) == bytes(range(95, 100))
    assert (place.read("manifests/x", 100, 10), place.read("manifests/x", 3, 0)) == (b"", b"")
    assert file_sha256(place, "manifests/x") == hashlib.sha256(bytes(range(100))).hexdigest()
    place.delete("manifests/x")
    place.delete("manifests/x")
    with pytest.raises(FileNotFoundError):
        place.read("manifests/x")


def test_the_cache_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=250)
    files = [bytes([number]) * 100 for number in range(5)]
    hashes = [hashlib.sha256(data).hexdigest() for data in files]
    paths = [cache.keep(sha256, [data], what="x") for sha256, data in zip(hashes, files, strict=True)]
    assert all(path.exists() for path in paths), "what is new may be about to be opened"
    for age, path in enumerate(paths):
        os.utime(path, (1000.0 + age, 1000.0 + age))
    assert cache.find(hashes[0]) == paths[0]
    cache.shrink()
    assert [path.exists() for path in paths] == [True, False, False, False, True]
    assert cache.find(hashes[1]) is None
    with pytest.raises(StoreError, match="tables/y is damaged"):
        cache.keep(hashes[1], [b"other"], what="tables/y")
    assert not cache.find(hashes[1])


@pytest.mark.parametrize(
    ("library", "changed", "words"),
    [
        ("s3://b", {}, "is no address"),
        ("s3://bucket/../x", {}, "is no address"),
        ("s3://nobody-made-this/x", {}, "no bucket 'nobody-made-this'"),
        ("s3://{bucket}/nothing", {}, "no library at"),
        ("s3://{bucket}/x", {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no credentials for"),
        ("s3://{bucket}/x", {"AWS_ENDPOINT_URL": "closed"}, "cannot read"),
        ("s3://{bucket}/x", {"AWS_ENDPOINT_URL": "nonsense"}, "S3 cannot be used"),
        ("s3://{bucket}/x", {"CHOREODB_CACHE_BYTES": "much"}, "expected a number of bytes"),
    ],
)
def test_one_line_where_it_cannot_be_read(
    bucket: str, library: str, changed: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    for name, value in changed.items():
        if value == "closed":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                value = f"http://127.0.0.1:{free.getsockname()[1]}"
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    assert cli.main(["info", library.format(bucket=bucket)]) == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1


def test_commands_take_an_address(
    address: str, sample_folder: Path, sample_song: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for folder in (sample_folder / "house", sample_folder / "waltz"):
        assert cli.main(["index", str(folder), "--library", address, "--jobs", "1"]) == 0
    capfd.readouterr()
    assert cli.main(["info", address, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["versions"] == [1, 2]
    assert cli.main(["verify", address]) == 0
    outputs = []
    folder = tmp_path / "folder"
    for source in (sample_folder / "house", sample_folder / "waltz"):
        assert cli.main(["index", str(source), "--library", str(folder), "--jobs", "1"]) == 0
    for library in (address, str(folder)):
        out = tmp_path / f"{len(outputs)}.bvh"
        assert cli.main(["dance", library, str(sample_song), "-o", str(out)]) == 0
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]
    assert cli.main(["search", address, "--music", str(sample_song), "--top", "1"]) == 0


def test_a_trained_encoder_travels_with_a_library_in_a_bucket(
    bucket: str, sample_folder: Path, sample_song: Path, tmp_path: Path
) -> None:
    """Its weights are an object among the others: another machine, with an empty cache, embeds and searches with them."""
    weights = tmp_path / "tiny.safetensors"
    fake_encoder.save(weights)
    source = tmp_path / "troupe"
    source.mkdir()
    for number, path in enumerate(sorted(sample_folder.rglob("*.bvh"))[:3]):
        shutil.copy(path, source / f"dance{number}.bvh")
    there, here = f"s3://{bucket}/trained", tmp_path / "trained"
    for place in (there, here):
        index([source], place, encoder=weights)
    store = Store.open(there)
    assert store.manifest.files() == Store.open(here).manifest.files()
    weights.unlink()
    shutil.rmtree(tmp_path / "cache")
    store = Store.open(there)
    assert store.model("encoder") == Store.open(here).model("encoder")
    assert [hit.segment for hit in Library(store).search(music=sample_song, top=3).windows[0].hits] == [
        hit.segment for hit in Library.open(here).search(music=sample_song, top=3).windows[0].hits
    ]
    clips = store.columns("clips", ["clip"]).column("clip").to_pylist()
    part = subset.export(store, f"s3://{bucket}/part", subset.choose(store, clips[:1]))
    both = merge.merge(f"s3://{bucket}/both", [part.place, store.place]).store
    assert both.encoder == store.encoder
    np.testing.assert_array_equal(both.array("embeddings"), store.array("embeddings"))
    assert recorded.of_store(both).hash == store.encoder["sha256"]
    plain = reembed(store, "rhythm")
    assert plain.model("encoder") is None
    back = history.rollback(there, store.version)
    assert back.model("encoder") == store.model("encoder")
    assert verify(there) == verify(both) == ()
    entry = both.manifest.models["encoder"]
    client = boto3.client("s3", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key=f"both/{entry.path}", Body=b"x" * entry.bytes)
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(StoreError, match=entry.path):
        Store.open(f"s3://{bucket}/both").model("encoder")


COMMANDS = (
    ["info"],
    ["log", "--json"],
    ["tag", "first"],
    ["sql", "select clip, style, tempo_bpm from clips order by 1", "--json"],
    ["graph", "--stats"],
    ["relabel", "CLIP", "--style", "other"],
    ["relabel", "--where", "style = 'nothing'", "--style", "other"],
    ["info", "--at", "first", "--json"],
    ["delete", "CLIP", "--reason", "consent withdrawn"],
    ["delete", "CLIP"],
    ["log", "--limit", "1"],
    ["rollback", "first"],
    ["delete", "CLIP", "--json"],
    ["tag", "first", "--remove"],
    ["compact"],
    ["copies", "--rates", "1.1"],
    ["upgrade"],
    ["export", "OUT", "--where", "metre = 4"],
    ["reembed", "--encoder", "rhythm"],
    ["sql", "select count(*) from segments", "--at", "1"],
    ["vacuum", "--keep", "1", "--grace", "0"],
    ["verify", "--absent", "CLIP"],
    ["verify"],
    ["verify", "--repair"],
    ["info", "--at", "1"],
)
"""Every command that takes a library, in an order that makes sense; CLIP is one of its clips, OUT another library."""


@pytest.mark.long
def test_every_command_says_the_same_in_a_bucket_as_in_a_folder(
    bucket: str, sample_library: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    client = boto3.client("s3", region_name="us-east-1")
    for path in sorted(sample_library.rglob("*")):
        if path.is_file():
            key = f"lib/{path.relative_to(sample_library).as_posix()}"
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    shutil.copytree(sample_library, tmp_path / "lib")
    clip = str(Store.open(sample_library).columns("clips", ["clip"]).column("clip")[0])
    said: dict[str, list[tuple[int, str, str]]] = {}
    for root in (str(tmp_path), f"s3://{bucket}"):
        names = {"CLIP": clip, "OUT": f"{root}/out"}
        said[root] = []
        for name, *rest in COMMANDS:
            status = cli.main([name, f"{root}/lib", *(names.get(word, word) for word in rest)])
            out, err = (text.replace(root, "ROOT") for text in capfd.readouterr())
            said[root].append((status, _without_times(out), err))
    here, there = said.values()
    for command, one, other in zip(COMMANDS, here, there, strict=True):
        assert one == other, command
    assert [status for status, _, _ in here].count(0) > 20
    assert Store.open(tmp_path / "lib").manifest.files() == Store.open(f"s3://{bucket}/lib").manifest.files()


def _without_times(text: str) -> str:
    """Dates and times are when a file was written, which a copy does not keep."""
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?", "WHEN", text)


def test_a_store_that_cheats_is_found_out_before_any_work(
    address: str, monkeypatch: pytest.MonkeyPatch, sample_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    library = specimen.make(address)

    def careless(place: ObjectPlace, name: str, data: bytes, writer: str) -> None:
        place._client.put_object(Bucket=place.bucket, Key=place._key(name), Body=data)

    monkeypatch.setattr(ObjectPlace, "_put_new", careless)
    clip = str(library.columns("clips", ["clip"]).column("clip")[0])
    monkeypatch.setattr("choreodb.indexer.build.discover", None)
    for command in (
        ["index", str(sample_folder), "--library", address],
        ["delete", address, clip],
        ["relabel", address, clip, "--style", "x"],
        ["copies", address, "--rates", "1.1"],
        ["merge", address, address],
        ["reembed", address, "--encoder", "rhythm"],
    ):
        assert cli.main(command) == 1, command
        said = capfd.readouterr().err
        assert "does not enforce If-None-Match" in said, command
        assert said.count("\n") == 1
    assert Store.versions(address) == (1,)
