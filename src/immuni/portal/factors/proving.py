"""Is it really they, once more? Codes and passkeys against what the account has set up."""

from datetime import datetime, timedelta
from typing import NoReturn

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.store import AccountStore
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.factors import recovery, totp
from immuni.portal.factors.app_store import AppStore
from immuni.portal.factors.challenges import ChallengeError, Challenges, Purpose, mark_of
from immuni.portal.factors.keys import FactorKeys
from immuni.portal.factors.passkey_store import Passkey, PasskeyStore
from immuni.portal.factors.passkeys import Answer, PasskeyError, Passkeys
from immuni.portal.factors.store import FactorStore
from immuni.portal.signing_in.authentication import TooManyAttemptsError
from immuni.portal.signing_in.session import CookieSecret, Proof
from immuni.portal.signing_in.store import SessionStore
from immuni.portal.signing_in.throttle import KNOWN_BROWSER_LIFETIME, Attempt, Throttle


class ProofRefusedError(ImmuniError, PermissionError):
    """What was shown is no proof; that is in the audit trail."""


class SecondFactors:
    """Takes codes and passkeys, under a throttle that nobody can turn against somebody else.

    Codes of an app could be guessed by whoever has the password. A browser in which the account
    signed in before counts for itself alone; others count together, and when they have guessed
    enough no code from such a browser is looked at for a day, while passkeys and recovery codes,
    which nobody can guess, go on working everywhere.
    """

    def __init__(self, desk: Desk, keys: FactorKeys) -> None:
        """Start with nobody counted as guessing."""
        self.keys = keys
        self.store = FactorStore(desk.pool, desk.trail)
        self.apps = AppStore(desk.pool, desk.trail)
        self.passkey_store = PasskeyStore(desk.pool, desk.trail)
        self.passkeys = Passkeys(desk.site)
        self.challenges = Challenges(keys, clock=desk.clock, entropy=desk.entropy)
        self._accounts = AccountStore(desk.pool, desk.trail)
        self._browsers = SessionStore(desk.pool, desk.trail)
        self._throttle = Throttle(clock=desk.clock, entropy=desk.entropy)
        self._trail = desk.trail
        self._clock = desk.clock
        self._entropy = desk.entropy

    async def prove_code(
        self, account: Account, typed: str, *, source: str, browser: CookieSecret | None
    ) -> Proof:
        """Take a code of the account's app, or one of its recovery codes.

        Args:
            account: Who has shown the password.
            typed: As it was typed; spaces and dashes do not count.
            source: The subscriber from whose address the request came.
            browser: The mark of the browser.

        Raises:
            ProofRefusedError: The code is wrong, or was used before.
            TooManyAttemptsError: Too many before it were wrong.
            LostFactorKeyError: The key that opens the app's secret is gone.
        """
        code = recovery.bare(typed)
        known = browser is not None and await self._browsers.knows_browser(
            browser.hash, account.user, since=self._clock.now() - KNOWN_BROWSER_LIFETIME
        )
        if not totp.is_code(code):
            await self._prove_recovery_code(account, code, source, browser)
            return Proof.RECOVERY_CODE
        mark = browser.hash if known and browser else None
        await self._prove_app_code(account, code, Attempt(account.user, source, mark))
        return Proof.TOTP

    async def prove_passkey(
        self,
        text: str,
        purpose: Purpose,
        browser: CookieSecret | None,
        *,
        account: Account | None = None,
    ) -> Account:
        """Take the answer of a passkey, and return whose it is.

        Args:
            text: The browser's answer, as JSON.
            purpose: What its challenge was made for.
            browser: The mark of the browser.
            account: Whose it has to be; anybody's where nobody is known yet.

        Raises:
            ProofRefusedError: It is no proof, or of a challenge that was used or has expired.
        """
        try:
            answer = self.passkeys.read(text)
            until = self.challenges.check(
                answer.challenge, purpose, browser, account_id=account.id if account else 0
            )
        except (PasskeyError, ChallengeError) as error:
            # Anybody can send such a form: it must not fill the audit trail.
            raise ProofRefusedError("the passkey was refused") from error
        passkey = await self.passkey_store.passkey_of(answer.credential_id)
        if passkey is None or (account is not None and passkey.account_id != account.id):
            raise ProofRefusedError("there is no such passkey")
        owner = account or await self._accounts.account_of_id(passkey.account_id)
        if owner is None or not await self._answers(answer, passkey, until):
            action = Action.PROOF if account else Action.SIGN_IN
            await self._refuse(passkey.account_id, Proof.PASSKEY, action)
        return owner

    async def _answers(self, answer: Answer, passkey: Passkey, until: datetime) -> bool:
        """Tell whether a passkey signed a challenge that was not used before, and note its use."""
        try:
            count = self.passkeys.verify(answer, passkey)
        except PasskeyError:
            return False
        return await self.passkey_store.use_passkey(
            passkey, count, mark_of(answer.challenge), until, now=self._clock.now()
        )

    async def _prove_app_code(self, account: Account, code: str, attempt: Attempt) -> None:
        if (app := await self.apps.app_of(account.id)) is None:
            await self._refuse(account.id, Proof.TOTP)
        else:
            await self._admit(account, attempt)
            secret = self.keys.open(app.sealed, account_id=account.id)
            step = totp.step_of(secret, code, now=self._clock.now())
            if step is None or not await self.apps.take_step(account.id, step):
                await self._refuse(account.id, Proof.TOTP)
            self._throttle.forgive(attempt)
            if attempt.browser is None:
                await self.apps.forgive_strange(account.id)
            if app.sealed.key_id != self.keys.current_id:
                sealed = self.keys.seal(secret, account_id=account.id, entropy=self._entropy)
                await self.apps.reseal(account.id, sealed)

    async def _prove_recovery_code(
        self, account: Account, code: str, source: str, browser: CookieSecret | None
    ) -> None:
        # Nobody can guess one: the brake only keeps a browser from filling the audit trail.
        attempt = Attempt(account.user, source, browser.hash if browser else b"")
        self._wait(self._throttle.admit(attempt))
        spent = await self.store.spend_recovery_code(
            account.id, recovery.hash_of(code), now=self._clock.now()
        )
        if not spent:
            await self._refuse(account.id, Proof.RECOVERY_CODE)
        self._throttle.forgive(attempt)

    async def _admit(self, account: Account, attempt: Attempt) -> None:
        self._wait(self._throttle.admit(attempt))
        if attempt.browser is None:
            self._wait(await self.apps.admit_strange(account.id, now=self._clock.now()))

    def _wait(self, wait: timedelta | None) -> None:
        if wait:
            raise TooManyAttemptsError(wait)

    async def _refuse(
        self, account_id: int, proof: Proof, action: Action = Action.PROOF
    ) -> NoReturn:
        event = Event(
            at=self._clock.now(),
            action=action,
            outcome=Outcome.REFUSED,
            account_id=account_id,
            detail={"proof": proof},
        )
        await self._trail.record(event)
        raise ProofRefusedError("what was shown is no proof")
