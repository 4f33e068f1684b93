"""A captured file is read in pieces of whole lines, whatever its lines' lengths and however little each read gives."""

from hypothesis import given
from hypothesis import strategies as st

import monitoring.capture_store
from monitoring.capture_store import CapturedFile

LINES = st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=40)


class Body:
    """Of an answer of S3: gives as many bytes as it has just now."""

    def __init__(self, content, sizes):
        self.content, self.sizes, self.closed = content, sizes, False

    def readinto(self, buffer):
        size = min(len(buffer), self.sizes.pop() if self.sizes else len(buffer), len(self.content))
        buffer[:size], self.content = self.content[:size], self.content[size:]
        return size

    def close(self):
        self.closed = True


@given(LINES, st.booleans(), st.lists(st.integers(1, 50), max_size=30), st.integers(1, 100))
def test_pieces_are_the_whole_file_cut_at_the_ends_of_lines(lines, ends, sizes, piece_bytes):
    content = b"\n".join(lines) + b"\n" * ends
    body = Body(content, sizes)
    with_pieces_of(piece_bytes, pieces := [], CapturedFile("a", lambda: body))
    assert b"".join(pieces) == content
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])
    assert all(pieces)
    assert body.closed


def test_a_large_file_is_read_in_pieces_of_one_buffer():
    line = b"x" * 99 + b"\n"
    read = CapturedFile("a", lambda: Body(line * 100, []))
    with_pieces_of(1000, pieces := [], read)
    assert [len(piece) for piece in pieces] == [1000] * 10


def with_pieces_of(piece_bytes, pieces, file):
    """Adds a copy of each piece, for a piece is good until the next is asked for."""
    before = monitoring.capture_store.PIECE_BYTES
    monitoring.capture_store.PIECE_BYTES = piece_bytes
    try:
        pieces += [bytes(piece) for piece in file.pieces()]
    finally:
        monitoring.capture_store.PIECE_BYTES = before
