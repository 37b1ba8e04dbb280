"""Two servers that Stave's authors did not write look at signed requests: oauthlib and Authlib.

Each line of standard input is a request as JSON: method, url, headers, body (a text or null), public_key (PEM).
Each line of standard output is what they make of it: {"oauthlib": {"valid": .., "base_string": ..}, "authlib": {..}}.
A request that one of them cannot even read has no base string there, but a "reason".
"""

import json
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP is signed like HTTPS

from authlib.oauth1.rfc5849.base_server import BaseServer
from authlib.oauth1.rfc5849.errors import OAuth1Error
from authlib.oauth1.rfc5849.signature import generate_signature_base_string
from authlib.oauth1.rfc5849.wrapper import OAuth1Request
from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint
from oauthlib.oauth1.rfc5849 import signature

# The instants in the tests are fixed, so the age of a request does not count.
ANY_AGE = 10**11


class Oauthlib(RequestValidator):
    """A server that knows one consumer, whatever it is called, by its public key."""

    enforce_ssl = False
    allowed_signature_methods = ("RSA-SHA1",)
    timestamp_lifetime = ANY_AGE
    dummy_client = "nobody"

    def __init__(self, public_key):
        super().__init__()
        self.public_key = public_key

    def check_client_key(self, client_key):
        return True

    def check_nonce(self, nonce):
        return True

    def validate_timestamp_and_nonce(self, *_, **__):
        return True

    def validate_client_key(self, client_key, request):
        return True

    def get_rsa_key(self, client_key, request):
        return self.public_key

    def judge(self, method, url, headers, body):
        valid, request = SignatureOnlyEndpoint(self).validate_request(url, method, body, headers)
        if request is None:
            return {"valid": valid, "reason": "unreadable"}
        base_string = signature.signature_base_string(
            request.http_method,
            signature.base_string_uri(request.uri),
            signature.normalize_parameters(request.params),
        )
        return {"valid": valid, "base_string": base_string}


class Authlib(BaseServer):
    """The same server, by other people."""

    SUPPORTED_SIGNATURE_METHODS = ["RSA-SHA1"]
    EXPIRY_TIME = None

    def __init__(self, public_key):
        self.public_key = public_key

    def get_rsa_public_key(self):
        return self.public_key

    def exists_nonce(self, nonce, request):
        return False

    def judge(self, method, url, headers, body):
        request = OAuth1Request(method, url, body, headers)
        request.client = self
        base_string = generate_signature_base_string(request)
        try:
            self.validate_timestamp_and_nonce(request)
            self.validate_oauth_signature(request)
        except OAuth1Error as error:
            return {"valid": False, "base_string": base_string, "reason": error.error}
        return {"valid": True, "base_string": base_string}


def opinion(judge, case):
    try:
        return judge(case["public_key"]).judge(case["method"], case["url"], case["headers"], case["body"])
    except ValueError as error:
        return {"valid": False, "reason": str(error)}


for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"oauthlib": opinion(Oauthlib, case), "authlib": opinion(Authlib, case)}), flush=True)
