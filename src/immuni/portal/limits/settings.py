"""How many codes may be authorised before somebody is warned, and before it ends."""

from dataclasses import dataclass

from immuni.settings import integer, number, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """Floors for those without a history, factors for those with one."""

    portal_operator_quota: int = setting(
        integer(1, 10_000),
        default=100,
        meaning="Codes that any operator may authorise in a day, however little they did before.",
    )
    portal_organisation_quota: int = setting(
        integer(1, 100_000),
        default=400,
        meaning="Codes that any organisation may authorise in a day, likewise.",
    )
    portal_quota_factor: float = setting(
        number(1, 100),
        default=4.0,
        meaning="A day may hold so many times what the busiest days of the last four weeks held.",
    )
    portal_warning_factor: float = setting(
        number(1, 100),
        default=2.0,
        meaning="Above so many times that much the supervisor is warned.",
    )
    portal_warning_floor: int = setting(
        integer(1, 10_000),
        default=30,
        meaning="Up to so many codes a day nobody is warned.",
    )
    portal_pace: int = setting(
        integer(1, 1000),
        default=20,
        meaning="Codes that one operator may authorise within ten minutes.",
    )
