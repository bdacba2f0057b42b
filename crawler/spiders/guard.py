"""Where we refuse to go: schemes, ports and addresses. Pure.

A URL is looked at before each hop; an address when a socket to it is about to be made, which no name server, redirect
or odd spelling of 127.0.0.1 gets around.
"""

from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL = 8_000  # characters; servers refuse longer ones, and so do proxies

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
# What `ipaddress` takes for public, at least in some versions of Python, and is no place for a site: assignments to
# protocols (Oracle's metadata among them), the old relays of 6to4, Azure's metadata, documentation.
_NO_PLACE = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
    IPv6Network("3fff::/20"),
)


def refuse_url(
    url: str, *, ports: Collection[int] = (), allowed: Sequence[IPv4Network | IPv6Network] = ()
) -> str | None:
    """Why a URL may not be fetched, or None. `ports`: allowed beside the scheme's own (those of the source itself);
    `allowed`: networks that are exempt where an address stands for the host. Through a proxy nobody else looks at it.
    """
    if len(url) > MAX_URL:
        return f"a URL of {len(url)} characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"no URL: {error}"
    if parts.scheme not in DEFAULT_PORTS:
        return f"scheme {parts.scheme[:20] or 'missing'!r} is refused"
    if not parts.hostname:
        return "no host in the URL"
    if _is_odd_number(parts.hostname):
        return f"{parts.hostname[:60]!r} is an odd spelling of an address"
    if parts.username is not None or parts.password is not None:
        return "a URL with a user name is refused"
    if port is not None and port != DEFAULT_PORTS[parts.scheme] and port not in ports:
        return f"port {port} is refused"
    name = parts.hostname.rstrip(".")
    if not name:
        return "no host in the URL"
    if name == "localhost" or name.endswith(".localhost"):
        name = "127.0.0.1"
    try:
        return refuse_address(name, allowed=allowed)
    except ValueError:
        return None  # a name: its addresses are looked at when it is connected to


def _is_odd_number(host: str) -> bool:
    """``2130706433``, ``0x7f.1``: what the resolver takes for an address and nobody writes in good faith."""
    last = host.rstrip(".").rsplit(".", 1)[-1]
    if ":" in host or not (last.isdigit() or last.startswith("0x")):
        return False
    try:
        return not ip_address(host)
    except ValueError:
        return True


def refuse_address(text: str, *, allowed: Sequence[IPv4Network | IPv6Network] = ()) -> str | None:
    """Why no connection to an IP address may be made, or None. `allowed`: networks that are exempt."""
    address = ip_address(text.split("%", 1)[0])
    inner = _inner(address)
    faces = (address,) if inner is None else (address, inner)
    if any(face.version == network.version and face in network for face in faces for network in allowed):
        return None
    if not _is_public(faces[-1]):
        return f"address {address} is not public"
    return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    # is_global leaves out private, loopback, link-local, shared (100.64/10), documentation and most reserved space.
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not (isinstance(address, IPv6Address) and address.is_site_local)
        and not any(network.version == address.version and address in network for network in _NO_PLACE)
    )


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
