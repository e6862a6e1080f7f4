"""A worker's wall clock, which can be stepped while the worker runs."""

import pathlib

# Debian's package faketime; the variant for programs with threads.
LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")


class SteppedClock:
    """Steps the time of day of one worker. Its monotonic clock goes on undisturbed, as it does when NTP or an operator
    sets a machine's clock."""

    def __init__(self, library, file):
        self._library = library
        self._file = file
        self.step(0)

    @staticmethod
    def of(worker):
        """None where libfaketime is not installed."""
        library = next((path for pattern in LIBRARIES for path in pathlib.Path("/").glob(pattern[1:])), None)
        return library and SteppedClock(library, worker.configuration_path.with_suffix(".clock"))

    @property
    def environment(self):
        """The environment that the worker is to be started with."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",  # seconds until a step is seen
            # Without one the library makes shared memory and changes the environment, behind which Swift's runtime
            # looks for the arguments.
            "FAKETIME_SHARED": "none none",
        }

    def step(self, seconds):
        """Sets the clock so far before or after the machine's."""
        new = self._file.with_suffix(".clock.new")
        new.write_text(f"{seconds:+d}s\n", "ascii")
        new.replace(self._file)
