"""Where we refuse to go."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.spiders.guard import refuse_address, refuse_url

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "fec0::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2002:c0a8:101::1", "168.63.129.16", "192.0.0.192", "192.88.99.1", "100.100.100.200", "3fff::1",
        "::ffff:0:7f00:1", "64:ff9b:1::a00:1", "2001::f5ff:fffe", "ff0e::1", "100::1", "::ffff:168.63.129.16",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert refuse_address(address) is not None


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "104.26.1.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "100.128.0.1"]
)
def test_public_addresses_are_open(address: str) -> None:
    assert refuse_address(address) is None


def test_an_allowed_network_opens_only_itself() -> None:
    assert refuse_address("127.0.0.1", allowed=LOOPBACK) is None
    assert refuse_address("::ffff:127.0.0.1", allowed=LOOPBACK) is None
    for other in ("10.0.0.1", "169.254.169.254", "::1", "192.168.0.1"):
        assert refuse_address(other, allowed=LOOPBACK) is not None


@given(st.ip_addresses())
def test_every_address_has_an_answer(address: object) -> None:
    reason = refuse_address(str(address))
    assert reason is None or "not public" in reason


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://dawn.example/a", "gopher://dawn.example/", "data:text/plain,x", "javascript:1",
        "//dawn.example/a", "http:///a", "http://", "https://user:secret@dawn.example/", "http://dawn.example:8080/",
        "https://dawn.example:80/", "http://dawn.example:443/", "http://dawn.example:99999/", "http://[::1/", "",
        "http://dawn.example/" + "a" * 9000, "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://0177.0.0.1/",
        "http://1.2.3.4.5/", "http://127.0.0.1./", "http://./", "http://../", "http://dawn.example:0/", "http://[::]/",
        "http://[fe80::1%25eth0]/", "http://%31%32%37.0.0.1/", "http://①②⑦.0.0.1/", "http://dawn.example:+80/",
        "http://dawn.example:80:80/", "http://x\\@dawn.example/", "http://foo.localhost./",
    ],
)  # fmt: skip
def test_urls_that_are_refused(url: str) -> None:
    assert refuse_url(url) is not None


def test_a_refusal_tells_no_secret() -> None:
    assert "secret" not in (refuse_url("https://user:secret@dawn.example/") or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://dawn.example/a", "https://dawn.example:443/a", "http://dawn.example:80/", "http://24.kg/",
        "https://xn--e1afmkfd.xn--p1ai/", "http://8.8.8.8/", "http://[2606:4700::1]/",
    ],
)  # fmt: skip
def test_urls_that_are_open(url: str) -> None:
    assert refuse_url(url) is None


def test_the_port_of_the_source_itself_is_open() -> None:
    assert refuse_url("http://dawn.example:8081/a", ports=(8081,)) is None
    assert refuse_url("http://dawn.example:8082/a", ports=(8081,)) is not None
