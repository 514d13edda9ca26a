"""Which steps lie between the first start and a working App. Pure.

Source:
    Mobile Client, "Screens", Onboarding.
"""

from immuni.api import Platform
from immuni.app.record import AppRecord, OnboardingStep
from immuni.app.system import System
from immuni.framework import InactiveReason, Status

_SATISFIED_WITHOUT = {
    OnboardingStep.EXPOSURE_NOTIFICATIONS: frozenset(
        {
            InactiveReason.PERMISSION_MISSING,
            InactiveReason.NOT_STARTED,
            InactiveReason.UNREACHABLE,
        }
    ),
    OnboardingStep.BLUETOOTH: frozenset({InactiveReason.BLUETOOTH_OFF, InactiveReason.UNREACHABLE}),
}
"""Steps that are satisfied as soon as none of these stands in the way."""

_OF_ONE_PLATFORM = {
    OnboardingStep.LOCATION: Platform.ANDROID,
    OnboardingStep.NOTIFICATIONS: Platform.IOS,
}


def steps_for(platform: Platform) -> tuple[OnboardingStep, ...]:
    """Return the steps of a platform profile, in order.

    Only iOS asks before an App may notify; only Android demands that location is switched on
    before it scans for Bluetooth.
    """
    return tuple(
        step for step in OnboardingStep if _OF_ONE_PLATFORM.get(step, platform) is platform
    )


def next_step(
    record: AppRecord, framework: Status, platform: Platform, system: System | None = None
) -> OnboardingStep | None:
    """Return the step to show next; None when the onboarding is complete.

    A step that the device satisfies already is passed over; so is every step once the last one
    is done.
    """
    if OnboardingStep.DONE in record.onboarding:
        return None
    return next(
        step
        for step in steps_for(platform)
        if step not in record.onboarding and not _is_satisfied(step, framework, system)
    )


def _is_satisfied(step: OnboardingStep, framework: Status, system: System | None) -> bool:
    if step is OnboardingStep.LOCATION:
        # A Linux device speaks as Android does, and has no such demand.
        return system is not None and not system.wants_location
    obstacles = _SATISFIED_WITHOUT.get(step)
    return obstacles is not None and not obstacles & framework.reasons
