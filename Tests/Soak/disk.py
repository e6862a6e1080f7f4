"""A small disk for a state directory, which can be full."""

import contextlib
import subprocess

SIZE = "256m"


class SmallDisk:
    def __init__(self, directory):
        self._directory = directory

    @classmethod
    def under(cls, directory):
        """A file system in memory mounted on the directory; None where that is not allowed (it takes root)."""
        directory.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "rejoinder-soak", str(directory)], capture_output=True, check=False)
        return cls(directory) if done.returncode == 0 else None

    @contextlib.contextmanager
    def full(self):
        """Not a byte is left within."""
        filler = self._directory / "filler"
        try:
            with open(filler, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(1 << 20))
                except OSError:
                    pass
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0")
            yield
        finally:
            filler.unlink(missing_ok=True)

    def close(self):
        subprocess.run(["umount", "--lazy", str(self._directory)], capture_output=True, check=False)
