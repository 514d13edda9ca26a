"""The onboarding: one page a step, always the next one that is open."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.api import Province, UnknownProvinceError
from immuni.app.onboarding import steps_for
from immuni.app.pages.answers import go_to, read_form
from immuni.app.pages.screens import Screens
from immuni.app.record import OnboardingStep

_WELCOME_PAGES: Final = 4
_ABROAD: Final = "abroad"
_CONSENTS: Final = ("age", "notice", "terms")


@dataclass(frozen=True, slots=True)
class OnboardingPages:
    """The steps from the first start to the home screen."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/onboarding/{step}", self.show),
            Route("/onboarding/{step}", self.answer, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the step that is next; any other leads to it."""
        step = self._asked_for(request)
        return go_to("/") if step is None else self._page(request, step)

    async def answer(self, request: Request) -> Response:
        """Take the user's answer to the step that is next."""
        step = self._asked_for(request)
        if step is None:
            return go_to("/")
        match step:
            case OnboardingStep.PRIVACY:
                return await self._consent(request)
            case OnboardingStep.PROVINCE:
                return await self._choose_province(request)
            case OnboardingStep.EXPOSURE_NOTIFICATIONS:
                return await self._permit(request)
            case OnboardingStep.BLUETOOTH:
                # The home page looks whether it is on by now.
                return go_to("/")
            case _:
                self.screens.phone.complete(step)
                return go_to("/")

    def _asked_for(self, request: Request) -> OnboardingStep | None:
        step = self.screens.phone.next_onboarding_step()
        return step if step is not None and request.path_params["step"] == step else None

    def _page(self, request: Request, step: OnboardingStep, **values: object) -> Response:
        steps = steps_for(self.screens.phone.build.platform)
        progress = {"number": steps.index(step) + 1, "count": len(steps)}
        template, own = self._content(request, step)
        return self.screens.show(
            request, f"onboarding/{template}.html", progress=progress, **own | values
        )

    def _content(self, request: Request, step: OnboardingStep) -> tuple[str, dict[str, object]]:
        """Return the template of a step and what it needs."""
        match step:
            case OnboardingStep.WELCOME:
                return "welcome", {"number": _page_number(request)}
            case OnboardingStep.PRIVACY:
                return "privacy", {"is_incomplete": False}
            case OnboardingStep.PROVINCE:
                return self._places(request)
            case OnboardingStep.EXPOSURE_NOTIFICATIONS:
                return str(step), {"is_refused": False}
            case _:
                return str(step), {}

    def _places(self, request: Request) -> tuple[str, dict[str, object]]:
        """Ask for the region first, then for the province where it has more than one."""
        chosen = request.query_params.get("region", "")
        regions = {each.region: each.provinces for each in self.screens.territory.regions}
        if chosen == _ABROAD:
            return "single_place", {"province": Province(self.screens.territory.abroad, "")}
        if chosen not in regions:
            return "region", {"regions": list(regions)}
        provinces = regions[chosen]
        if len(provinces) == 1:
            return "single_place", {"province": provinces[0]}
        return "province", {"region": chosen, "provinces": provinces}

    async def _consent(self, request: Request) -> Response:
        form = await read_form(request)
        if not all(form.get(name) == "yes" for name in _CONSENTS):
            return self._page(request, OnboardingStep.PRIVACY, is_incomplete=True)
        self.screens.phone.complete(OnboardingStep.PRIVACY)
        return go_to("/")

    async def _choose_province(self, request: Request) -> Response:
        form = await read_form(request)
        try:
            province = self.screens.territory.parse(form.get("province", ""))
        except UnknownProvinceError:
            return self._page(request, OnboardingStep.PROVINCE)
        self.screens.phone.choose_province(province)
        self.screens.phone.complete(OnboardingStep.PROVINCE)
        return go_to("/")

    async def _permit(self, request: Request) -> Response:
        await self.screens.phone.switch_on()
        if self.screens.phone.next_onboarding_step() is OnboardingStep.EXPOSURE_NOTIFICATIONS:
            return self._page(request, OnboardingStep.EXPOSURE_NOTIFICATIONS, is_refused=True)
        return go_to("/")


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    is_page = text.isascii() and text.isdecimal() and 1 <= int(text) <= _WELCOME_PAGES
    return int(text) if is_page else 1
