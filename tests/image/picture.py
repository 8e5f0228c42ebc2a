# SPDX-License-Identifier: MIT
"""picture.py FILE: the screen at the menu, as PNG, for docs/rescue-image.md."""

import sys
import tempfile
import time

from cases import MENU, broken, disk, cd
from vm import VM

with tempfile.TemporaryDirectory() as scratch:
    image = broken(scratch)
    with VM(cd() + disk(image) + ["-snapshot"]) as machine:
        machine.expect(MENU)
        # The screen is drawn by its own console, at about the same time.
        time.sleep(3)
        machine.command(f"screendump {sys.argv[1]} -f png")
