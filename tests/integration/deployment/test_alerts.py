"""The alerts go off when they must, watch what there is, and tell what to do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import typer.main
import yaml  # type: ignore[import-untyped] # its types are a package of their own
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families

from immuni.backend.shaping import ShapingMetrics
from immuni.cli import app
from immuni.portal.limits.metrics import LimitMetrics
from immuni.portal.limits.rules import Warned
from tests.integration.deployment.alert_cases import CASES, NOBODY_TELLS, Series
from tests.integration.deployment.existing_phone import ExistingPhone, new_otp
from tests.integration.deployment.promtool import ROOT, RULES, promtool, rules
from tests.running import RunningSystem

PAGE: Final = (ROOT / "docs" / "operations" / "alerts.md").read_text(encoding="utf-8")
ENTRIES: Final = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
_OF_PROMETHEUS: Final = frozenset({"job", "instance"})


def test_prometheus_takes_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES)


def test_each_alert_goes_off_when_it_must_and_at_no_other_time(tmp_path: Path) -> None:
    assert CASES.keys() == rules().keys()
    file = tmp_path / "alerts_test.yml"
    content = {"rule_files": [str(RULES)], "evaluation_interval": "5m", "tests": list(trials())}
    file.write_text(yaml.safe_dump(content))

    promtool("test", "rules", file)


def trials() -> Iterator[dict[str, Any]]:
    """Yield two tests of each alert in the tool's own form, and one without figures."""
    for alert, case in CASES.items():
        summary = rules()[alert]["annotations"]
        fired = [{"exp_labels": dict(case.labels), "exp_annotations": summary}]
        yield trial(alert, case.fires, {case.before: [], case.at: fired})
        yield trial(alert, case.silent, {case.at: []})
    told = {
        "exp_labels": {"name": "publish"},
        "exp_annotations": rules()[NOBODY_TELLS]["annotations"],
    }
    yield trial(NOBODY_TELLS, {}, {"14m": [], "1h": [told]})


def trial(
    alert: str, series: Series, expected: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": at, "alertname": alert, "exp_alerts": list(alerts)}
            for at, alerts in expected.items()
        ],
    }


@pytest.fixture(scope="module")
def exported(system: RunningSystem) -> dict[str, set[str]]:
    """Return the labels of each figure that the processes of a running system export, by name."""
    assert ExistingPhone(system.told).check(new_otp()).status_code == 401
    text = httpx.get(f"{system.told['metrics']}/metrics", trust_env=False, timeout=30).text
    # Nothing makes an answer late here.
    late = CollectorRegistry()
    ShapingMetrics(late).count_overrun("/v1/ingestion/check-otp")
    LimitMetrics(late).count_warning(Warned.MUCH)
    return labels_of([*text_string_to_metric_families(text), *late.collect()])


def labels_of(families: Sequence[Metric]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_figure_and_label_of_a_rule_is_exported(exported: Mapping[str, set[str]]) -> None:
    for alert, rule in rules().items():
        watched = figures_in(rule["expr"])
        assert watched, alert
        for figure, labels in watched.items():
            assert figure in exported, alert
            assert labels <= exported[figure], (alert, figure)


def test_no_label_is_one_that_prometheus_gives_itself(exported: Mapping[str, set[str]]) -> None:
    assert {name for name, labels in exported.items() if labels & _OF_PROMETHEUS} == set()


def figures_in(expression: str) -> dict[str, set[str]]:
    """Return the figures of a rule, with the labels by which it chooses and sums."""
    summed = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \((.*?)\)", expression))))
    found: dict[str, set[str]] = {}
    for figure, chosen in re.findall(r"\b(immuni_\w+)(?:\{(.*?)\})?", expression):
        labels = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen)
        found.setdefault(figure, set()).update(labels, summed)
    return found


def test_every_alert_has_its_entry_and_every_entry_its_alert() -> None:
    assert ENTRIES.keys() == rules().keys()


@pytest.mark.parametrize("alert", ENTRIES)
def test_an_entry_tells_what_the_alert_means_and_what_to_do(alert: str) -> None:
    entry = ENTRIES[alert]

    assert f"```yaml\n- alert: {alert}\n" in entry
    assert "**What it means.**" in entry
    assert "**What to do.**\n\n1. " in entry


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`immuni ([^`]+)`", PAGE))))
def test_a_command_of_the_page_exists(command: str) -> None:
    found: Any = typer.main.get_command(app)
    options: set[str] = set()
    for word in command.split():
        if word.startswith("--"):
            options.add(word)
        elif word in getattr(found, "commands", {}):
            found = found.commands[word]
        else:
            assert not hasattr(found, "commands"), f"no command {word!r} of immuni"
    assert not hasattr(found, "commands"), f"immuni {command} is not whole"
    assert options <= {name for parameter in found.params for name in parameter.opts}
