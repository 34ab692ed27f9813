"""The parts of a Word file: a zip of XML, read without running or fetching anything. Part of reading Word files."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

from lxml import etree

from extractors.files import Limits
from schemas.errors import DocumentError

MAIN_PART = "officeDocument"
XML_SHARE = 0.5
"""How much of `max_megabytes` the parts with text may take; a megabyte of them is some fifty pages."""


def local(element: etree._Element) -> str:
    """The element's name without its namespace: Word writes one of two. Comments have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first child of the first child ... by their names; None where there is none."""
    for name in path:
        if element is None:
            return None
        element = next((inner for inner in element if local(inner) == name), None)
    return element


def value(element: etree._Element | None, name: str = "val") -> str | None:
    """An attribute by its name without namespace; None for an absent element too."""
    if element is None:
        return None
    return next((text for key, text in element.attrib.items() if key.rpartition("}")[2] == name), None)


def number(element: etree._Element | None, name: str = "val", default: int = 0) -> int:
    """An attribute as a whole number."""
    text = value(element, name) or ""
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else default


class Package:
    """The parts of a Word file by their names. Raises DocumentError `damaged` or `too_large` when opened or read."""

    def __init__(self, path: Path, limits: Limits):
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self._names = {info.filename: info for info in self._zip.infolist()}
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise self._damaged(error) from error
        self._check_sizes(limits)

    def __enter__(self) -> "Package":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _check_sizes(self, limits: Limits) -> None:
        """By the sizes that are declared: zipfile gives no byte more than these."""
        sizes = [(info.file_size, name.endswith((".xml", ".rels"))) for name, info in self._names.items()]
        text = sum(size for size, is_xml in sizes if is_xml) / 1e6
        for megabytes, most in ((sum(size for size, _ in sizes) / 1e6, 1), (text, XML_SHARE)):
            if megabytes > limits.max_megabytes * most:
                raise DocumentError(
                    f"{self._path.name} unpacks to {megabytes:.0f} MB, more than the limit of "
                    f"{limits.max_megabytes * most:.0f}.",
                    help="Split it, or raise the setting max_megabytes.",
                    code="too_large",
                )

    def _damaged(self, error: Exception | None = None) -> DocumentError:
        reason = f": {error}" if error else ""
        return DocumentError(
            f"{self._path.name} is a damaged Word file{reason}.",
            help="Open it in Word; if that fails too, ask for the file again.",
            code="damaged",
        )

    def data(self, name: str) -> bytes | None:
        """The bytes of a part; None when there is none of that name."""
        if name not in self._names:
            return None
        try:
            return self._zip.read(self._names[name])
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
            raise self._damaged(error) from error

    def xml(self, name: str | None) -> etree._Element | None:
        """The root of a part; None when there is none of that name."""
        data = self.data(name) if name else None
        if data is None:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
        try:
            return etree.fromstring(data, parser)
        except etree.XMLSyntaxError as error:
            raise self._damaged(error) from error

    def links(self, name: str) -> dict[str, tuple[str, str]]:
        """Id -> (kind, part) of what a part refers to inside the file; for `""` the file itself."""
        folder, _, base = name.rpartition("/")
        root = self.xml(f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels")
        return {} if root is None else dict(_links(root, dirname(name)))

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self._path.name

    @property
    def main(self) -> str:
        """The name of the part with the text."""
        for kind, part in self.links("").values():
            if kind == MAIN_PART and part in self._names:
                return part
        raise self._damaged()


def _links(root: etree._Element, folder: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for element in root:
        target = value(element, "Target") or ""
        if local(element) != "Relationship" or value(element, "TargetMode") == "External":
            continue
        part = target.lstrip("/") if target.startswith("/") else normpath(join(folder, target))
        kind = (value(element, "Type") or "").rpartition("/")[2]
        yield value(element, "Id") or "", (kind, part)
