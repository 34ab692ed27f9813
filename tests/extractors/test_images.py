"""Pictures of pages: which types are read, which way up, and what becomes of damaged ones."""

import io
from pathlib import Path

import numpy as np
import papers
import pillow_heif
import pytest
from PIL import Image

from extractors.files import media_type_of
from extractors.images import image_pages, page_count
from schemas.errors import DocumentError

pillow_heif.register_heif_opener()


def corner(size: tuple[int, int] = (300, 400), mode: str = "RGB") -> Image.Image:
    """White paper whose top left corner is black."""
    image = Image.new("RGB", size, "white")
    image.paste("black", (0, 0, 60, 60))
    return image.convert(mode)


def saved(path: Path, image: Image.Image, kind: str, **options) -> Path:
    image.save(path, kind, **options)
    return path


def pages(path: Path, max_megapixels: int = 100) -> list[tuple[np.ndarray, float]]:
    return list(image_pages(path, max_megapixels))


def dark_corners(pixels: np.ndarray) -> list[bool]:
    """Whether the corners are dark: top left, top right, bottom left, bottom right."""
    return [bool(pixels[y, x].mean() < 100) for y in (10, -10) for x in (10, -10)]


def test_a_photo_of_a_phone_is_read(tmp_path):
    path = saved(tmp_path / "IMG_1.HEIC", corner(), "HEIF")
    assert (media_type_of(path), page_count(path)) == ("image/heic", 1)
    ((pixels, dpi),) = pages(path)
    assert (pixels.shape, pixels.dtype, dpi) == ((400, 300, 3), np.uint8, 200)
    assert dark_corners(pixels) == [True, False, False, False]


@pytest.mark.parametrize(
    ("tag", "shape", "corners"),
    [
        (1, (400, 300), [True, False, False, False]),
        (3, (400, 300), [False, False, False, True]),
        (6, (300, 400), [False, True, False, False]),
        (8, (300, 400), [False, False, True, False]),
    ],
)
def test_a_photo_is_turned_once(tmp_path, tag, shape, corners):
    """Phones write the turn twice, as a property of the picture and as EXIF tag."""
    exif = Image.Exif()
    exif[0x0112] = tag
    path = saved(tmp_path / "a.heic", corner(), "HEIF", exif=exif.tobytes())
    assert (b"irot" in path.read_bytes()) == (tag != 1)
    ((pixels, _),) = pages(path)
    assert (pixels.shape[:2], dark_corners(pixels)) == (shape, corners)
    ((jpeg, _),) = pages(saved(tmp_path / "a.jpg", corner(), "JPEG", exif=exif))
    assert (jpeg.shape[:2], dark_corners(jpeg)) == (shape, corners)


def _container(brand: bytes, *others: bytes) -> bytes:
    body = b"ftyp" + brand + b"\0\0\0\0" + b"".join(others)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0" * 100


BRANDS = {
    "heic": (_container(b"heic", b"mif1"), True),
    "ten bits": (_container(b"heix"), True),
    "sequence": (_container(b"hevc", b"msf1"), True),
    "container of HEVC": (_container(b"mif1", b"mif1", b"heic"), True),
    "container of AVIF": (_container(b"mif1", b"avif"), False),
    "AVIF": (_container(b"avif", b"mif1", b"heic"), False),
    "film": (_container(b"isom", b"mp41"), False),
    "brand out of its place": (b"\0\0\0\x10" + b"free" + b"heic" * 20, False),
    "cut in the box": (_container(b"heic")[:10], False),
}


@pytest.mark.parametrize(("data", "is_heic"), BRANDS.values(), ids=BRANDS.keys())
def test_the_type_box_tells(tmp_path, data, is_heic):
    path = papers.written(tmp_path / "a.heic", data)
    if is_heic:
        assert media_type_of(path) == "image/heic"
    else:
        with pytest.raises(DocumentError) as caught:
            media_type_of(path)
        assert caught.value.code == "type_mismatch"


def _noise() -> bytes:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 150, 3), dtype=np.uint8))
    file = io.BytesIO()
    image.save(file, "HEIF")
    return file.getvalue()


