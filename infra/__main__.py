"""What `cdktf` runs: `infra.main`, while node reads the framework already, which takes it as long as the rest takes."""

import contextlib
import gc
import threading
from importlib import import_module


def _begin() -> None:
    with contextlib.suppress(Exception):  # whoever needs it imports it again, and says what is wrong
        import_module("infra.provider")


if __name__ == "__main__":
    threading.Thread(target=_begin, name="framework").start()
    import_module("infra.main").main()
    gc.freeze()  # or Python looks for garbage in what is about to end, for a tenth of a second
