"""Ways through the App that together pass every screen, in every state that it can have."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from playwright.async_api import expect

from immuni.api import ConfigurationSettings, Platform
from immuni.app.phone import Phone
from immuni.app.record import OnboardingStep
from immuni.app.settings import SettingsInForce
from immuni.app.system import IosSystem, LinuxSystem
from tests.integration.app.tour import PATIENCE, Tour, Visitor, touring
from tests.integration.app.world import World, uploaded_keys

DAY = timedelta(days=1)
WELCOMES = (
    "A warning in good time",
    "Together we are stronger",
    "Immuni does not know who you are",
)
TAKES_LONG = (
    "This takes longer than usual; your connection may be slow. Nothing is lost. "
    "You may put the phone away meanwhile."
)
WAS_DELETED = (
    "Everything that Immuni had stored on this phone was deleted. You can uninstall it now."
)
NOT_DONE_YET = "Your phone says that this is not done yet. Please try again; nothing is lost."


async def walk_the_onboarding(world: World, visitor: Visitor) -> Phone:
    """Go from the first start to the home screen, with every step that a phone can need."""
    phone = await world.add("new")
    await phone.framework.switch_bluetooth(on=False)
    async with touring(visitor, phone) as tour:
        await tour.visit("/", "welcome-1", "Phones that look after people")
        for number, heading in enumerate(WELCOMES, start=2):
            await tour.press("Next")
            await tour.look(f"welcome-{number}", heading)
        await tour.press("Let us begin")
        await tour.look("privacy", "Your privacy")
        for consent in ("I am 14 or older", "I have read the privacy notice"):
            await tour.choose(consent)
        await tour.choose("I accept the terms of use")
        # What was ticked stays so while the notice is read.
        await tour.open("/privacy")
        await tour.open("/onboarding/privacy")
        await expect(tour.page.locator(":checked")).to_have_count(3)
        await tour.press("Continue")
        await tour.look("region", "Where do you live?")
        await tour.choose("Abruzzo")
        await tour.press("Continue")
        await tour.look("province", "And your province?")
        await tour.choose("Chieti")
        await tour.press("Continue")
        await tour.look("exposure-notifications", "Switch on exposure notifications")
        await tour.press("Switch on")
        await tour.look("bluetooth", "Bluetooth is off")
        await tour.press("Continue")
        await tour.reads("Bluetooth is off")
        await phone.framework.switch_bluetooth(on=True)
        await tour.press("Continue")
        await tour.look("location", "Leave location switched on")
        await tour.press("Location is on")
        await tour.look("lock", "Keep your phone locked")
        await tour.press("Continue")
        await tour.look("scams", "Beware of scams")
        await tour.press("I understand")
        await tour.look("ready", "All set. Thank you!")
        await tour.press("Go to Immuni")
        await tour.reads("No warning for you")
    return phone


async def walk_what_only_some_phones_show(world: World, visitor: Visitor) -> None:
    """Show what depends on the phone: iOS asks to notify; a system or a build can be too old."""
    iphone = await world.add("iphone", platform=Platform.IOS)
    await iphone.switch_on()
    for step in (OnboardingStep.WELCOME, OnboardingStep.PRIVACY, OnboardingStep.PROVINCE):
        iphone.complete(step)
    async with touring(visitor, iphone) as tour:
        await tour.visit("/", "notifications", "May Immuni notify you?")
        await tour.press("Allow notifications")
        await tour.reads("Keep your phone locked")
        iphone._system = lambda: IosSystem((13, 4))
        await tour.visit("/", "system-too-old", "Please update iOS")
        iphone._system = lambda: LinuxSystem((6, 1), has_adapter=False)
        await tour.visit("/", "no-adapter", "There is no Bluetooth here")
        iphone._system = lambda: None
        set_settings(iphone, minimum_build_version=11)
        await tour.press("Try again")
        await tour.look("update", "Please update Immuni")


async def walk_home(world: World, visitor: Visitor) -> None:
    """Pause, fail in every way that can be shown, and reactivate step by step."""
    phone = await world.add_ready("home")
    async with touring(visitor, phone) as tour:
        await tour.visit("/", "home", "No warning for you")
        await tour.press("Take a pause")
        await tour.look("pause", "Take a pause")
        await tour.choose(tour.language.counted("For %(num)d hour", "For %(num)d hours", 4))
        await tour.press("Pause")
        await tour.look("paused", "Immuni is paused")
        await tour.press("End the pause")
        await tour.reads("No warning for you")
        await phone.framework.stop()
        await phone.framework.switch_bluetooth(on=False)
        world.pass_over(2 * DAY)
        await tour.visit("/", "inactive", "Immuni needs you for a moment")
        await tour.press("Reactivate")
        await tour.look("reactivate-switched-off", "Switch on exposure notifications")
        await tour.press("Switch on")
        await tour.reads("Switch on Bluetooth")
        await tour.press("I have switched it on")
        await tour.tells("alert", NOT_DONE_YET)
        await tour.look("reactivate-bluetooth", "Switch on Bluetooth")
        await phone.framework.switch_bluetooth(on=True)
        await tour.press("I have switched it on")
        await tour.look("reactivate-no-check", "Connect to the internet")
        await tour.press("Continue")
        await tour.reads("Immuni needs you for a moment")
        await phone.background_session()
        await tour.open("/")
        await tour.reads("No warning for you")
        await _end(phone, tour)


async def _end(phone: Phone, tour: Tour) -> None:
    """Show the end of the service, which comes while the home screen stands open, and delete."""
    set_settings(phone, service_end_date=phone.clock.now().date())
    await tour.look("ended", "Immuni has done its work")
    await tour.press("Delete my data now")
    await tour.press("Delete everything")
    was_deleted = tour.page.get_by_text(tour.language.text(WAS_DELETED))
    await expect(was_deleted).to_be_visible(timeout=PATIENCE)
    await tour.look("ended-deleted", "Immuni has done its work")


async def walk_the_upload(world: World, visitor: Visitor) -> Phone:
    """Report a positive result over a network that fails in every way that it can."""
    phone = await world.add_ready("upload")
    await world.live(DAY)
    await phone.background_session()
    async with touring(visitor, phone) as tour:
        await tour.open("/")
        await tour.press("Tested positive?", "Help to warn those you were near")
        await tour.look("upload-code", "Report a positive result")
        await _check_the_code(world, tour)
        await _answer_the_question(tour)
        await _send(world, tour)
    return phone


async def _check_the_code(world: World, tour: Tour) -> None:
    await tour.press("The operator has confirmed")
    await _told(tour, "The code is not confirmed yet")
    await tour.look("upload-not-confirmed", "Report a positive result")
    world.pass_over(timedelta(seconds=5))
    world.servers.busy = True
    await tour.press("The operator has confirmed")
    await _told(tour, "The server is busy")
    await tour.look("upload-busy", "Report a positive result")
    world.servers.busy = False
    assert tour.phone.flow is not None
    world.servers.authorise(tour.phone.flow.otp)
    await tour.press("The operator has confirmed")
    await tour.look("upload-contents", "What will be sent")


async def _answer_the_question(tour: Tour) -> None:
    await tour.press("Continue")
    await tour.look("upload-permission", "Share the random keys of this phone with Immuni?")
    await tour.press("Do not share")
    await tour.reads("What will be sent")
    await tour.press("Continue")
    await tour.press("Share")
    await tour.look("upload-review", "Ready to send")


async def _send(world: World, tour: Tour) -> None:
    async with world.servers.slow():
        await tour.press("Send now")
        await tour.look("upload-sending", "Sending")
        world.clock.advance(timedelta(seconds=10))
        await tour.tells("status", TAKES_LONG)
        world.servers.busy = True
    await tour.reads("Ready to send")
    await _told(tour, "The server is busy")
    await tour.look("upload-try-again", "Ready to send")
    world.servers.busy = False
    await tour.press("Try again")
    await tour.look("upload-done", "Thank you")
    await tour.press("Done")
    await tour.look("positive", "You reported a positive result")


async def _told(tour: Tour, title: str) -> None:
    notice = await tour.tells("alert", title)
    await expect(notice).to_be_focused(timeout=PATIENCE)


async def walk_being_warned(warned: Phone, visitor: Visitor) -> None:
    """Read the warning, what to do, and the history, and end it with a second question."""
    async with touring(visitor, warned) as tour:
        await tour.visit("/", "at-risk", "You may have been exposed")
        await tour.press("What to do now")
        await tour.look("advice-at-risk", "What to do now")
        await tour.open("/history")
        await tour.page.get_by_text(tour.language.text("Why did Immuni warn me?")).click()
        await tour.look("history", "History")
        await tour.visit("/state/hidden", "hide", "Hide the warning?")
        await tour.press("Keep it")
        await tour.press("I have called my doctor")
        await tour.look("second-question", "Has your doctor told you what to do?")
        await tour.press("Yes, remove the warning")
        await tour.reads("No warning for you")
        await tour.visit("/advice", "advice", "So that Immuni can warn you")
        set_settings(warned, advice={tour.language.code: {"neutral": "Stay calm."}})
        await tour.open("/advice")
        await expect(tour.page.get_by_text("Stay calm.")).to_be_visible(timeout=PATIENCE)


async def walk_own_data(positive: Phone, visitor: Visitor) -> None:
    """See what was sent, take it away, get help, recover, and delete everything."""
    async with touring(visitor, positive) as tour:
        await tour.visit("/advice", "advice-positive", "Get well soon")
        await tour.press("I have recovered")
        await tour.look("recovered", "Has the health service told you that you have recovered?")
        await tour.press("Yes, I have recovered")
        await tour.reads("No warning for you")
        await tour.visit("/history", "history-empty", "History")
        await tour.visit("/settings", "settings", "Settings")
        await tour.visit("/settings/language", "settings-language", "Language")
        await tour.visit("/settings/province", "settings-province", "Your province")
        await tour.visit("/settings/notifications", "settings-notifications", "Notifications")
        await tour.visit("/about", "about", "About Immuni")
        await tour.visit("/nothing", "lost", "There is nothing here")
        await tour.visit("/support", "help-without-contact", "Help")
        set_settings(
            positive,
            support_email="help@example.org",
            support_phone="800 91 24 91",
            support_phone_opening_time="07:00",
            support_phone_closing_time="22:00",
            active_regions=("Liguria",),
        )
        await tour.visit("/support", "help", "Help")
        await tour.press("Copy")
        await tour.tells("status", "Copied")
        copied = await tour.page.evaluate("navigator.clipboard.readText()")
        assert copied == await tour.page.locator("#diagnostics").text_content()
        await tour.visit("/upload", "upload-not-started", "Not yet in your region")
        await tour.visit("/own-data", "own-data", "Your data")
        async with tour.page.expect_download() as download:
            await tour.press(
                "Take your data with you",
                "A file with everything that Immuni knows about you. Secret keys are not in it.",
            )
        assert (await download.value).suggested_filename == "immuni-my-data.json"
        await tour.press("Delete everything", "Keys, codes, history, settings")
        await tour.look("delete", "Delete everything?")
        await tour.press("Delete everything")
        await tour.reads("Phones that look after people")


async def warn(world: World, met: tuple[Phone, Phone]) -> Phone:
    """Publish the keys of the first phone, and let the second find out."""
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))
    await bruno.background_session()
    return bruno


def set_settings(phone: Phone, **values: Any) -> None:  # noqa: ANN401 - each has its own type
    """Let a phone live by other settings."""
    settings = SettingsInForce(ConfigurationSettings(**values))
    phone._store.update(lambda record: replace(record, settings=settings))
