"""The links that open the Apps of the virtual phones, and the page of their world."""

from immuni.app.pages.entrance import link_to
from immuni.app.secret import InstallationSecret
from immuni.deployment.installation_secret import kept_secret
from immuni.deployment.layout import Layout
from immuni.deployment.roles import Ports
from immuni.deployment.settings import phone_name, phone_url, world_url
from immuni.entropy import SystemEntropy


def phone_secret(number: int, layout: Layout) -> InstallationSecret:
    """Return the secret of phone `number`, counted from 0; it is made where it is missing."""
    return kept_secret(layout.phone_secret(phone_name(number)), SystemEntropy())


def phone_link(number: int, ports: Ports, layout: Layout) -> str:
    """Return the link that opens the App of phone `number`, counted from 0.

    Its secret lies behind the ``#``. In a frame of the world's page it opens the phone as well.
    """
    return link_to(phone_url(number, ports), phone_secret(number, layout))


def world_secret(layout: Layout) -> InstallationSecret:
    """Return the secret of the world's page; it is made where it is missing."""
    return kept_secret(layout.phone_secret("world"), SystemEntropy())


def world_link(ports: Ports, layout: Layout) -> str:
    """Return the link that opens the world's page, and with it both phones."""
    return link_to(world_url(ports), world_secret(layout))
