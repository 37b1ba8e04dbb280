"""PyJWT and joserfc as judges of signatures: each line on the standard input has a token, its keys and who it is for; each answer has
the claims and the header, or why the token is not to be trusted. Both have to say the same."""

import json
import sys

import jwt
from joserfc import jwt as jose
from joserfc.jwk import KeySet


def by_pyjwt(case):
    header = jwt.get_unverified_header(case["token"])
    key = jwt.PyJWKSet.from_dict(case["keys"])[header["kid"]]
    required = {"require": ["iss", "sub", "aud", "exp", "iat"]}
    return header, jwt.decode(
        case["token"], key, algorithms=["RS256"], audience=case["audience"], issuer=case["issuer"], options=required
    )


def by_joserfc(case):
    return jose.decode(case["token"], KeySet.import_key_set(case["keys"]), algorithms=["RS256"]).claims


for line in sys.stdin:
    case = json.loads(line)
    try:
        header, claims = by_pyjwt(case)
        assert claims == by_joserfc(case), "the judges differ"
        answer = {"claims": claims, "header": header}
    except Exception as error:  # whatever it is, the token is not to be trusted
        answer = {"problem": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
