"""Looking into the portal's audit trail from a command line, beside the portal."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from immuni.clock import Clock
from immuni.database import open_pool
from immuni.deployment.configured import Configured, read_configured
from immuni.deployment.settings import DatabaseSettings, DeploymentSettings
from immuni.portal.audit.browsing import Filter, all_entries
from immuni.portal.audit.exporting import ExportFormat, exported
from immuni.portal.audit.head_file import public_key_files, read_verifiers
from immuni.portal.audit.settings import AuditSettings
from immuni.portal.audit.store import snapshot
from immuni.portal.audit.verifying import Verification, verify_trail
from immuni.settings import SettingsError


async def verify_audit(
    file: Path, clock: Clock, *, heads: Sequence[Path] = (), public_keys: Sequence[Path] = ()
) -> Verification:
    """Verify the whole trail.

    Args:
        file: The settings of the portal.
        clock: Tells whether heads have failed to come.
        heads: Files of heads from elsewhere; the portal's own where there is none.
        public_keys: Who is believed to have signed them; those of the data folder where there is
            none.

    Raises:
        SettingsError: Some settings are wrong or missing.
    """
    configured = _configured(file)
    layout = configured.of(DeploymentSettings).layout
    keys = configured.of(AuditSettings).audit_keys
    if keys is None:
        raise SettingsError(["audit_keys: not set; without them nothing can be verified"])
    url = configured.of(DatabaseSettings).portal_database_url
    async with open_pool(url, max_size=1, name="audit") as pool:
        return await verify_trail(
            pool,
            keys=keys,
            verifiers=read_verifiers(public_keys or public_key_files(layout.keys)),
            heads=heads or [layout.audit_heads],
            now=clock.now(),
        )


async def export_audit(file: Path, wanted: Filter, form: ExportFormat) -> AsyncIterator[str]:
    """Yield the events that are wanted, a line each, as of one moment.

    Raises:
        SettingsError: Some settings are wrong or missing.
    """
    url = _configured(file).of(DatabaseSettings).portal_database_url
    async with (
        open_pool(url, max_size=1, name="audit") as pool,
        snapshot(pool) as connection,
    ):
        async for line in exported(all_entries(connection, wanted), form):
            yield line


def _configured(file: Path) -> Configured:
    configured = read_configured(file)
    configured.require(["portal_database_url"])
    return configured
