"""Where everything lies in the data folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from immuni.deployment.roles import Role
from immuni.errors import ImmuniError


class DataFolderError(ImmuniError, OSError):
    """The data folder cannot be made or written; nothing was started."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The data folder: nothing is written outside of it.

    Attributes:
        root: The folder itself.
    """

    root: Path

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def secrets(self) -> Path:
        """Passwords and server secrets, mode 0700."""
        return self.root / "secrets"

    @property
    def keys(self) -> Path:
        """Signing keys and their public halves."""
        return self.root / "keys"

    @property
    def key_inventory(self) -> Path:
        """Which signing keys there are."""
        return self.keys / "keys.toml"

    @property
    def export_key(self) -> Path:
        """The first private key that signed chunks."""
        return self.keys / "export-222-v1.key"

    @property
    def export_public_key(self) -> Path:
        """The public half of the first key that signed chunks."""
        return self.keys / "export-222-v1.pem"

    @property
    def settings_key(self) -> Path:
        """The first private key that signed the Configuration Settings."""
        return self.keys / "settings-1.key"

    @property
    def settings_public_key(self) -> Path:
        """The public half of the first key that signed the Configuration Settings."""
        return self.keys / "settings-1.pem"

    @property
    def analytics_key(self) -> Path:
        """The private key that opens Epidemiological Info."""
        return self.keys / "analytics-1.key"

    @property
    def analytics_public_key(self) -> Path:
        """The public key to which ingestion seals Epidemiological Info."""
        return self.keys / "analytics-1.pem"

    @property
    def device_check_key(self) -> Path:
        """The private key by which the stand-in for Apple's DeviceCheck knows us."""
        return self.keys / "devicecheck.p8"

    @property
    def device_check_public_key(self) -> Path:
        """The public half of that key."""
        return self.keys / "devicecheck.pem"

    @property
    def play_integrity_keys(self) -> Path:
        """The private keys of the stand-in for Google's Play Integrity."""
        return self.keys / "play-integrity.json"

    @property
    def certificates(self) -> Path:
        """The internal certification authority and what it signed."""
        return self.root / "certificates"

    @property
    def otp_keys(self) -> Path:
        """The secrets under which codes are hashed."""
        return self.secrets / "otp-keys"

    @property
    def audit_keys(self) -> Path:
        """The secrets under which the portal's audit trail is chained."""
        return self.secrets / "audit-keys"

    @property
    def audit_head_key(self) -> Path:
        """The first private key that signed heads of the audit trail."""
        return self.keys / "audit-heads-1.key"

    @property
    def audit_head_public_key(self) -> Path:
        """The public half of the first key that signed heads of the audit trail."""
        return self.keys / "audit-heads-1.pem"

    @property
    def audit_heads(self) -> Path:
        """The signed heads of the audit trail."""
        return self.root / "audit" / "heads.jsonl"

    @property
    def factor_keys(self) -> Path:
        """The keys that encrypt the secrets of the operators' authenticator apps."""
        return self.secrets / "factor-keys"

    @property
    def decommission_report(self) -> Path:
        """What was looked at when the service was decommissioned."""
        return self.root / "decommission.json"

    def phone_secret(self, name: str) -> Path:
        """Return the file with which the App of a virtual phone is opened."""
        return self.secrets / f"{name}.secret"

    def phone_secrets(self) -> list[Path]:
        """Return every such file that is there, that of the world's page among them."""
        return sorted(self.secrets.glob("*.secret"))

    @property
    def demo_accounts(self) -> Path:
        """The passwords of the demonstration accounts."""
        return self.secrets / "demo-accounts.json"

    @property
    def chunks(self) -> Path:
        """The chunk store."""
        return self.root / "chunks"

    @property
    def phones(self) -> Path:
        """One folder for each virtual phone."""
        return self.root / "phones"

    @property
    def demonstration_clock(self) -> Path:
        """How far the clock of a demonstration is ahead; what it dated stays, and so does this."""
        return self.root / "clock"

    @property
    def run(self) -> Path:
        """What lives only while the system runs."""
        return self.root / "run"

    @property
    def metrics(self) -> Path:
        """Where the processes share their counters."""
        return self.run / "metrics"

    @property
    def nginx(self) -> Path:
        """Configuration, temporary files and copies of chunks of nginx, where it runs."""
        return self.run / "nginx"

    @property
    def settings_file(self) -> Path:
        """The settings that the supervisor wrote for its processes."""
        return self.root / "immuni.toml"

    @property
    def logs(self) -> Path:
        """What the processes log."""
        return self.root / "logs"

    def log_of(self, role: Role) -> Path:
        """Return the file that holds what the process of `role` logs."""
        return self.logs / f"{role}.log"

    def prepare(self) -> None:
        """Make the folder, for its owner only, without what an earlier run left in `run`."""
        if self.run.exists():
            shutil.rmtree(self.run)
        for folder in (self.root, self.keys, self.phones, self.logs, self.metrics, self.nginx):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
