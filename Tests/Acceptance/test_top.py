"""`rejoinder top` in a real terminal (tmux), with logs that rotate, and where there is no terminal."""

import json
import os
import re
import shlex
import signal
import subprocess
import time

import pytest
from admin_port import AdminPort
from cluster import free_port
from throughput_logs import MadeUpWorker, write
from worker import binary, command, environment


def eventually(look, seconds=20, why=""):
    """The first truthy result of `look`."""
    end = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, why() if callable(why) else why
        time.sleep(0.1)


class Screen:
    """A terminal with a shell in it."""

    def __init__(self, columns, rows, directory, extra=None):
        self.socket = str(directory / "tmux")
        # tmux itself speaks UTF-8 to us, apart from the settings of the programs in it.
        variables = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PS1": "ready> ", "HISTFILE": ""} | (extra or {})
        shell = shlex.join(["env", *(f"{name}={value}" for name, value in variables.items()), "bash", "--norc", "--noprofile"])
        env = environment({"LC_ALL": "C.UTF-8"})
        env.pop("TMUX", None)
        subprocess.run(
            ["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), shell],
            env=env, check=True, cwd=directory,
        )
        eventually(lambda: "ready>" in self.text(), why="the shell does not start")

    def tmux(self, *arguments):
        return subprocess.run(
            ["tmux", "-S", self.socket, *arguments], check=True, capture_output=True, text=True
        ).stdout

    def text(self, *flags):
        return self.tmux("capture-pane", "-p", *flags)

    def type(self, text):
        self.tmux("send-keys", "-l", text)
        self.tmux("send-keys", "Enter")

    def key(self, *keys):
        self.tmux("send-keys", *keys)

    def value(self, name):
        return self.tmux("display-message", "-p", f"#{{{name}}}").strip()

    def wait(self, pattern, seconds=20):
        return eventually(
            lambda: re.search(pattern, self.text(), re.S), seconds, lambda: f"no {pattern!r} in:\n{self.text()}"
        )

    def top(self, *arguments):
        self.type(shlex.join([binary(), "top", *map(str, arguments)]))
        eventually(lambda: self.value("alternate_on") == "1", why=lambda: f"top does not draw:\n{self.text()}")

    def settings(self, name):
        """The terminal's settings, as the shell sees them."""
        self.type(f"stty -g > {name}; echo {name} written")
        self.wait(rf"\n{name} written")

    def assert_given_back(self):
        eventually(lambda: self.value("alternate_on") == "0", why=self.text)
        assert self.value("cursor_flag") == "1"
        assert self.value("wrap_flag") == "1"

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def screen(tmp_path):
    made = []

    def make(columns, rows, **extra):
        directory = tmp_path / f"screen-{len(made)}"
        directory.mkdir()
        made.append(Screen(columns, rows, directory, extra))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def worker():
    with AdminPort("w-4f1d07c2") as port:
        yield port


def widths(text):
    return [len(line) for line in text.splitlines()]


@pytest.mark.parametrize("columns, rows", [(80, 24), (40, 12), (40, 10), (200, 60), (20, 5)])
def test_it_fits_and_gives_the_terminal_back(screen, worker, columns, rows):
    terminal = screen(columns, rows)
    terminal.type("echo before top")
    terminal.wait("\nbefore top")
    terminal.settings("before")
    terminal.top("--url", worker.url)
    terminal.wait(r"working")
    terminal.wait(r"in +[0-9.]+k?/s")
    text = terminal.text()
    assert max(widths(text)) <= columns and len(text.splitlines()) <= rows
    assert text.startswith("rejoinder top")
    if rows >= 10:
        assert "lag" in text and "p99" in text and "q quit" in text.splitlines()[-1]
        assert "dead letters 9" in text
    if rows >= 24:
        for word in ("where the time goes", "committing", "from poll" if columns > 100 else "poll", "lag by partition", "questions/", "memory"):
            assert word in text
        assert "█" in text and re.search("[▁▂▃▄▅▆▇]{10}", text)
    assert terminal.value("cursor_flag") == "0"
    terminal.key("q")
    terminal.assert_given_back()
    assert "before top" in terminal.text("-S", "-")
    terminal.settings("after")
    directory = os.path.dirname(terminal.socket)
    assert open(f"{directory}/before").read() == open(f"{directory}/after").read()


def test_it_follows_the_terminals_size(screen, worker):
    terminal = screen(80, 24)
    terminal.top("--url", worker.url)
    terminal.wait("where the time goes")
    for columns, rows in [(200, 60), (40, 10), (100, 30), (30, 5), (80, 24)]:
        terminal.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        clock = columns - len("00:00:00")
        # The clock stands at the right edge of the first line.
        eventually(
            lambda: re.fullmatch(r"\d\d:\d\d:\d\d", terminal.text().splitlines()[0][clock:].strip()),
            why=lambda: f"{columns}x{rows}:\n{terminal.text()}",
        )
        assert max(widths(terminal.text())) <= columns
        if rows >= 8:
            eventually(lambda: "q quit" in terminal.text().splitlines()[-1], why=terminal.text)
    terminal.key("q")
    terminal.assert_given_back()


@pytest.mark.parametrize("how", ["C-c", signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_every_end_gives_the_terminal_back(screen, worker, how):
    terminal = screen(80, 24)
    terminal.settings("before")
    terminal.top("--url", worker.url)
    terminal.wait("working")
    if isinstance(how, str):
        terminal.key(how)
    else:
        shell = int(terminal.value("pane_pid"))
        children = subprocess.run(["pgrep", "-P", str(shell)], capture_output=True, text=True, check=True).stdout.split()
        os.kill(int(children[0]), how)
    terminal.assert_given_back()
    terminal.type("echo status $?")
    terminal.wait(r"\nstatus 0")
    terminal.settings("after")
    directory = os.path.dirname(terminal.socket)
    assert open(f"{directory}/before").read() == open(f"{directory}/after").read()


def test_it_can_be_suspended(screen, worker):
    terminal = screen(80, 24)
    terminal.settings("before")
    terminal.top("--url", worker.url)
    terminal.wait("working")
    for _ in range(2):
        terminal.key("C-z")
        terminal.wait("Stopped")
        terminal.assert_given_back()
        terminal.settings("stopped")
        directory = os.path.dirname(terminal.socket)
        assert open(f"{directory}/before").read() == open(f"{directory}/stopped").read()
        terminal.type("fg")
        eventually(lambda: terminal.value("alternate_on") == "1")
        terminal.wait("where the time goes")
        assert terminal.value("cursor_flag") == "0"
    terminal.key("q")
    terminal.assert_given_back()


def test_several_workers(screen, worker, tmp_path):
    stalled = {"state": "stalled", "waiting": "the transaction coordinator to commit"}
    lost = free_port()
    with AdminPort("w-9b33aa10", line=stalled, seed=9) as other:
        terminal = screen(110, 40)
        terminal.top("--url", worker.url, "--url", other.url, "--url", f"http://127.0.0.1:{lost}")
        terminal.wait("3 workers, 1 not heard of")
        terminal.wait(r"▸ w-4f1d07c2")
        terminal.wait(r"w-9b33aa10 \S+ +stalled")
        terminal.wait(rf"127.0.0.1:{lost} +unreachable +Connection refused")
        terminal.key("Down")
        terminal.wait(r"▸ w-9b33aa10")
        terminal.wait("lane 0 waits 13 s for the transaction coordinator to commit")
        terminal.key("j")
        terminal.wait(r"unreachable  Connection refused  for \d+ s, trying again")
        # It comes up, and is found.
        with AdminPort("w-late", port=lost):
            terminal.wait(r"▸ w-late \S+ +working")
            terminal.wait("3 workers  group")
        # It goes, and `lost` stands beside its last known state.
        terminal.wait(r"▸ w-late \S+ +lost")
        terminal.wait("below: the last that was heard of it")
        terminal.key("k", "Up", "Up")
        terminal.wait(r"▸ w-4f1d07c2")
        terminal.key("t")
        terminal.wait("10 s a column")
        terminal.key("q")
        terminal.assert_given_back()


def test_colours_only_where_they_are_wanted(screen, worker):
    terminal = screen(80, 24)
    terminal.top("--url", worker.url)
    terminal.wait("working")
    assert re.search("\x1b\\[[0-9;]*3[1-6]m", terminal.text("-e"))
    terminal.key("q")
    plain = screen(80, 24, NO_COLOR="1")
    plain.top("--url", worker.url)
    plain.wait("working")
    assert not re.search("\x1b\\[[0-9;]*(3[0-7]|9[0-7])m", plain.text("-e"))
    plain.key("q")


def test_without_utf8_it_draws_in_ascii(screen, worker):
    terminal = screen(80, 24, LC_ALL="C", LANG="C")
    terminal.top("--url", worker.url)
    terminal.wait("where the time goes")
    assert terminal.text().isascii()
    assert "####" in terminal.text()
    terminal.key("q")


def test_a_log_is_followed_through_rotation(screen, tmp_path):
    log = tmp_path / "worker.jsonl"
    # Of the last minutes: a log without newer lines is that of a lost worker.
    made = MadeUpWorker("w-log", seed=3, start=time.time() - 310)
    terminal = screen(80, 24)
    terminal.top(log)
    terminal.wait("unreachable  No such file or directory")
    write(log, made.lines(30))
    terminal.wait("w-log")

    def append(path, recordsIn):
        line = made.line() | {"recordsInPerSecond": recordsIn}
        with open(path, "a", encoding="utf-8") as file:
            text = json.dumps(line) + "\n"
            file.write(text[:50])
            file.flush()
            file.write(text[50:])

    append(log, 111)
    terminal.wait("in +111/s")
    # As logrotate does: the old file is written to until the writer looks up.
    log.rename(tmp_path / "worker.jsonl.1")
    append(tmp_path / "worker.jsonl.1", 222)
    terminal.wait("in +222/s")
    append(log, 333)
    terminal.wait("in +333/s")
    # And with copytruncate.
    log.write_text("", "utf-8")
    time.sleep(0.6)
    append(log, 444)
    terminal.wait("in +444/s")
    # A second worker in the same log has a row of its own.
    other = MadeUpWorker("w-other", seed=4, start=time.time() - 60)
    with open(log, "a", encoding="utf-8") as file:
        file.write(json.dumps(other.line()) + "\nnot a line of ours\n")
    terminal.wait("2 workers")
    terminal.wait("w-other")
    terminal.key("q")
    terminal.assert_given_back()


def test_names_do_not_reach_the_terminal_as_they_are(screen, tmp_path):
    evil = "\x1b]0;owned\x07\x1b[2J\u202eabc\r\n\u200b漢字"
    line = MadeUpWorker(evil, group=evil, start=time.time()).line(state="stalled", waiting=evil, dead={"schema": 1})
    line["version"] = evil
    line["lag"]["partitions"][0]["topic"] = evil
    line["deadLetters"][evil] = 3
    log = write(tmp_path / "evil.jsonl", [line])
    result = command("top", "--once", log, env={"LANG": "C.UTF-8", "COLUMNS": "120", "LINES": "40"})
    out = result.stdout.decode("utf-8")
    assert result.returncode == 0
    for piece in re.split("\x1b\\[[0-9;]*m", out):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", piece), repr(piece)
    terminal = screen(80, 24)
    terminal.top(log)
    terminal.wait("stalled")
    assert terminal.value("pane_title") != "owned"
    assert max(widths(terminal.text())) <= 80
    terminal.key("q")
    terminal.assert_given_back()


def test_once_prints_a_picture_and_ends(worker):
    result = command("top", "--once", "--url", worker.url, env={"LANG": "C.UTF-8", "COLUMNS": "80", "LINES": "24"})
    out = result.stdout.decode("utf-8")
    assert result.returncode == 0, result.stderr
    assert "\x1b" not in re.sub("\x1b\\[[17]?;?m|\x1b\\[0m", "", out)
    assert "where the time goes" in out and "w-4f1d07c2" in out
    assert len(out.splitlines()) <= 24


def test_once_says_when_nobody_answers():
    url = f"http://127.0.0.1:{free_port()}"
    result = command("top", "--once", "--url", url)
    assert result.returncode == 69
    assert b"no worker was heard of" in result.stderr and b"Connection refused" in result.stderr
    result = command("top", "--url", "ftp://x")
    assert result.returncode == 64


@pytest.mark.parametrize("terminal", ["pipe", "dumb"])
def test_without_a_terminal_it_prints_lines(screen, worker, tmp_path, terminal):
    arguments = [binary(), "top", "--url", worker.url, "--url", f"http://127.0.0.1:{free_port()}"]
    if terminal == "dumb":
        shell = screen(120, 24, TERM="dumb")
        shell.type(shlex.join(arguments))
        shell.wait(r"time +worker +state")
        shell.wait(r"(\d\d:\d\d:\d\d  w-4f1d07c2 +working +[0-9.k]+ .*){2}")
        assert shell.value("alternate_on") == "0"
        shell.key("C-c")
        return
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    try:
        lines = [process.stdout.readline().decode("utf-8") for _ in range(3)]
        assert lines[0].split() == "time worker state in/s out/s tables/s lag p99 dead waits for".split()
        assert all(re.match(r"\d\d:\d\d:\d\d  w-4f1d07c2 +working", line) for line in lines[1:])
        assert "\x1b" not in "".join(lines)
        # The pipe has no reader any more: it ends.
        process.stdout.close()
        process.wait(10)
        assert b"Connection refused" in process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()


def test_standard_input_is_followed_to_its_end(tmp_path):
    made = MadeUpWorker("w-pipe", seed=1)
    lines = "".join(json.dumps(line) + "\n" for line in made.lines(3))
    result = command("top", "-", input=lines.encode(), timeout=20)
    out = result.stdout.decode("utf-8").splitlines()
    assert len(out) == 4 and all("w-pipe" in line for line in out[1:])
    assert b"the input has ended" in result.stderr
