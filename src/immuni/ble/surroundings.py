"""What lies between phones, and what one of them receives: the same for every kind of air."""

from dataclasses import dataclass
from typing import Final

from immuni.ble.positions import Positions
from immuni.ble.propagation import Position, Shadowing, path_loss_db
from immuni.errors import ImmuniError

DEFAULT_TX_POWER_DBM: Final = -20
DEFAULT_FLOOR_DBM: Final = -94
"""Sensitivity of an ordinary receiver: with the default power it hears some 46 m far."""
DEFAULT_REACH_METRES: Final = 100.0
"""Farther than that nothing is heard, however lucky the deviations."""

_RSSI_LEAST: Final = -127
_RSSI_MOST: Final = 126


class UnknownPhoneError(ImmuniError, LookupError):
    """No phone of that name has a radio on this air; nothing was changed."""


@dataclass(slots=True)
class _Phone:
    """What is particular to one phone, in dB."""

    cover_db: float = 0.0
    calibration_db: float = 0.0


class Surroundings:
    """A place where phones stand; each kind of air is one."""

    def __init__(
        self,
        *,
        floor_dbm: float = DEFAULT_FLOOR_DBM,
        reach_metres: float = DEFAULT_REACH_METRES,
        shadowing: Shadowing | None = None,
    ) -> None:
        """Begin with nobody.

        Args:
            floor_dbm: Signals weaker than this are not heard.
            reach_metres: Phones farther apart than this never hear each other.
            shadowing: Varies receptions; without it distance alone decides.
        """
        self.positions = Positions(reach_metres)
        self._floor_dbm = floor_dbm
        self._shadowing = shadowing
        self._phones: dict[str, _Phone] = {}
        self._walls_db: dict[tuple[str, str], float] = {}
        self._pairs_db: dict[tuple[str, str], float] = {}

    def place(self, phone: str, x: float, y: float) -> None:
        """Put a phone somewhere, in metres, from now on.

        Raises:
            UnknownPhoneError: It has no radio.
        """
        self._phone(phone)
        self.positions.place(phone, Position(x, y))

    def cover(self, phone: str, loss_db: float) -> None:
        """Let a body or a bag lie over a phone: what it sends and hears loses `loss_db` more.

        Raises:
            UnknownPhoneError: It has no radio.
        """
        self._phone(phone).cover_db = loss_db

    def separate(self, one: str, other: str, loss_db: float) -> None:
        """Put a wall between two phones, which takes `loss_db` both ways.

        Raises:
            UnknownPhoneError: One of them has no radio.
        """
        self._phone(one)
        self._phone(other)
        self._walls_db[_pair(one, other)] = loss_db

    def calibrate(self, phone: str, offset_db: float) -> None:
        """Let a phone report every strength `offset_db` higher than it is, as models differ.

        Raises:
            UnknownPhoneError: It has no radio.
        """
        self._phone(phone).calibration_db = offset_db

    def loss_db(self, one: str, other: str, metres: float) -> float:
        """Return what a signal loses between two phones, but for what changes from scan to scan."""
        pair = _pair(one, other)
        covers_db = self._phones[one].cover_db + self._phones[other].cover_db
        return (
            path_loss_db(metres) + covers_db + self._walls_db.get(pair, 0.0) + self._pair_db(pair)
        )

    def receiver(self, phone: str) -> "Receiver":
        """Return the receiver of a phone that has a radio here."""
        return Receiver(self, phone, self._phones[phone], self._floor_dbm, self._shadowing)

    def _admit(self, phone: str) -> None:
        if phone in self._phones:
            raise ValueError(f"the phone {phone!r} has a radio already")
        self._phones[phone] = _Phone()

    def _dismiss(self, phone: str) -> None:
        del self._phones[phone]
        self.positions.remove(phone)
        self._walls_db = {pair: db for pair, db in self._walls_db.items() if phone not in pair}

    def _phone(self, phone: str) -> _Phone:
        try:
            return self._phones[phone]
        except KeyError:
            raise UnknownPhoneError(f"no phone {phone!r} has a radio on this air") from None

    def _pair_db(self, pair: tuple[str, str]) -> float:
        if self._shadowing is None:
            return 0.0
        found = self._pairs_db.get(pair)
        if found is None:
            found = self._pairs_db[pair] = self._shadowing.pair_db(*pair)
        return found


class Receiver:
    """What one phone receives, scan by scan."""

    def __init__(
        self,
        surroundings: Surroundings,
        phone: str,
        own: _Phone,
        floor_dbm: float,
        shadowing: Shadowing | None,
    ) -> None:
        """Listen in `surroundings`; what happens by chance has a sequence of its own."""
        self._surroundings = surroundings
        self._phone = phone
        self._own = own
        self._floor_dbm = floor_dbm
        self._shadowing = shadowing
        self._chance = shadowing.chance_of(phone) if shadowing is not None else None
        self._scan_db: dict[str, float] = {}

    def begin_scan(self) -> None:
        """Let each sender come in anew, with one strength for all its PDUs of this scan."""
        self._scan_db.clear()

    def rssi_dbm(self, sender: str, metres: float, *, tx_power_dbm: int) -> int | None:
        """Return the strength at which `sender` is reported, None where it is too weak.

        Args:
            sender: Whose signal it is.
            metres: How far off it stands.
            tx_power_dbm: What it transmits with.
        """
        loss_db = self._surroundings.loss_db(sender, self._phone, metres) + self._fading_db(sender)
        strength_dbm = tx_power_dbm - loss_db
        if strength_dbm < self._floor_dbm:
            return None
        reported = round(strength_dbm + self._own.calibration_db)
        return max(_RSSI_LEAST, min(_RSSI_MOST, reported))

    def misses(self, pdus: int = 1) -> bool:
        """Tell whether every one of so many PDUs was lost."""
        if self._shadowing is None or self._chance is None or not self._shadowing.packet_loss:
            return False
        return self._chance.uniform(0.0, 1.0) < self._shadowing.packet_loss**pdus

    def _fading_db(self, sender: str) -> float:
        if self._shadowing is None or self._chance is None:
            return 0.0
        found = self._scan_db.get(sender)
        if found is None:
            drawn = self._chance.normal(0.0, self._shadowing.scan_deviation_db)
            found = self._scan_db[sender] = drawn
        return found


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)
