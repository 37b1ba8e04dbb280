//! The discovery document and the keys.

use super::Plan;
use crate::support::website::Reply;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_document_says_what_the_server_does() {
    let plan = Plan::start().await;
    let issuer = &plan.website.issuer;
    let reply = plan.website.get("/.well-known/openid-configuration").await.granted();
    assert!(reply.header("content-type").starts_with("application/json"));
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    let document = reply.json.as_object().expect("an object");
    assert_eq!(document["issuer"], issuer.as_str());
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("userinfo_endpoint", "/userinfo"),
        ("jwks_uri", "/jwks"),
        ("revocation_endpoint", "/revoke"),
        ("end_session_endpoint", "/logout"),
    ] {
        assert_eq!(document[name], format!("{issuer}{path}"), "{name}");
    }
    for (name, value) in document {
        match value {
            Value::Array(all) => {
                assert!(!all.is_empty() && all.iter().all(Value::is_string), "{name}: {value}");
            }
            Value::String(text) => assert!(!text.is_empty(), "{name}"),
            _ => assert!(value.is_boolean(), "{name}: {value}"),
        }
    }
    let has =
        |name: &str, value: &str| document[name].as_array().is_some_and(|all| all.contains(&json!(value)));
    assert!(has("scopes_supported", "openid"));
    assert!(has("id_token_signing_alg_values_supported", "RS256"));
    assert!(!has("id_token_signing_alg_values_supported", "none"));
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(document["subject_types_supported"], json!(["public"]));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["request_uri_parameter_supported"], false, "it is true when it is left out");
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);

    // RFC 8414, section 3.1, puts the well-known part before the path.
    for kind in ["openid-configuration", "oauth-authorization-server"] {
        let inserted = format!("{}/.well-known/{kind}/w/shop", plan.website.stave.url);
        assert_eq!(Reply::of(plan.website.http().get(inserted)).await.granted().json, reply.json, "{kind}");
    }
}

#[tokio::test]
async fn the_keys_are_public_and_have_names() {
    let plan = Plan::start().await;
    let reply = plan.website.get("/jwks").await.granted();
    assert!(reply.header("cache-control").contains("max-age="), "{reply:?}");
    let keys = reply.json["keys"].as_array().expect("keys").clone();
    let names: BTreeSet<_> = keys.iter().map(|key| key["kid"].as_str().expect("a name")).collect();
    assert!(!keys.is_empty() && names.len() == keys.len(), "{keys:?}");
    for key in &keys {
        assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&json!("RSA"), &json!("sig"), &json!("RS256")));
        assert!(key["n"].as_str().is_some_and(|n| n.len() >= 342), "2048 bits: {key}");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }

    plan.website.create("other", "http://other.localhost:1").await;
    let others = Reply::of(plan.website.http().get(format!("{}/w/other/jwks", plan.website.stave.url))).await;
    let others = others.granted().json;
    assert!(
        others["keys"].as_array().unwrap().iter().all(|key| !names.contains(key["kid"].as_str().unwrap()))
    );
}
