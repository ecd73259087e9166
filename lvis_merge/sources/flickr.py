"""The Flickr photo id in a picture's URL: what LVIS, COCO and Open Images images have in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lvis_merge.sources.digits import WORD, are_digits, integers, words_ending_at

_MAX_DIGITS = 18
_ROWS = 1 << 15  # at a time: their text stays in the processor's cache
_MARGIN = b" " * (3 * WORD)


def flickr_photo_id(urls: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Flickr photo ids: the digits before the first `_` in the last path part.

    Args:
        urls: string [N], such as `https://farm4.staticflickr.com/3455/3298211238_4ee1c8bd1b_o.jpg`.

    Returns:
        int64 [N]; null where there are none, or not 1 to 18 digits and nothing else.
    """
    chunks = urls.chunks if isinstance(urls, pa.ChunkedArray) else [urls]
    found = [
        _photo_ids(chunk.slice(start, _ROWS).cast(pa.string()))
        for chunk in chunks
        for start in range(0, len(chunk), _ROWS)
    ]
    return pa.concat_arrays(found) if found else pa.array([], pa.int64())


def _photo_ids(urls: pa.StringArray) -> pa.Array:
    bounds, text = _text(urls)
    characters = np.frombuffer(text, np.uint8)
    starts, ends = bounds[:-1], bounds[1:]
    slashes = np.flatnonzero(characters == ord("/"))
    marks = np.flatnonzero(characters == ord("_"))
    # the last path part starts behind the last slash, or with the URL
    before = np.searchsorted(slashes, ends)
    part = np.where(before > 0, np.append(slashes, 0)[before - 1] + 1, 0)
    part = np.maximum(part, starts)
    mark = np.append(marks, len(text))[np.searchsorted(marks, part)]
    length = mark - part
    good = (mark < ends) & (length >= 1) & (length <= _MAX_DIGITS)
    if urls.null_count:
        good &= urls.is_valid().to_numpy(zero_copy_only=False)
    mark = np.where(good, mark, len(_MARGIN)) - WORD
    length = np.where(good, length, 0)

    ids = np.zeros(len(urls), np.uint64)
    scale = 1
    for word in range(3):
        kept = np.clip(length - word * WORD, 0, WORD)
        if not kept.any():
            break
        words = words_ending_at(text, mark - word * WORD, kept)
        good &= are_digits(words, kept)
        ids += integers(words) * np.uint64(scale)
        scale *= 10**WORD
    return pa.array(ids.astype(np.int64), mask=~good)


def _text(urls: pa.StringArray) -> tuple[npt.NDArray[np.int64], bytes]:
    """Where each URL starts (and the last one ends), and a text in front of which is a margin."""
    _, offsets, data = urls.buffers()
    bounds = np.frombuffer(offsets, np.int32)[urls.offset : urls.offset + len(urls) + 1]
    first, last = int(bounds[0]), int(bounds[-1])
    content = b"" if data is None else data.slice(first, last - first).to_pybytes()
    return bounds.astype(np.int64) - first + len(_MARGIN), _MARGIN + content
