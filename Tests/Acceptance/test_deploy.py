"""The files in deploy/ and the compose file: that Prometheus takes them, and that the parts fit each other and the
worker."""

import json
import re

import pytest
import yaml
from prometheus import REPOSITORY, promtool

DEPLOY = REPOSITORY / "deploy"
ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/rejoinder.json").read_text("utf-8"))
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))["services"]


def dashboard_expressions():
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def filled(expression, job="rejoinder", instance=".+", window="1m"):
    """An expression of the dashboard as Grafana would send it."""
    for name, value in (("$job", job), ("$instance", instance), ("$__rate_interval", window)):
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def metrics_in(expression):
    """The names that an expression selects; ours are told from functions and labels by how they begin."""
    return {name for name in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", expression) if re.match(r"rejoinder_|process_|up$", name)}


def anchors(path):
    """The anchors of a page's headings, as they are made where the repository is read."""
    headings = re.findall(r"(?m)^#+ (.*)$", path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_promtool_takes_the_configuration():
    for arguments in (("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")):
        result = promtool(*arguments, cwd=DEPLOY / "prometheus")
        assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_is_tested_firing_and_silent():
    tests = yaml.safe_load((DEPLOY / "prometheus/alerts.test.yml").read_text("utf-8"))["tests"]
    fires, is_silent = set(), set()
    for case in (case for test in tests for case in test["alert_rule_test"]):
        for alert in case.get("exp_alerts", []):
            fires.add((case["alertname"], alert["exp_labels"]["severity"]))
        if not case.get("exp_alerts"):
            is_silent.add(case["alertname"])
    # One name may stand for a fast and a slow rule, which differ in how bad it is.
    rules = [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]
    assert len(set(rules)) == len(rules)
    assert fires == set(rules)
    assert is_silent == {name for name, _ in rules}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_to_do(rule):
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"] and rule["annotations"]["description"]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(REPOSITORY / page)


def test_the_runbook_has_no_alert_that_does_not_exist():
    headings = re.findall(r"(?m)^#+ (Rejoinder\w+)$", (REPOSITORY / "docs/operating.md").read_text("utf-8"))
    assert headings == list(dict.fromkeys(rule["alert"] for rule in RULES))


def test_promtool_takes_the_dashboards_expressions(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": filled(expression)} for number, (_, expression) in enumerate(dashboard_expressions())
    ]
    assert len(rules) > 30
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    # Equal ones in two panels are none of its business here.
    result = promtool("check", "rules", "--lint=none", path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_dashboard_is_sound():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = set()
    for panel in DASHBOARD["panels"]:
        grid = panel["gridPos"]
        assert 0 <= grid["x"] and grid["x"] + grid["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
        assert not places & cells, f"{panel['title']} lies over another panel"
        places |= cells
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["targets"]
    # Every selector goes by the worker and the job that were chosen.
    for title, expression in dashboard_expressions():
        for name in metrics_in(expression):
            selectors = len(re.findall(rf"\b{name}\b", expression))
            assert expression.count(name + '{job="$job",instance=~"$instance"}') == selectors, title


def test_every_counter_of_the_sources_is_on_the_dashboard():
    shown = {name for _, expression in dashboard_expressions() for name in metrics_in(expression)}
    documentation = (REPOSITORY / "docs/operating.md").read_text("utf-8")
    documented = re.findall(r"^\| (`rejoinder_source_.*?) \|", documentation, re.MULTILINE)
    counters = {name for cell in documented for name in re.findall(r"`(\w+)`", cell)}
    assert len(counters) == 5
    assert counters <= shown


def test_a_container_that_restores_is_not_taken_for_dead():
    """Swarm and autoheal replace an unhealthy container, and a restore would begin anew: liveness alone."""
    text = (REPOSITORY / "Dockerfile").read_text("utf-8")
    checks = re.findall(r"(?m)^HEALTHCHECK .*CMD (.*)$", text)
    checks += [
        json.dumps(service["healthcheck"]["test"][1:])
        for service in COMPOSE.values()
        if str(service.get("image")).startswith("rejoinder") and "test" in service.get("healthcheck", {})
    ]
    assert [json.loads(check) for check in checks] == [["rejoinder", "health", "--live"]]


def test_the_compose_services_fit_the_files():
    monitored = {name for name, service in COMPOSE.items() if "monitoring" in service.get("profiles", [])}
    assert monitored == {"prometheus", "grafana"}
    mounts = {}
    for name in monitored:
        service = COMPOSE[name]
        # A version, so that the same file starts the same tomorrow.
        assert re.fullmatch(r"[\w/.-]+:v?\d+\.\d+\.\d+", service["image"])
        for volume in service["volumes"]:
            source, target, *mode = volume.split(":")
            if source.startswith("./"):
                assert (REPOSITORY / source).exists(), volume
                assert mode == ["ro"]
                mounts[target] = REPOSITORY / source
        # A client that reaches the host is not asked for a password.
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])

    configuration = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    (job,) = configuration["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    assert job["job_name"] == "rejoinder"
    assert COMPOSE.keys() >= set(discovery["names"])
    for name in discovery["names"]:
        environment = COMPOSE[name]["environment"]
        assert environment["REJOINDER_ADMIN_HOST"] == "0.0.0.0"
        assert discovery["port"] == int(environment.get("REJOINDER_ADMIN_PORT", 9464))
    command = " ".join(COMPOSE["prometheus"]["command"])
    assert mounts[re.search(r"--config.file=(\S+)/prometheus.yml", command)[1]] == DEPLOY / "prometheus"

    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == configuration["global"]["scrape_interval"]
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/rejoinder.yml").read_text("utf-8"))["providers"]
    assert mounts[provider["options"]["path"]] == DEPLOY / "grafana/dashboards"
    assert mounts["/etc/grafana/provisioning"] == DEPLOY / "grafana/provisioning"
    (variable,) = [v for v in DASHBOARD["templating"]["list"] if v["type"] == "datasource"]
    assert variable["query"] == source["type"] and variable["current"]["value"] == source["uid"]
