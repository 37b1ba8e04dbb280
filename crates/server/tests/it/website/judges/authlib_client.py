"""Authlib as a website's server: the code flow with PKCE and HTTP Basic, the claims of the ID token, refresh, revocation."""

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken, UserInfo
from dialog import refused, sign_in, task, verdict, visit
from joserfc import jwt
from joserfc.jwk import KeySet

task = task()
issuer = task["issuer"]
provider = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5).json()
keys = KeySet.import_key_set(requests.get(provider["jwks_uri"], timeout=5).json())


def session(**more):
    return OAuth2Session(
        task["client_id"],
        task["client_secret"],
        redirect_uri=task["redirect_uri"],
        scope="openid profile email groups offline_access",
        token_endpoint=provider["token_endpoint"],
        revocation_endpoint_auth_method="client_secret_basic",
        code_challenge_method="S256",
        **more,
    )


def claims_of(tokens, nonce=None):
    """The claims, after Authlib found nothing wrong with them."""
    token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    options = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": task["client_id"]}}
    params = {"nonce": nonce, "client_id": task["client_id"], "access_token": tokens["access_token"], "max_age": 600}
    claims = CodeIDToken(token.claims, token.header, options, params)
    claims.validate(leeway=0)
    return claims


oauth = session()
verifier, nonce = generate_token(64), generate_token(20)
url, state = oauth.create_authorization_url(
    provider["authorization_endpoint"], code_verifier=verifier, nonce=nonce, max_age=600
)
back = sign_in(url)
tokens = oauth.fetch_token(authorization_response=back, state=state, code_verifier=verifier)
claims = claims_of(tokens, nonce)

user = UserInfo(oauth.get(provider["userinfo_endpoint"]).json())
assert user.sub == claims["sub"], (user, claims)

# The same browser again: no question is asked, and without the verifier the code is worth nothing.
url, state = oauth.create_authorization_url(provider["authorization_endpoint"], code_verifier=verifier)
back, _ = visit(url)
without_verifier = refused(OAuthError, lambda: session(state=state).fetch_token(authorization_response=back))

renewed = oauth.refresh_token(provider["token_endpoint"], refresh_token=tokens["refresh_token"])
assert renewed["refresh_token"] != tokens["refresh_token"], "a refresh token is replaced when it is used"
assert claims_of(renewed)["auth_time"] == claims["auth_time"]

revoked = oauth.revoke_token(provider["revocation_endpoint"], token=renewed["refresh_token"])
assert revoked.status_code == 200, revoked.text
after = refused(OAuthError, lambda: oauth.refresh_token(provider["token_endpoint"], refresh_token=renewed["refresh_token"]))

wrong = OAuth2Session(task["client_id"], "wrong", token_endpoint=provider["token_endpoint"])
stranger = refused(OAuthError, lambda: wrong.fetch_token(code="x", redirect_uri=task["redirect_uri"]))

verdict(claims=dict(claims), user=dict(user), without_verifier=without_verifier, after_revocation=after, stranger=stranger)
