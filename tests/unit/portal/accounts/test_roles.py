from immuni.portal.accounts.roles import Permission, Role


def allowing(permission: Permission) -> list[Role]:
    return [role for role in Role if permission in role.permissions]


def test_those_who_talk_to_people_may_authorise() -> None:
    assert allowing(Permission.AUTHORISE) == [Role.OPERATOR, Role.SUPERVISOR]


def test_nobody_both_acts_and_audits() -> None:
    assert allowing(Permission.READ_AUDIT) == [Role.AUDITOR]
    assert Role.AUDITOR.permissions == {Permission.BE_HERE, Permission.READ_AUDIT}


def test_what_phones_are_told_is_for_administrators_alone() -> None:
    assert allowing(Permission.MANAGE_SETTINGS) == [Role.ADMINISTRATOR]


def test_everybody_is_let_in_and_nothing_is_for_nobody() -> None:
    assert allowing(Permission.BE_HERE) == list(Role)
    assert all(allowing(permission) for permission in Permission)
