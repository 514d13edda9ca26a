"""Making accounts, for whoever sets a portal up."""

from contextlib import suppress

from immuni.clock import Clock
from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.portal.accounts.account import AccountExistsError, parse_user
from immuni.portal.accounts.passwords import PasswordKeeper
from immuni.portal.accounts.roles import Role
from immuni.portal.accounts.store import AccountStore
from immuni.portal.audit.trail import AuditTrail


async def create_account(
    pool: Pool,
    trail: AuditTrail,
    *,
    user: str,
    password: str,
    organisation: str,
    role: Role,
    clock: Clock,
    entropy: Entropy,
) -> None:
    """Make an account, and its organisation where that is new.

    Args:
        pool: The portal's database.
        trail: Where it leaves an event.
        user: 2 to 80 characters; capitals do not count.
        password: 12 to 128 characters.
        organisation: The name of the hospital or region.
        role: What the account is for.
        clock: Tells when it was made.
        entropy: Where the password's salt comes from.

    Raises:
        InvalidUserError: The name is not allowed.
        WeakPasswordError: The password is not allowed.
        AccountExistsError: There is one of that name; it was left as it is.
    """
    name = parse_user(user)
    password_hash = await PasswordKeeper(entropy).hash(password, context=[user, organisation])
    added = await AccountStore(pool, trail).add_account(
        user=name,
        password_hash=password_hash,
        organisation=organisation,
        role=role,
        now=clock.now(),
    )
    if not added:
        raise AccountExistsError(f"there is an account {name!r} already")


async def ensure_account(
    pool: Pool,
    trail: AuditTrail,
    *,
    user: str,
    password: str,
    organisation: str,
    role: Role,
    clock: Clock,
    entropy: Entropy,
) -> None:
    """Make an account where there is none of that name; else see that it has this password.

    A password that was changed ends the account's sessions. Organisation and role of an account
    that is there already stay as they are, and one that was closed stays closed.

    Raises:
        InvalidUserError: The name is not allowed.
        WeakPasswordError: The password is not allowed.
    """
    store, passwords = AccountStore(pool, trail), PasswordKeeper(entropy)
    account = await store.account_of_user(parse_user(user))
    if account is None:
        with suppress(AccountExistsError):
            await create_account(
                pool,
                trail,
                user=user,
                password=password,
                organisation=organisation,
                role=role,
                clock=clock,
                entropy=entropy,
            )
    elif not await passwords.verify(account.password_hash, password):
        password_hash = await passwords.hash(password, context=[user, organisation])
        await store.change_password(account.id, password_hash, now=clock.now())
