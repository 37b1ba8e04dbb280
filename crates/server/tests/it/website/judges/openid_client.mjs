// openid-client as a website's server: the strictest of the judges. It compares `iss`, `state`, `nonce` and every claim by itself.
import * as oidc from "openid-client";
import { createInterface } from "node:readline";

const task = JSON.parse(process.argv[1]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// The test plays the visitor at the browser: where is it then?
async function ask(question) {
    console.log(JSON.stringify(question));
    return JSON.parse((await lines.next()).value);
}
const signIn = async (url) => new URL((await ask({ sign_in: url.href })).url);
const visit = async (url) => new URL((await ask({ visit: url.href })).url);

// The error code of what must not work.
async function refused(act) {
    try {
        await act();
    } catch (refusal) {
        return refusal.error ?? refusal.cause?.message ?? refusal.message;
    }
    throw new Error("this should have been refused");
}

const options = { execute: [oidc.allowInsecureRequests] };
const config = await oidc.discovery(new URL(task.issuer), task.client_id, task.client_secret, undefined, options);

// A request, and how its answer has to be.
async function request(more = {}) {
    const verifier = oidc.randomPKCECodeVerifier();
    const checks = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
    const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: task.redirect_uri,
        scope: "openid profile email groups offline_access",
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state: checks.expectedState,
        nonce: checks.expectedNonce,
        ...more,
    });
    return { url, checks };
}

const first = await request();
const back = await signIn(first.url);
const redeem = (url, checks) => oidc.authorizationCodeGrant(config, url, { ...checks, idTokenExpected: true });

// What an attacker would change on the way back.
const changed = (name, value) => {
    const url = new URL(back);
    value === undefined ? url.searchParams.delete(name) : url.searchParams.set(name, value);
    return refused(() => redeem(url, first.checks));
};
const mixedUp = {
    changed_iss: await changed("iss", "https://evil.example"),
    missing_iss: await changed("iss"),
    changed_state: await changed("state", "another"),
};

const tokens = await redeem(back, first.checks);
const claims = tokens.claims();
const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);

// Signed in already: nothing is asked.
const silent = await request({ prompt: "none", id_token_hint: tokens.id_token, max_age: "600" });
const again = await redeem(await visit(silent.url), { ...silent.checks, maxAge: 600 });

const goodbye = await visit(
    oidc.buildEndSessionUrl(config, {
        id_token_hint: renewed.id_token ?? tokens.id_token,
        post_logout_redirect_uri: task.post_logout_uri,
        state: "bye",
    }),
);
const late = await request({ prompt: "none" });
const lateAnswer = await visit(late.url);

const verdict = {
    ...mixedUp,
    claims,
    user,
    is_rotated: renewed.refresh_token !== tokens.refresh_token,
    same_person: again.claims().sub === claims.sub && again.claims().auth_time === claims.auth_time,
    goodbye: goodbye.href,
    after_logout: {
        silent: await refused(() => redeem(lateAnswer, late.checks)),
        refresh: await refused(() => oidc.refreshTokenGrant(config, renewed.refresh_token)),
        user: await refused(() => oidc.fetchUserInfo(config, renewed.access_token, claims.sub)),
    },
};
console.log(JSON.stringify({ verdict }));
process.exit(0);
