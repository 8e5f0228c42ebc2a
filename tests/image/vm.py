# SPDX-License-Identifier: MIT
"""A virtual machine whose serial line is talked to: software emulation, no network but what is asked
for, and a time limit after which it is killed whatever happens."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time


class Failed(Exception):
    """What the console did not say, with what it said instead."""


class VM:
    """with VM([...]) as vm: vm.expect(...); vm.send(...)"""

    def __init__(self, options, memory=256, limit=300, machine="q35"):
        self.output = ""
        self.position = 0
        self.closed = False
        self.deadline = time.monotonic() + limit
        self.folder = tempfile.mkdtemp(prefix="vm.")
        self.monitor = os.path.join(self.folder, "monitor")
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", machine, "-cpu", "max",
             "-smp", "2", "-m", str(memory), "-nodefaults", "-no-user-config", "-display", "none",
             "-vga", "std", "-no-reboot", "-serial", "stdio",
             "-monitor", f"unix:{self.monitor},server,nowait"] + options,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True)
        self.changed = threading.Condition()
        self.started = time.monotonic()
        self.readers = [threading.Thread(target=self.read, args=(stream,), daemon=True)
                        for stream in (self.process.stdout, self.process.stderr)]
        for reader in self.readers:
            reader.start()
        self.guard = threading.Timer(limit, self.kill)
        self.guard.daemon = True
        self.guard.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.wait()
        self.guard.cancel()
        if os.path.exists(self.monitor):
            os.unlink(self.monitor)
        os.rmdir(self.folder)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def read(self, stream):
        while data := os.read(stream.fileno(), 65536):
            with self.changed:
                self.output += data.decode("utf-8", "replace").replace("\r", "")
                self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def expect(self, pattern, seconds=120):
        """Waits for a regular expression after what was expected before; returns the match."""
        end = min(self.deadline, time.monotonic() + seconds)
        with self.changed:
            while not (match := re.compile(pattern, re.M).search(self.output, self.position)):
                left = end - time.monotonic()
                if self.closed or left <= 0:
                    why = "ended" if self.closed else "timed out"
                    raise Failed(f"{why} waiting for {pattern!r}; the console's end:\n{self.output[-3000:]}")
                self.changed.wait(left)
            self.position = match.end()
            return match

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def seconds(self):
        return time.monotonic() - self.started

    def ends(self, seconds=60):
        """The machine powers off or restarts by itself."""
        try:
            self.process.wait(min(seconds, max(self.deadline - time.monotonic(), 1)))
        except subprocess.TimeoutExpired as late:
            raise Failed(f"still runs; the console's end:\n{self.output[-3000:]}") from late
        for reader in self.readers:
            reader.join()

    def command(self, line):
        """Commands to qemu's monitor; returns what it answers."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(20)
            monitor.connect(self.monitor)
            answer = b""
            for one in line.splitlines():
                monitor.sendall(one.encode() + b"\n")
            while answer.count(b"(qemu)") <= len(line.splitlines()):
                answer += monitor.recv(65536)
        return answer.decode()

    def forwarded_port(self):
        """The port that "hostfwd=tcp:127.0.0.1:0-:22" was given."""
        return re.search(r"HOST_FORWARD\D*\d+\s+127\.0\.0\.1\s+(\d+)", self.command("info usernet")).group(1)
