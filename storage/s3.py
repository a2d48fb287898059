"""ObjectPlace: a library under a prefix of a bucket, in anything that speaks S3 and honours conditional puts."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from choreodb.errors import MissingExtraError, StoreError
from choreodb.storage.cache import Cache
from choreodb.storage.folder import FolderPlace, writing
from choreodb.storage.place import Draft

_ADDRESS = re.compile(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_WRITER = "choreodb-writer"
_WHOLE_PUT_BYTES = 64 << 20
_PIECE = 8 << 20
_TAKEN = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")
_ABSENT = ("NoSuchKey", "404", "NotFound")
_RETRIES = 5


class ObjectPlace:
    """See `Place`. Files that readers need as files are copied into a cache; drafts are written there, too."""

    def __init__(self, client: Any, bucket: str, prefix: str, cache: Cache) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self._client = client
        self._cache = cache
        # drafts are local files like any others: locked while they are written, and swept when their writer has died
        self._drafts = FolderPlace(cache.folder / "drafts")
        self._sizes: dict[str, int] = {}
        self._enforces = False

    @classmethod
    def open(cls, address: str) -> ObjectPlace:
        """The place at `bucket/prefix`; credentials, region and endpoint come from the environment as for any S3 tool.

        StoreError where the address is none, MissingExtraError without boto3.
        """
        found = _ADDRESS.fullmatch(address.rstrip("/"))
        prefix = (found[2] or "") if found else ""
        parts = prefix.split("/") if prefix else []
        if found is None or any(part in ("", ".", "..") for part in parts):
            raise StoreError(f"'s3://{address}' is no address of a library; expected s3://bucket/prefix")
        return cls(_client(), found[1], prefix, Cache.usual())

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def __repr__(self) -> str:
        return f"ObjectPlace({str(self)!r})"

    @property
    def name(self) -> str:
        """See `Place.name`."""
        return (self.prefix or self.bucket).rpartition("/")[2]

    @property
    def locks(self) -> bool:
        """See `Place.locks`: an object store has none."""
        return False

    def entries(self) -> list[str] | None:
        """See `Place.entries`."""
        start = f"{self.prefix}/" if self.prefix else ""
        found = {key.removeprefix(start).partition("/")[0] for key, _ in self._listed(start, delimiter="/")}
        return sorted(found) or None

    def names(self, folder: str) -> list[str]:
        """See `Place.names`."""
        start = self._key(folder) + "/"
        found = [(key.removeprefix(start), size) for key, size in self._listed(start)]
        self._sizes |= {f"{folder}/{name}": size for name, size in found}
        return sorted(name for name, _ in found)

    def size(self, name: str) -> int:
        """See `Place.size`; one listing answers for all files of a folder, which never change."""
        if name not in self._sizes:
            self.names(name.rpartition("/")[0])
        if name not in self._sizes:
            raise FileNotFoundError(errno.ENOENT, "is missing", f"{self}/{name}")
        return self._sizes[name]

    def read(self, name: str, first: int = 0, count: int | None = None) -> bytes:
        """See `Place.read`."""
        if count == 0:
            return b""
        last = "" if count is None else str(first + count - 1)
        options = {"Range": f"bytes={first}-{last}"} if first or last else {}
        with self._naming(name):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=self._key(name), **options)
                return bytes(answer["Body"].read())
            except self._client.exceptions.ClientError as error:
                if _code(error) in ("InvalidRange", "416"):
                    return b""
                raise

    def local(self, name: str, sha256: str) -> Path:
        """See `Place.local`."""
        return self._cache.find(sha256) or self._cache.keep(sha256, self._pieces(name), what=name)

    def ready(self) -> None:
        """See `Place.ready`: of two writers of one name only one must win."""
        with writing(self):
            self._probe()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """See `Place.changing`."""
        self.ready()
        with writing(self):
            self._cache.folder.mkdir(parents=True, exist_ok=True)
            ready = self._drafts.changing()
        with ready:
            yield

    def draft(self, folder: str) -> AbstractContextManager[Draft]:
        """See `Place.draft`."""
        return self._drafts.draft(folder)

    def publish(self, draft: Draft, name: str) -> None:
        """See `Place.publish`; a store answers when the bytes are safe."""
        draft.file.flush()
        size = draft.path.stat().st_size
        with self._naming(name):
            if size <= _WHOLE_PUT_BYTES:
                self._client.put_object(Bucket=self.bucket, Key=self._key(name), Body=draft.path.read_bytes())
            else:
                self._client.upload_file(str(draft.path), self.bucket, self._key(name))
        self._sizes[name] = size

    def create(self, name: str, data: bytes) -> None:
        """See `Place.create`."""
        writer = secrets.token_hex(16)
        for attempt in range(_RETRIES):
            try:
                self._put_new(name, data, writer)
                return
            except FileExistsError as error:
                # a put whose answer was lost is sent again, and then finds its own object in the way
                if self._written_by(name) == writer:
                    return
                # two puts at the same moment may both be sent back; with nothing there, try again
                if attempt + 1 == _RETRIES or self._written_by(name) is not None:
                    raise error

    def delete(self, name: str) -> None:
        """See `Place.delete`."""
        with self._naming(name):
            self._client.delete_object(Bucket=self.bucket, Key=self._key(name))
        self._sizes.pop(name, None)

    def modified_s(self, name: str) -> float:
        """See `Place.modified_s`."""
        with self._naming(name):
            answer = self._client.head_object(Bucket=self.bucket, Key=self._key(name))
        return float(answer["LastModified"].timestamp())

    def pin(self, name: str) -> object | None:
        """See `Place.pin`."""
        return None

    def remove_unpinned(self, name: str) -> bool:
        """See `Place.remove_unpinned`."""
        self.delete(name)
        return True

    @contextmanager
    def clearing(self) -> Iterator[None]:
        """See `Place.clearing`."""
        yield

    def _put_new(self, name: str, data: bytes, writer: str) -> None:
        with self._naming(name):
            self._client.put_object(
                Bucket=self.bucket, Key=self._key(name), Body=data, IfNoneMatch="*", Metadata={_WRITER: writer}
            )

    def _written_by(self, name: str) -> str | None:
        """Who wrote an object; empty where it does not say, None where there is none."""
        try:
            with self._naming(name):
                answer = self._client.head_object(Bucket=self.bucket, Key=self._key(name))
        except FileNotFoundError:
            return None
        return str(answer.get("Metadata", {}).get(_WRITER, ""))

    def _probe(self) -> None:
        """StoreError unless the store refuses to create what is there already; some take the condition and ignore it."""
        if self._enforces:
            return
        name = f"manifests/.probe-{secrets.token_hex(8)}"
        self._put_new(name, b"first", "first")
        try:
            self._put_new(name, b"second", "second")
        except FileExistsError:
            self._enforces = True
        finally:
            self.delete(name)
        if not self._enforces:
            raise StoreError(
                f"the store of {str(self)!r} does not enforce If-None-Match on puts, so that two writers could overwrite "
                "each other; keep the library in a folder, or in a store that does"
            )

    def _pieces(self, name: str) -> Iterator[bytes]:
        with self._naming(name):
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(name))
            yield from answer["Body"].iter_chunks(_PIECE)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _listed(self, start: str, delimiter: str = "") -> Iterator[tuple[str, int]]:
        """Keys that begin with `start`, and their sizes; with a delimiter also what lies below, as one key with size 0."""
        pages = self._client.get_paginator("list_objects_v2")
        try:
            with self._naming(start):
                for page in pages.paginate(Bucket=self.bucket, Prefix=start, Delimiter=delimiter):
                    yield from ((each["Key"], int(each["Size"])) for each in page.get("Contents", ()))
                    yield from ((each["Prefix"], 0) for each in page.get("CommonPrefixes", ()))
        except OSError as error:
            raise StoreError(
                f"cannot read {str(self)!r}: {error.strerror}; check the address, AWS_ENDPOINT_URL and credentials"
            ) from None

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        """Turn what the client raises into what a disk would raise, or into one line where no disk would."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        where = f"{self}/{name}"
        try:
            yield
        except ClientError as error:
            raise self._error(error, where) from None
        except (NoCredentialsError, PartialCredentialsError):
            raise StoreError(
                f"no credentials for {str(self)!r}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ) from None
        except BotoCoreError as error:
            raise OSError(errno.EIO, " ".join(str(error).split()), where) from None

    def _error(self, error: Any, where: str) -> Exception:
        code = _code(error)
        if code in _TAKEN:
            return FileExistsError(errno.EEXIST, "exists already", where)
        if code in _ABSENT:
            return FileNotFoundError(errno.ENOENT, "is missing", where)
        if code == "NoSuchBucket":
            return StoreError(f"there is no bucket {self.bucket!r}; make it first, or check AWS_ENDPOINT_URL")
        if code in ("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden"):
            return PermissionError(errno.EACCES, f"refused by the store ({code})", where)
        return OSError(errno.EIO, " ".join(str(error).split()), where)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _client() -> Any:
    """A client as the environment says now; one for all places, because making it costs more than a query."""
    return _new_client(frozenset(item for item in os.environ.items() if item[0].startswith("AWS_")))


@lru_cache(maxsize=4)
def _new_client(environment: frozenset[tuple[str, str]]) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise MissingExtraError("boto3 is not installed; install it with: pip install 'choreodb[s3]'") from None
    try:
        # signatures need a region, and stores that are not Amazon's do not care which
        session = boto3.Session()
        region = session.region_name or "us-east-1"
        config = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=10, read_timeout=60)
        return session.client("s3", region_name=region, config=config)
    except (BotoCoreError, ValueError) as error:
        raise StoreError(f"S3 cannot be used: {' '.join(str(error).split())}") from None
