"""Read a takedown: a request in YAML, or the certificate of one that was carried out, in JSON.

>>> import tempfile
>>> request = "{requested_by: Jane, requested_on: 2026-11-02, reference: R-7, selectors: {domains: [a.example]}}"
>>> with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
...     _ = file.write(request.encode())
...     file.flush()
...     takedown = read_takedown(file.name)
>>> takedown.id, takedown.request.selectors.domains
('5dcbe447354ecaab', ('a.example',))
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from pydantic import ValidationError

from configs.mistakes import letter, list_mistakes
from configs.parse import parse_file
from configs.takedown import TakedownRequest, TextSelector
from configs.words import words
from schemas.errors import ConfigError
from transforms.part_store import file_facts, is_local, join, open_input
from transforms.takedowns.normal_selectors import NORMAL, list_unusable

CERTIFICATE: Final = "cleartitle-takedown"
"""`format` of a certificate."""
CERTIFICATE_VERSION: Final = 1
_RESTORE: Final = "Copy it again, with the Parquet of the same name, from `takedowns/` of the dataset."


@dataclass(frozen=True, eq=False)
class Takedown:
    """A request, and what it is known by."""

    id: str
    """The first 16 hex digits of `sha256`."""
    sha256: str
    """SHA-256 of all that the request says: of texts their content, not their paths. Order is no matter."""
    request: TakedownRequest
    texts: pa.Array
    """large_string: what `selectors.texts` hold, in their order; empty if read from a certificate, which holds none."""
    evidence: str | None
    """Path of the table `TAKEN` beside a certificate; None for a request."""

    @property
    def text_names(self) -> list[str]:
        """How marks name `texts` in `matched`: `sha256:` and the digest of the text in UTF-8."""
        return [f"sha256:{text_facts(text)['sha256']}" for text in self.texts.to_pylist()]


def read_takedown(path: str) -> Takedown:
    """The takedown in a file, on any file system. Raises ConfigError, whose message lists every mistake, one a line.

    A certificate must be whole: its request has the digest that it names, and its Parquet lies beside it as it was
    written.
    """
    content = _read(path)
    certificate = _certificate(content)
    if certificate is not None:
        return _from_certificate(path, certificate)
    request = _request(path, parse_file(content, path, words(TakedownRequest), "ends with a takedown to start from"))
    texts, faults = [], []
    for number, source in enumerate(request.selectors.texts):
        try:
            texts.append(_text(path, source))
        except ValueError as error:
            faults.append(f"`selectors.texts.{number}`: {error}")
    if faults:
        raise letter(path, faults)
    sha256 = digest_of(canonical(request, texts))
    return Takedown(sha256[:16], sha256, request, pa.array(texts, pa.large_string()), None)


def canonical(request: TakedownRequest, texts: Sequence[str]) -> dict[str, Any]:
    """All that a request says, in one form: every key, entries sorted, and for `texts` their SHA-256 and bytes."""
    said = request.model_dump(mode="json")
    said["selectors"] = {kind: sorted(said["selectors"][kind]) for kind in NORMAL}
    said["selectors"]["texts"] = [text_facts(text) for text in sorted(set(texts))]
    return said


def digest_of(said: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the canonical JSON: keys sorted, no spaces, ASCII only."""
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def text_facts(text: str) -> dict[str, Any]:
    """SHA-256 and length of a text in UTF-8."""
    content = text.encode()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _read(path: str) -> bytes:
    try:
        with open_input(path) as stream:
            return stream.read()
    except OSError as error:
        raise ConfigError(f"{path}: the takedown cannot be read: {error.strerror or error}") from error


def _request(path: str, data: object) -> TakedownRequest:
    try:
        request = TakedownRequest.model_validate(data)
    except ValidationError as error:
        sentences = [mistake.sentence for mistake in list_mistakes(error, data, TakedownRequest)]
        raise letter(path, sentences) from error
    if faults := list(list_unusable(request.selectors)):
        raise letter(path, faults)
    return request


def _text(path: str, source: TextSelector) -> str:
    """What a text of a request holds. ValueError, in words, if it holds nothing that could be found."""
    if source.sha256 is not None:
        raise ValueError("a digest stands for a text in certificates only; give its path, or the text as `text`")
    text = source.text
    if source.path is not None:
        text = _text_file(source.path if _is_absolute(source.path) else join(os.path.dirname(path) or ".", source.path))
    if text is None or not text.strip():
        raise ValueError(f"{source.path or 'it'} holds no text")
    return text


def _is_absolute(path: str) -> bool:
    return not is_local(path) or os.path.isabs(path)


def _text_file(path: str) -> str:
    if not path.isprintable():
        raise ValueError(f"{path!r} is no path: it holds characters that cannot be seen")
    try:
        with open_input(path) as stream:
            return stream.read().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} of {path} is not UTF-8; save the file as UTF-8") from error


def _certificate(content: bytes) -> dict[str, Any] | None:
    """The certificate that a file is; None if it is none, and so a request, which may be written as JSON too."""
    if not content.lstrip().startswith(b"{"):
        return None
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("format") == CERTIFICATE else None


def _from_certificate(path: str, said: Mapping[str, Any]) -> Takedown:
    if said.get("format_version") != CERTIFICATE_VERSION:
        raise ConfigError(
            f"{path}: this certificate is of version {said.get('format_version')}; this cleartitle reads version "
            f"{CERTIFICATE_VERSION}. Use the cleartitle that wrote it, or a newer one."
        )
    try:
        sha256, evidence = str(said["sha256"]), said["evidence"]
        name, facts = str(evidence["file"]), {key: evidence[key] for key in ("bytes", "sha256")}
        intact = sha256 == digest_of(said["request"]) and said["id"] == sha256[:16] and name == f"{said['id']}.parquet"
    except (KeyError, TypeError):
        intact = False
    if not intact:
        raise ConfigError(f"{path}: this certificate was changed after it was written. {_RESTORE}")
    beside = join(os.path.dirname(path) or ".", name)
    try:
        found = file_facts(beside)
    except OSError as error:
        raise ConfigError(
            f"{path}: its evidence {beside} cannot be read: {error.strerror or error}. {_RESTORE}"
        ) from error
    if found != facts:
        raise ConfigError(f"{path}: its evidence {beside} is not as it was written. {_RESTORE}")
    return Takedown(sha256[:16], sha256, _request(path, said["request"]), pa.array([], pa.large_string()), beside)
