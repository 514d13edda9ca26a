from msgspec.structs import replace

from immuni.api import Platform
from immuni.app.onboarding import next_step, steps_for
from immuni.app.record import AppRecord, OnboardingStep
from immuni.app.system import LinuxSystem
from immuni.framework import InactiveReason, Status

NEW = Status(frozenset({InactiveReason.PERMISSION_MISSING, InactiveReason.NOT_STARTED}), "a safe")
READY = Status(frozenset(), "a safe")


def walked(framework: Status, platform: Platform = Platform.ANDROID) -> list[OnboardingStep]:
    """Complete step after step and return them in order."""
    record, steps = AppRecord(), list[OnboardingStep]()
    while (step := next_step(record, framework, platform)) is not None:
        steps.append(step)
        record = replace(record, onboarding=record.onboarding | {step})
    return steps


def test_a_new_phone_goes_through_its_steps_in_order() -> None:
    assert walked(NEW) == [
        OnboardingStep.WELCOME,
        OnboardingStep.PRIVACY,
        OnboardingStep.PROVINCE,
        OnboardingStep.EXPOSURE_NOTIFICATIONS,
        OnboardingStep.LOCATION,
        OnboardingStep.LOCK,
        OnboardingStep.SCAMS,
        OnboardingStep.DONE,
    ]


def test_only_ios_is_asked_for_notifications() -> None:
    assert OnboardingStep.NOTIFICATIONS in steps_for(Platform.IOS)
    assert OnboardingStep.NOTIFICATIONS not in steps_for(Platform.ANDROID)


def test_only_android_wants_location_to_be_switched_on() -> None:
    assert OnboardingStep.LOCATION in steps_for(Platform.ANDROID)
    assert OnboardingStep.LOCATION not in steps_for(Platform.IOS)


def test_a_linux_device_speaks_as_android_and_wants_no_location() -> None:
    system = LinuxSystem((6, 1), has_adapter=True)
    record = AppRecord(onboarding=frozenset(OnboardingStep) - {OnboardingStep.LOCATION})
    begun = replace(record, onboarding=record.onboarding - {OnboardingStep.DONE})

    assert next_step(begun, READY, Platform.ANDROID) is OnboardingStep.LOCATION
    assert next_step(begun, READY, Platform.ANDROID, system) is OnboardingStep.DONE


def test_steps_that_the_device_satisfies_are_skipped() -> None:
    assert OnboardingStep.EXPOSURE_NOTIFICATIONS not in walked(READY)


def test_bluetooth_is_asked_for_where_it_is_off() -> None:
    off = Status(frozenset({InactiveReason.BLUETOOTH_OFF}), "a safe")

    assert OnboardingStep.BLUETOOTH in walked(off)
    assert OnboardingStep.BLUETOOTH not in walked(READY)


def test_a_completed_onboarding_stays_completed_when_the_service_is_switched_off() -> None:
    complete = AppRecord(onboarding=frozenset({OnboardingStep.DONE}))

    assert next_step(complete, NEW, Platform.ANDROID) is None
