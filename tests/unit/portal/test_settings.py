import subprocess
import sys
from datetime import timedelta

import pytest

from immuni.portal.settings import PortalSettings
from immuni.settings import SettingsError, gather, read_settings


def test_the_time_zone_is_read_by_its_name() -> None:
    source = gather({"IMMUNI_PORTAL_TIME_ZONE": "Atlantic/Azores"}, None)

    assert str(read_settings(PortalSettings, source).portal_time_zone) == "Atlantic/Azores"


@pytest.mark.parametrize("zone", ["Europe/Roma", "", "../etc/passwd", "/etc/localtime"])
def test_a_zone_that_does_not_exist_is_told(zone: str) -> None:
    with pytest.raises(SettingsError, match="portal_time_zone"):
        read_settings(PortalSettings, gather({"IMMUNI_PORTAL_TIME_ZONE": zone}, None))


def test_sessions_are_short_unless_somebody_says_otherwise() -> None:
    assert PortalSettings().portal_session_idle <= timedelta(minutes=30)
    assert PortalSettings().portal_session_lifetime <= timedelta(hours=12)


def test_reading_the_settings_loads_neither_templates_nor_a_way_to_others() -> None:
    program = (
        "import sys, immuni.portal.settings; print({'jinja2', 'httpx', 'psycopg'} & {*sys.modules})"
    )

    loaded = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert loaded.strip() == "set()"
