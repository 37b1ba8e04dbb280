"""pyoidc as a website's server: what it finds wrong with the discovery document, and the code flow as it does it."""

import requests
from dialog import sign_in, task, verdict
from oic import rndstr
from oic.oic import Client
from oic.oic.message import AuthorizationResponse, ProviderConfigurationResponse, RegistrationResponse
from oic.utils.authn.client import CLIENT_AUTHN_METHOD

task = task()
issuer = task["issuer"]


def discovery_is_sound():
    """pyoidc insists on https, and rightly so: on this machine the same document is held up as one of https."""
    text = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5).text
    document = ProviderConfigurationResponse().from_json(text.replace("http://", "https://"))
    return document.verify()


client = Client(client_authn_method=CLIENT_AUTHN_METHOD)
# With the same issuer: pyoidc compares the document's with the address that it was asked for.
client.provider_config(issuer)
client.store_registration_info(
    RegistrationResponse(
        client_id=task["client_id"], client_secret=task["client_secret"], redirect_uris=[task["redirect_uri"]]
    )
)
client.redirect_uris = [task["redirect_uri"]]

state, nonce = rndstr(32), rndstr(32)
request = client.construct_AuthorizationRequest(
    request_args={
        "client_id": task["client_id"],
        "response_type": "code",
        "scope": ["openid", "profile", "email"],
        "redirect_uri": task["redirect_uri"],
        "state": state,
        "nonce": nonce,
    }
)
back = sign_in(request.request(client.authorization_endpoint))
answer = client.parse_response(AuthorizationResponse, info=back.split("?", 1)[1], sformat="urlencoded")
assert answer["state"] == state, answer
assert answer["iss"] == issuer, answer
tokens = client.do_access_token_request(
    state=state,
    request_args={"code": answer["code"], "redirect_uri": task["redirect_uri"]},
    authn_method="client_secret_basic",
)
assert "error" not in tokens, tokens
claims = tokens["id_token"].to_dict()
assert claims["nonce"] == nonce, claims
user = client.do_user_info_request(method="GET", state=state)
assert user["sub"] == claims["sub"], (user, claims)
verdict(discovery=discovery_is_sound(), claims=claims, user=user.to_dict())