NOISE = _noise()
BROKEN = {
    "cut in its pixels": (NOISE[: len(NOISE) // 2], "truncated"),
    "cut in its table": (NOISE[:200], "truncated"),
    "type box alone": (NOISE[:32], "truncated"),
    "table overwritten": (NOISE[:60] + b"\xff" * 200 + NOISE[260:], "damaged"),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_photos(tmp_path, data, code):
    path = papers.written(tmp_path / "a.heic", data)
    with pytest.raises(DocumentError) as caught:
        pages(path)
    assert caught.value.code == code and "\n" not in caught.value.message
    assert caught.value.help.endswith(".")


def test_a_large_photo_is_refused_before_it_is_decoded(tmp_path):
    path = saved(tmp_path / "a.heic", Image.new("L", (1500, 1000)), "HEIF")
    with pytest.raises(DocumentError) as caught:
        pages(path, max_megapixels=1)
    assert caught.value.code == "image_too_large"


ANIMATED = {"GIF-like WebP": ("a.webp", "WEBP"), "PNG": ("a.png", "PNG")}


@pytest.mark.parametrize(("name", "kind"), ANIMATED.values(), ids=ANIMATED.keys())
def test_of_an_animation_the_first_picture_is_the_page(tmp_path, name, kind):
    frames = [Image.new("RGB", (100, 80), colour) for colour in ("black", "white", "red")]
    path = saved(tmp_path / name, frames[0], kind, save_all=True, append_images=frames[1:])
    with Image.open(path) as image:
        assert image.n_frames == 3
    assert page_count(path) == 1
    ((pixels, _),) = pages(path)
    assert pixels.max() < 10


def test_of_a_burst_the_main_photo_is_the_page(tmp_path):
    frames = [Image.new("RGB", (100, 80), "black"), Image.new("RGB", (100, 80), "white")]
    path = saved(tmp_path / "a.heic", frames[0], "HEIF", save_all=True, append_images=frames[1:], primary_index=1)
    assert page_count(path) == 1
    assert pages(path)[0][0].min() > 245


COMPRESSED = {
    "fax group 4": ("1", "group4"),
    "fax group 3": ("1", "group3"),
    "LZW": ("RGB", "tiff_lzw"),
    "JPEG": ("RGB", "jpeg"),
    "deflate": ("L", "tiff_adobe_deflate"),
    "CMYK": ("CMYK", "tiff_lzw"),
    "palette": ("P", "tiff_lzw"),
}


@pytest.mark.parametrize(("mode", "compression"), COMPRESSED.values(), ids=COMPRESSED.keys())
def test_scans_of_every_compression(tmp_path, mode, compression):
    path = saved(tmp_path / "a.tif", corner(mode=mode), "TIFF", compression=compression, dpi=(300, 300))
    ((pixels, dpi),) = pages(path)
    assert (pixels.shape, dpi) == ((400, 300, 3), 300)
    assert dark_corners(pixels) == [True, False, False, False]
    assert pixels[200, 150].tolist() == pytest.approx([255] * 3, abs=3)


def test_pages_of_different_kinds_in_one_file(tmp_path):
    deep = Image.fromarray(np.full((50, 70), 65_535, np.uint16))
    more = [corner((100, 200), "1"), deep, corner((90, 90), "CMYK")]
    path = saved(tmp_path / "a.tif", corner(), "TIFF", save_all=True, append_images=more)
    assert page_count(path) == 4
    found = [pixels for pixels, _ in pages(path)]
    assert [pixels.shape for pixels in found] == [(400, 300, 3), (200, 100, 3), (50, 70, 3), (90, 90, 3)]
    assert [dark_corners(pixels)[0] for pixels in found] == [True, True, False, True]
    assert all(pixels[-5, -5].min() > 250 for pixels in found)


def test_a_float_scan_keeps_its_shades(tmp_path):
    shades = Image.fromarray(np.array([[0.0, 0.5, 1.0]] * 3, np.float32))
    ((pixels, _),) = pages(saved(tmp_path / "a.tif", shades, "TIFF"))
    assert pixels[0, :, 0].tolist() == [0, 127, 255]


def test_a_thumbnail_is_no_page(tmp_path):
    small, last = corner((60, 80)), corner((200, 100))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    path = saved(tmp_path / "a.tif", corner(), "TIFF", save_all=True, append_images=[small, last])
    with Image.open(path) as image:
        assert image.n_frames == 3
    assert page_count(path) == 2
    assert [pixels.shape[:2] for pixels, _ in pages(path)] == [(400, 300), (100, 200)]


def test_a_fax_gets_its_height_back(tmp_path):
    fax = corner((1728, 1100), "1")
    path = saved(tmp_path / "a.tif", fax, "TIFF", compression="group3", dpi=(204, 98))
    ((pixels, dpi),) = pages(path)
    assert (pixels.shape, dpi) == ((round(1100 * 204 / 98), 1728, 3), 204)
    ((even, dpi),) = pages(saved(tmp_path / "b.tif", fax, "TIFF", dpi=(200, 204)))
    assert (even.shape, dpi) == ((1100, 1728, 3), 200)


def test_what_the_larger_fax_would_be_counts(tmp_path):
    path = saved(tmp_path / "a.tif", corner((1728, 1100), "1"), "TIFF", dpi=(204, 98))
    with pytest.raises(DocumentError) as caught:
        pages(path, max_megapixels=2)
    assert caught.value.code == "image_too_large"
