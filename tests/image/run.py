# SPDX-License-Identifier: MIT
"""run.py [--full] [CASE…]: runs the cases, one after the other, each in a folder of its own."""

import shutil
import sys
import tempfile
import time
import traceback

import cases


def chosen(words):
    every = [name for name in vars(cases) if name.startswith("case_")]
    named = [word for word in words if not word.startswith("-")]
    if named:
        return [name for name in every if name.removeprefix("case_") in named]
    return every if "--full" in words else [name for name in every if name in cases.SHORT]


def passes(name):
    folder = tempfile.mkdtemp(prefix="image.")
    started = time.monotonic()
    try:
        getattr(cases, name)(folder)
    except Exception as why:  # pylint: disable=broad-except # a case may fail in any way
        print(f"FAIL {name}\n{why if isinstance(why, cases.Failed) else traceback.format_exc()}", flush=True)
        return False
    finally:
        shutil.rmtree(folder)
    print(f"ok {name} ({time.monotonic() - started:.0f} s)", flush=True)
    return True


def main():
    results = [passes(name) for name in chosen(sys.argv[1:])]
    print(f"cases: {results.count(True)} {results.count(False)}")


main()
