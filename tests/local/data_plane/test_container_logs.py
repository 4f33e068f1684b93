import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from infra.local.jobs.container_logs import ContainerLogs


class Lines(ContainerLogs):
    """Keeps the lines instead of shipping them."""

    def __init__(self, path):
        self.read, self.put = [], []
        super().__init__(None, path, group="g", stream="s", on_line=self.read.append)

    def _put(self, lines):
        self.put += lines


@given(st.lists(st.binary(max_size=20).map(lambda part: part.replace(b"\r", b"")), max_size=8))
def test_lines_are_whole_however_the_output_comes_in_pieces(pieces):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.txt")
        logs = Lines(path)
        for piece in pieces:
            with path.open("ab") as log:
                log.write(piece)
            logs.ship()
        logs.ship(last=True)
    text = b"".join(pieces)
    expected = [line.decode(errors="replace") for line in text.removesuffix(b"\n").split(b"\n")] if text else []
    assert logs.read == expected
    assert logs.put == [line for line in expected if line.strip()]


def test_a_container_that_has_said_nothing_has_no_log(tmp_path):
    logs = Lines(tmp_path / "log.txt")
    logs.ship(last=True)
    assert logs.read == []
