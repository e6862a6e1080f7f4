"""Shared by the acceptance tests."""

import os

import pytest
from cluster import Broker, Cluster
from cluster_control import VARIABLE, ClusterControl
from deployment import Deployment


@pytest.fixture(scope="session")
def scale():
    """How much larger than usual the data is."""
    return float(os.environ.get("REJOINDER_TEST_SCALE", "1"))


@pytest.fixture(scope="session")
def cluster():
    """The cluster that the environment names, else a broker of our own."""
    bootstrap_servers = os.environ.get("REJOINDER_TEST_BOOTSTRAP_SERVERS")
    broker = None
    if not bootstrap_servers:
        broker = Broker()
        bootstrap_servers = broker.bootstrap_servers
    try:
        cluster = Cluster(bootstrap_servers, ours=broker is not None)
        cluster.broker = broker
        cluster.wait_until_up()
        if not broker and ClusterControl.named():
            cluster.control = ClusterControl(ClusterControl.named(), bootstrap_servers)
        yield cluster
    finally:
        if broker:
            broker.stop()


@pytest.fixture
def control(cluster):
    """The nodes of the named cluster, all of them serving before the test and after."""
    if not cluster.control:
        pytest.skip(f"needs a cluster of REJOINDER_TEST_BOOTSTRAP_SERVERS whose nodes the script in {VARIABLE} controls")
    cluster.control.wait_until_whole()
    yield cluster.control
    cluster.control.start_all()
    cluster.control.wait_until_whole()


@pytest.fixture
def deploy(cluster, tmp_path):
    """Makes deployments, and removes them and their workers when the test is over."""
    made = []

    def make(**settings):
        directory = tmp_path / f"deployment-{len(made)}"
        directory.mkdir()
        made.append(Deployment(cluster, directory, **settings))
        return made[-1]

    yield make
    cluster.forget_sessions()
    for deployment in made:
        deployment.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows how its workers' logs end."""
    report = yield
    if report.failed and "tmp_path" in getattr(item, "funcargs", {}):
        for log in sorted(item.funcargs["tmp_path"].rglob("*.log")):
            lines = log.read_text("utf-8", "replace").splitlines()[-15:]
            report.sections.append((f"the end of {log.name}", "\n".join(line[:600] for line in lines)))
    return report
