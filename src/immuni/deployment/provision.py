"""Making ready what a system on one machine needs before its processes start.

Databases, keys, certificates, secrets, demonstration accounts, and the settings file that every
process reads. What is there already is left as it is.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from psycopg import AsyncConnection

from immuni.api import Platform
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import load_newest, publish
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.publishing.store import withdraw_all
from immuni.backend.sealing import create_sealing_key
from immuni.clock import Clock
from immuni.database import Pool, open_pool
from immuni.deployment.apple import device_check_settings, ensure_device_check_key
from immuni.deployment.certificates import ensure_certificates
from immuni.deployment.databases import Databases, prepare_databases
from immuni.deployment.demo_accounts import DemoAccount, read_demo_accounts
from immuni.deployment.google import attestation_settings, ensure_play_integrity_keys
from immuni.deployment.layout import Layout
from immuni.deployment.private_files import write_private
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.settings import DatabaseSettings, loopback_url, nginx_url
from immuni.deployment.signing_keys import ensure_signing_keys
from immuni.entropy import Entropy, SystemEntropy
from immuni.portal.accounts.registration import ensure_account
from immuni.portal.accounts.roles import Role as AccountRole
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.factors.keys import KEY_BYTES, FactorKeys
from immuni.portal.settings import SecondFactor
from immuni.settings import settings_of
from immuni.telemetry import logger
from immuni.texts import LANGUAGES

_DEMO_ORGANISATION: Final = "Ospedale di esempio"
_DEMO_ROLES: Final = tuple(AccountRole)
DECIDED_BY_SYSTEM: Final = frozenset(
    {
        "data_dir",
        "bind_host",
        "base_port",
        "get_url",
        "upload_url",
        "analytics_url",
        "otp_url",
        "settings_url",
        "portal_url",
        "demonstration_clock",
        "portal_insights_url",
        "otp_keys",
        "audit_keys",
        "portal_factor_keys",
        "portal_second_factor",
        *(each.name for each in settings_of(DatabaseSettings)),
    }
)
"""The settings that `settings_of_system` fills in."""

_TEXTS: Final = {"faq_url": "faq", "pn_url": "privacy", "tou_url": "terms"}
_STORY_PACE: Final = {
    # People who watch two phones should not wait four hours, nor see a chunk a minute for ever.
    "chunk_period": "1m",
    "publish_empty_runs": "false",
}


def _behind_nginx(ports: Ports) -> dict[str, str]:
    """Return what is different where nginx stands in front of the public hosts."""
    url = nginx_url(ports)
    return {"get_url": url, "upload_url": url, "analytics_url": url, "trusted_proxies": LOOPBACK}


def _story_settings(get_url: str) -> list[SettingEntry]:
    """Return what virtual phones are told."""
    texts = {name: f"{get_url}/v1/texts/{path}" for name, path in _TEXTS.items()}
    values: dict[str, object] = {
        # For the same reason the virtual phones check as often as they are woken.
        "exposure_detection_period": 1,
        **{name: {code: f"{url}/{code}" for code in LANGUAGES} for name, url in texts.items()},
    }
    return [
        SettingEntry(platform, name, starting_build=1, value=value)
        for platform in Platform
        for name, value in values.items()
    ]


_log = logger("provision")


async def provision(
    layout: Layout,
    ports: Ports,
    admin_url: str,
    *,
    clock: Clock,
    story_pace: bool,
    nginx: bool = False,
) -> tuple[DemoAccount, ...]:
    """Make everything ready and write the settings file.

    Args:
        layout: The data folder.
        ports: Where the processes will listen.
        admin_url: A login of PostgreSQL that may create databases and roles.
        clock: Tells which certificates are about to end.
        story_pace: Publish each minute what there is, and nothing where there is none.
        nginx: Send phones to nginx, which stands in front of the public hosts.

    Returns:
        The demonstration accounts.
    """
    databases = await asyncio.to_thread(prepare_databases, admin_url, layout.secrets)
    entropy = SystemEntropy()
    ensure_keys(layout, clock=clock)
    ensure_device_check_key(layout)
    ensure_play_integrity_keys(layout, entropy)
    ensure_certificates(layout.certificates, clock=clock)
    otp_keys = ensure_otp_keys(layout, entropy)
    audit_keys = ensure_audit_keys(layout, entropy)
    ensure_audit_head_key(layout)
    values = settings_of_system(layout, ports, databases, otp_keys)
    values["audit_keys"] = audit_keys.render()
    values |= portal_settings(layout, entropy)
    values |= device_check_settings(layout, ports) | attestation_settings(layout)
    values |= _STORY_PACE if story_pace else {}
    values |= _behind_nginx(ports) if nginx else {}
    _write_settings(layout, values)
    await _withdraw_lost_chunks(layout, databases)
    if story_pace:
        await _publish_story_settings(databases, str(values["get_url"]), clock)
    async with open_pool(databases.portal.portal, max_size=2) as pool:
        trail = AuditTrail(pool, audit_keys)
        return await _ensure_accounts(layout, pool, trail, clock=clock, entropy=entropy)


def ensure_keys(layout: Layout, *, clock: Clock) -> None:
    """Make the keys that sign chunks and settings, and those that seal for analytics."""
    ensure_signing_keys(layout, clock.now())
    if not layout.analytics_key.exists():
        create_sealing_key(layout.analytics_key, layout.analytics_public_key)


def ensure_otp_keys(layout: Layout, entropy: Entropy) -> OtpKeys:
    """Return the secrets under which codes are hashed, made at the first time."""
    file = layout.otp_keys
    if not file.exists():
        write_private(file, OtpKeys({"otp-1": entropy.token(32)}).render().encode())
    return OtpKeys.parse(file.read_text(encoding="ascii").strip())


def ensure_audit_keys(layout: Layout, entropy: Entropy) -> AuditKeys:
    """Return the secrets under which the audit trail is chained, made at the first time."""
    file = layout.audit_keys
    if not file.exists():
        write_private(file, AuditKeys.generate(entropy).render().encode())
    return AuditKeys.parse(file.read_text(encoding="ascii").strip())


def ensure_audit_head_key(layout: Layout) -> None:
    """Make the key that signs heads of the audit trail, at the first time."""
    if layout.audit_head_key.exists():
        return
    key = Ed25519PrivateKey.generate()
    # The public half first: a crash in between leaves no key, and the next attempt makes both.
    layout.audit_head_public_key.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(layout.audit_head_key, private_pem)


def portal_settings(layout: Layout, entropy: Entropy) -> dict[str, str]:
    """Return the portal's settings where people try the system, its keys made at the first time.

    A second factor is offered there: the passwords of the demonstration accounts are printed, and
    who only looks should not have to set up an app first.
    """
    file = layout.factor_keys
    if not file.exists():
        write_private(file, FactorKeys({"factors-1": entropy.token(KEY_BYTES)}).render().encode())
    keys = FactorKeys.parse(file.read_text(encoding="ascii").strip())
    return {"portal_factor_keys": keys.render(), "portal_second_factor": SecondFactor.OFFERED}


def settings_of_system(
    layout: Layout, ports: Ports, databases: Databases, otp_keys: OtpKeys
) -> dict[str, str | int]:
    """Return the settings of a system, by name, as its settings file says them."""
    services = databases.services
    return {
        "data_dir": str(layout.root),
        "bind_host": LOOPBACK,
        "base_port": ports.base,
        "get_url": loopback_url(Role.GET, ports),
        "upload_url": loopback_url(Role.UPLOAD, ports),
        "analytics_url": loopback_url(Role.ANALYTICS, ports),
        "otp_url": loopback_url(Role.OTP, ports),
        "settings_url": loopback_url(Role.SETTINGS, ports),
        "portal_url": loopback_url(Role.PORTAL, ports),
        # Written by whoever lets days pass for virtual phones; the machine's clock until then.
        "demonstration_clock": str(layout.demonstration_clock),
        "portal_insights_url": loopback_url(Role.DASHBOARD, ports),
        "configuration_database_url": services.configuration,
        "settings_author_database_url": services.settings_author,
        "otp_database_url": services.otp,
        "ingestion_database_url": services.ingestion,
        "reporting_database_url": services.reporting,
        "jobs_database_url": services.jobs,
        "analytics_database_url": databases.analytics.analytics,
        "dashboard_database_url": databases.analytics.dashboard,
        "portal_database_url": databases.portal.portal,
        "otp_keys": otp_keys.render(),
    }


def _write_settings(layout: Layout, values: Mapping[str, str | int]) -> None:
    # A JSON string is a TOML string, too.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    head = "# Written by `immuni up` at each start; the environment (IMMUNI_...) stands above it."
    write_private(layout.settings_file, "\n".join([head, *lines, ""]).encode())


async def _withdraw_lost_chunks(layout: Layout, databases: Databases) -> None:
    """Withdraw what a system published from another data folder, which this one has not got."""
    if layout.chunks.exists():
        return
    async with await AsyncConnection.connect(databases.services.owner) as connection:
        if lost := await withdraw_all(connection):
            _log.warning("lost_chunks_withdrawn", count=lost)


async def _publish_story_settings(databases: Databases, get_url: str, clock: Clock) -> None:
    async with await AsyncConnection.connect(databases.services.owner) as connection:
        in_force = await load_newest(connection)
        if in_force.version == 0:
            await publish(
                connection,
                _story_settings(get_url),
                author="immuni up",
                reason="Virtual phones that people watch check more often than real ones.",
                now=clock.now(),
            )


async def _ensure_accounts(
    layout: Layout, pool: Pool, trail: AuditTrail, *, clock: Clock, entropy: Entropy
) -> tuple[DemoAccount, ...]:
    accounts = _demo_accounts(layout, entropy)
    for account in accounts:
        await ensure_account(
            pool,
            trail,
            user=account.user,
            password=account.password,
            organisation=_DEMO_ORGANISATION,
            role=AccountRole(account.role),
            clock=clock,
            entropy=entropy,
        )
    return accounts


def _demo_accounts(layout: Layout, entropy: Entropy) -> tuple[DemoAccount, ...]:
    file, accounts = layout.demo_accounts, list[DemoAccount]()
    if file.exists():
        accounts = read_demo_accounts(file)
    known = {account.role for account in accounts}
    fresh = [
        DemoAccount(role, entropy.token(8).hex(), role) for role in _DEMO_ROLES if role not in known
    ]
    if fresh:
        content = json.dumps([asdict(account) for account in (*accounts, *fresh)], indent=2)
        write_private(file, content.encode())
    return (*accounts, *fresh)
