"""Small pictures that unpack to far more, and files that only claim to be pictures."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

_GREY, _RGB, _PALETTE, _RGBA = 0, 2, 3, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _RGBA: 4}


def pictures() -> Iterator[tuple[str, bytes]]:
    """PNG and JPEG files, and others under their name."""
    yield "grey-80-megapixels", png(10_000, 8_000, 8, _GREY)
    yield "bits-80-megapixels", png(10_000, 8_000, 1, _GREY)
    yield "grey-170-megapixels", png(17_000, 10_000, 8, _GREY)
    yield "rgba-80-megapixels", png(10_000, 8_000, 8, _RGBA)
    yield "rgba16-80-megapixels", png(10_000, 8_000, 16, _RGBA)
    yield "interlaced-80-megapixels", png(10_000, 8_000, 8, _RGB, interlaced=1)
    yield "grey-4-gigapixels", png(65_000, 65_000, 8, _GREY, rows=1_000)
    yield "widest", png(2**31 - 1, 2**31 - 1, 8, _GREY, rows=0)
    yield "one-line", png(2**31 - 1, 1, 1, _GREY, rows=0)
    yield "no-size", png(0, 0, 8, _GREY, rows=0)
    yield "grey16", png(50, 40, 16, _GREY)
    yield "palette", png(50, 40, 8, _PALETTE)
    yield "cut-rows", png(50, 40, 8, _RGB, rows=7)
    bomb = zlib.compress(bytes(100 << 20), 9)
    yield "text-bomb", png(50, 40, 8, _GREY, more=_chunk(b"zTXt", b"a\0\0" + bomb))
    yield "profile-bomb", png(50, 40, 8, _GREY, more=_chunk(b"iCCP", b"a\0\0" + bomb))
    yield "many-texts", png(50, 40, 8, _GREY, more=_chunk(b"tEXt", b"a\0b") * 50_000)
    yield "no-exif", png(50, 40, 8, _GREY, more=_chunk(b"eXIf", b"MM\0*" + b"\xff" * 400))
    yield "progressive-80-megapixels", _jpeg(10_000, 8_000, progressive=True)
    yield "progressive-colour-80-megapixels", _jpeg(10_000, 8_000, "RGB", progressive=True)
    yield "baseline-80-megapixels", _jpeg(10_000, 8_000)
    small = _jpeg(50, 40)
    at = small.index(b"\xff\xc0") + 5
    yield "claims-65535", small[:at] + b"\xff\xff\xff\xff" + small[at + 4 :]
    yield "page", b"<!DOCTYPE html><title>404</title>"
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 40\nshowpage\n"
    for kind in ("GIF", "TIFF", "BMP", "WEBP", "PPM"):
        out = io.BytesIO()
        Image.new("RGB", (100, 80), "white").save(out, kind)
        yield f"is-{kind.lower()}", out.getvalue()


def png(
    width: int, height: int, depth: int, colour: int, *, rows: int | None = None,
    interlaced: int = 0, more: bytes = b"",
) -> bytes:  # fmt: skip
    """A PNG whose pixels are all zero.

    Args:
        width: as its header has it.
        height: likewise.
        depth: bits of a channel.
        colour: PNG's colour type.
        rows: as many as there are; by default `height`.
        interlaced: PNG's interlace method; the pixels are those of a plain file all the same.
        more: chunks before the pixels.
    """
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    packer = zlib.compressobj(9)
    line = b"" if rows == 0 else bytes(1 + -(-width * depth * _CHANNELS[colour] // 8))
    packed = [packer.compress(line) for _ in range(height if rows is None else rows)]
    pixels = b"".join([*packed, packer.flush()])
    palette = _chunk(b"PLTE", bytes(range(3))) if colour == _PALETTE else b""
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", head), more, palette, _chunk(b"IDAT", pixels),
            _chunk(b"IEND", b""),
        )
    )  # fmt: skip


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _jpeg(width: int, height: int, mode: str = "L", *, progressive: bool = False) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "JPEG", progressive=progressive)
    return out.getvalue()
