"""Is it really they? Name and password against the accounts, under the throttle."""

from datetime import timedelta

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account, same_user
from immuni.portal.accounts.store import AccountStore
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.signing_in.session import CookieSecret
from immuni.portal.signing_in.store import SessionStore
from immuni.portal.signing_in.throttle import KNOWN_BROWSER_LIFETIME, Attempt, Throttle


class SignInRefusedError(ImmuniError, PermissionError):
    """Name or password is wrong, or the account is closed; nobody is told which."""


class TooManyAttemptsError(ImmuniError, PermissionError):
    """This attempt was not looked at, because too many before it failed.

    Attributes:
        wait: How long until the next one will be.
    """

    def __init__(self, wait: timedelta) -> None:
        """Say how long to wait."""
        super().__init__(f"too many failed attempts, wait {wait}")
        self.wait = wait


class Authenticator:
    """Decides who is who, and remembers the browsers in which it was so."""

    def __init__(self, desk: Desk) -> None:
        """Start with nobody counted as guessing."""
        self._accounts = AccountStore(desk.pool, desk.trail)
        self._browsers = SessionStore(desk.pool, desk.trail)
        self._trail = desk.trail
        self._passwords = desk.passwords
        self._throttle = Throttle(clock=desk.clock, entropy=desk.entropy)
        self._clock = desk.clock
        self._entropy = desk.entropy

    async def authenticate(
        self,
        *,
        user: str,
        password: str,
        source: str,
        browser: CookieSecret | None,
        action: Action = Action.SIGN_IN,
    ) -> Account:
        """Return the account whose name and password these are.

        Args:
            user: As it was typed.
            password: As it was typed.
            source: The subscriber from whose address the request came.
            browser: The mark that an earlier sign-in left in this browser, if any.
            action: What a refusal is called in the audit trail.

        Raises:
            SignInRefusedError: They belong to no active account; that is in the audit trail.
            TooManyAttemptsError: Too many before it failed.
            PasswordsBusyError: Too many sign in at this moment; none of them was looked at.
        """
        name = same_user(user)
        attempt = Attempt(name, source, await self._mark(browser, name))
        if (wait := self._throttle.admit(attempt)) is not None:
            raise TooManyAttemptsError(wait)
        account = await self._accounts.account_of_user(name)
        fits = await self._passwords.verify(account.password_hash if account else None, password)
        if account is None or not fits:
            await self._trail.record(
                Event(
                    at=self._clock.now(),
                    action=action,
                    outcome=Outcome.REFUSED,
                    account_id=account.id if account else None,
                )
            )
            raise SignInRefusedError("name or password is wrong")
        self._throttle.forgive(attempt)
        return account

    async def _mark(self, browser: CookieSecret | None, user: str) -> bytes | None:
        if browser is None:
            return None
        since = self._clock.now() - KNOWN_BROWSER_LIFETIME
        known = await self._browsers.knows_browser(browser.hash, user, since=since)
        return browser.hash if known else None
