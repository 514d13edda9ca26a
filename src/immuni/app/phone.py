"""One phone: its framework, its App, and what a user can do with them."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from immuni.api import ProvinceCode, Question
from immuni.app.analytics.ports import Vouchers
from immuni.app.analytics.reporting import Reporting
from immuni.app.build import Build
from immuni.app.contents import UploadContents
from immuni.app.dummies.simulation import Simulation
from immuni.app.ending import Ending
from immuni.app.framework_port import Framework
from immuni.app.onboarding import next_step
from immuni.app.own_data import OwnData, own_data
from immuni.app.record import AppRecord, OnboardingStep
from immuni.app.service_end import remains
from immuni.app.session import BackgroundSession
from immuni.app.state import UserState, after_dismissal, after_recovery
from immuni.app.status import PhoneStatus, phone_status
from immuni.app.storage import AppStore
from immuni.app.system import AskSystem, SystemFault
from immuni.app.telling import Teller
from immuni.app.upload import UploadDesk, UploadFlow
from immuni.app.upload_errors import UploadOrderError
from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.framework import ExposureNotificationFramework
from immuni.otp import Otp, generate_otp


class Phone:
    """The App on one device, with or without pages in front of it.

    It does nothing by itself: somebody drives the framework, and calls for a background session
    now and then.

    Attributes:
        build: What is compiled in.
        clock: The device's clock.
        ending: What the phone does when the service ends.
        teller: Hands out what the user is told.
    """

    def __init__(
        self,
        *,
        build: Build,
        framework: Framework,
        store: AppStore,
        clock: Clock,
        entropy: Entropy,
        vouchers: Vouchers | None = None,
        system: AskSystem = lambda: None,
    ) -> None:
        """Put a phone together; it goes on where its stores left off.

        Without `vouchers` it has no platform that vouches for it, and sends no Operational Info.
        Without `system` nothing is known of the device's system, and nothing is too old.
        """
        self.build = build
        self.clock = clock
        self.teller = Teller(store)
        self._framework = framework
        self._store = store
        self._entropy = entropy
        self._vouchers = vouchers or Vouchers()
        self._system = system
        self._flow: UploadFlow | None = None
        self._in_session = asyncio.Lock()
        self._simulation = Simulation(build=build, store=store, clock=clock, entropy=entropy)
        self.ending = Ending(store, framework, clock, self.delete_everything)

    @property
    def framework(self) -> ExposureNotificationFramework:
        """The device's exposure notifications, for whoever drives them in this process.

        Raises:
            TypeError: They live in another process, which drives them itself.
        """
        if not isinstance(self._framework, ExposureNotificationFramework):
            raise TypeError("the framework lives in another process")
        return self._framework

    @property
    def record(self) -> AppRecord:
        """What the App remembers."""
        return self._store.record

    @property
    def flow(self) -> UploadFlow | None:
        """The visit to the upload screen that is going on."""
        return self._flow

    @property
    def is_at_work(self) -> bool:
        """Whether there are background sessions; after the end they look whether it goes on."""
        return self.next_onboarding_step() is None or self.ending.has_come

    def questions(self, language: str) -> tuple[Question, ...]:
        """Return questions and answers in a language of the App, the most important first."""
        return self._store.questions.questions(language)

    def status(self) -> PhoneStatus:
        """Return the user's state, whether the service is active, and every reason why not."""
        return phone_status(
            self.record,
            self._framework.status(),
            build_number=self.build.number,
            now=self.clock.now(),
        )

    def next_onboarding_step(self) -> OnboardingStep | None:
        """Return the step to show next; None when the onboarding is complete."""
        return next_step(self.record, self._framework.status(), self.build.platform, self._system())

    def system_faults(self) -> tuple[SystemFault, ...]:
        """Return what of the device's own system keeps the App from working at all."""
        system = self._system()
        return () if system is None else system.faults()

    def complete(self, step: OnboardingStep) -> None:
        """Note that the user has completed a step of the onboarding."""
        now = self.clock.now()

        def completed(record: AppRecord) -> AppRecord:
            onboarded_at = now if step is OnboardingStep.DONE else record.onboarded_at
            changed = replace(
                record, onboarding=record.onboarding | {step}, onboarded_at=onboarded_at
            )
            # Nobody needs to be reminded any more of what is complete.
            return replace(changed, unseen=None) if step is OnboardingStep.DONE else changed

        self._store.update(completed)

    def choose_province(self, province: ProvinceCode) -> None:
        """Remember where the user lives."""
        self._store.update(lambda record: replace(record, province=province))

    def choose_language(self, language: str | None) -> None:
        """Remember the user's language; None follows the system."""
        self._store.update(lambda record: replace(record, language=language))

    async def set_up(self, province: ProvinceCode) -> None:
        """Complete the whole onboarding at once, for a phone without pages."""
        self.choose_province(province)
        await self.switch_on()
        for step in OnboardingStep:
            self.complete(step)

    async def switch_on(self) -> None:
        """Let the framework broadcast and listen, with the user's permission."""
        await self._framework.authorise()
        await self._framework.start()
        await self._framework.resume()

    async def pause(self, until: datetime | None) -> None:
        """Let the framework fall silent for a while.

        Args:
            until: When it goes on by itself; None lasts until it is switched on.

        Raises:
            StoreError: The pause lasts only until the next start.
        """
        await self._framework.pause(until=until)

    async def background_session(self) -> None:
        """Run one background session, or do nothing while one runs or before the onboarding.

        Raises:
            StoreError: The App's memory could not be written; it is as it was.
        """
        if self._in_session.locked() or not self.is_at_work:
            return
        async with self._in_session:
            session = BackgroundSession(
                build=self.build,
                store=self._store,
                framework=self._framework,
                clock=self.clock,
                reporting=self._reporting(),
            )
            await session.run()
        await self.ending.heed(server_now=session.server_now)

    def came_to_foreground(self) -> None:
        """Note that the user has the App before them; see `Simulation.came_to_foreground`."""
        self._simulation.came_to_foreground()

    def left_foreground(self) -> None:
        """Note that the user has turned to something else."""
        self._simulation.left_foreground()

    async def simulate_uploads(self) -> None:
        """Send simulated uploads when they are due, without end.

        Whoever drives the phone lets this run beside the background sessions, and never as a part
        of them: what they fetch would tell a simulated upload from a person's.
        """
        await self._simulation.live()

    async def open_upload(self) -> Otp:
        """Open the upload screen, and return the new code that it shows.

        No simulated upload starts or goes on beside it.
        """
        self._simulation.cancel()
        desk = UploadDesk(
            build=self.build, store=self._store, framework=self._framework, clock=self.clock
        )
        self._flow = UploadFlow(generate_otp(self._entropy), desk)
        return self._flow.otp

    @property
    def is_upload_open(self) -> bool:
        """Whether an upload was begun that the user can go on with."""
        return self._flow is not None and self._flow.is_alive

    async def check_code(self) -> None:
        """Ask the server whether the operator has authorised the code; see `UploadFlow.check`."""
        await self._open_flow().check()

    async def share_keys(self, *, consent: bool) -> UploadContents:
        """Answer the framework's question; see `UploadFlow.share_keys`."""
        return await self._open_flow().share_keys(consent=consent)

    async def send_upload(self) -> None:
        """Send what was shared; see `UploadFlow.send`. The visit ends when it has arrived."""
        await self._open_flow().send()
        self._flow = None

    async def upload(self, *, consent: bool) -> UploadContents:
        """Answer the framework's question and, where it is yes, upload.

        Returns:
            What was sent.

        Raises:
            ConsentRefusedError: The user did not agree; nothing was sent.
            UploadError, ServerUnreachableError: See `UploadFlow.send`.
        """
        contents = await self.share_keys(consent=consent)
        await self.send_upload()
        return contents

    def close_upload(self) -> None:
        """Leave the upload screen: its code and whatever was shared are forgotten."""
        self._flow = None

    def mark_seen(self) -> None:
        """Note that the user has looked at what stood on the screen."""
        self._store.update(lambda record: replace(record, unseen=None, is_warning_seen=True))

    def dismiss_warning(self) -> None:
        """Note that the user has called the doctor or hides the warning: no longer at risk."""
        self._change_user(after_dismissal)

    def recover(self) -> None:
        """Note that the user has recovered: no longer positive."""
        self._change_user(after_recovery)

    async def own_data(self) -> OwnData:
        """Return all that the phone knows of its owner, for them to take away."""
        return own_data(self.record, await self._framework.stored(), now=self.clock.now())

    async def delete_everything(self) -> None:
        """Destroy all that is stored on the phone, and begin anew with the onboarding.

        A background session that goes on comes to its end first: what it finds goes too. Where the
        service has ended, the phone goes on to know that.

        Raises:
            StoreError, KeyStoreError: Something is left; it is safe to try again.
        """
        async with self._in_session:
            if self._flow is not None:
                await self._flow.settled()
            self._flow = None
            await self._simulation.close()
            # The keys and what was heard first: as long as anything is left, the App says so.
            await self._framework.delete_everything()
            kept = remains(self.record) if self.ending.has_come else AppRecord()
            self._store.erase()
            self._store.update(lambda _erased: kept)

    async def close(self) -> None:
        """Fall silent and give back radio and files."""
        await self._simulation.close()
        await self._framework.close()
        self._store.close()

    def _reporting(self) -> Reporting:
        return Reporting(
            build=self.build,
            store=self._store,
            framework=self._framework,
            entropy=self._entropy,
            vouchers=self._vouchers,
        )

    def _open_flow(self) -> UploadFlow:
        if self._flow is None or self.ending.has_come:
            raise UploadOrderError("the upload screen is not open")
        # Whoever came back to an upload may have let a simulated one begin meanwhile.
        self._simulation.cancel()
        return self._flow

    def _change_user(self, change: Callable[[UserState], UserState]) -> None:
        self._store.update(
            lambda record: replace(
                record, user=change(record.user), unseen=None, is_warning_seen=True
            )
        )
