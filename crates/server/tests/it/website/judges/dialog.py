"""How a judge and the test that called it talk: JSON, one line each way. The test plays the visitor at the browser."""

import json
import sys


def task():
    """What the test told: addresses, client id and secret."""
    return json.loads(sys.argv[1])


def _ask(question):
    print(json.dumps(question), flush=True)
    return json.loads(sys.stdin.readline())


def sign_in(url):
    """The visitor opens an address, is asked who they are, and signs in: the address at which they are then."""
    return _ask({"sign_in": url})["url"]


def visit(url):
    """The visitor opens an address and answers nothing: the address at which they are then, and what they read."""
    page = _ask({"visit": url})
    return page["url"], page["text"]


def verdict(**findings):
    """What the judge found; nothing follows."""
    print(json.dumps({"verdict": findings}), flush=True)


def refused(kind, act):
    """The name of the refusal of an act that must not work."""
    try:
        act()
    except kind as refusal:
        return getattr(refusal, "error", None) or type(refusal).__name__
    raise AssertionError("this should have been refused")
