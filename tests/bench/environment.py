"""The environment of what is measured: Python may keep its bytecode there, as images and installed packages have it."""

import os

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
