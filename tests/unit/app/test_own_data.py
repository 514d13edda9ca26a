import msgspec
from msgspec.structs import replace

from immuni.api import ProvinceCode
from immuni.app.analytics.memory import AnalyticsMemory, PhoneToken
from immuni.app.own_data import LEFT_OUT, OwnData, as_json, own_data
from immuni.app.record import AppRecord, OnboardingStep
from immuni.app.sent import Sent, SentKind
from immuni.app.state import AtRisk
from tests.unit.app.records import NOW, TODAY, a_summary, an_uploadable

SECRET = "5ec2e7" * 8


def names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(struct)}


def test_whatever_the_app_remembers_is_exported_or_left_out_on_purpose() -> None:
    of_the_form = {"format", "exported_at", "stored"}

    assert names(OwnData) - of_the_form == names(AppRecord) - LEFT_OUT
    assert names(AppRecord) >= LEFT_OUT


def test_an_export_can_be_read_by_machines_and_people() -> None:
    record = AppRecord(
        onboarding=frozenset({OnboardingStep.PRIVACY, OnboardingStep.WELCOME}),
        province=ProvinceCode("CH"),
        user=AtRisk(TODAY),
        summaries=(a_summary(infos=(an_uploadable(day=TODAY),)),),
        sent=(Sent(TODAY, SentKind.UPLOAD),),
    )

    written = as_json(own_data(record, {"tek": 14}, now=NOW))

    read = msgspec.json.decode(written)
    assert read["user"] == {"type": "at_risk", "last_contact_day": "2020-06-20"}
    assert read["sent"] == [{"day": "2020-06-20", "kind": "upload"}]
    assert read["onboarding"] == ["welcome", "privacy"]
    assert read["stored"] == {"tek": 14}
    assert written.count(b"\n") > 20


def test_no_secret_is_exported() -> None:
    token = PhoneToken(digits=SECRET, replaced_from=NOW)
    record = replace(AppRecord(), analytics=AnalyticsMemory(token=token, dummy_from=NOW))

    written = as_json(own_data(record, {}, now=NOW))

    assert SECRET.encode() not in written
    assert b"dummy" not in written
