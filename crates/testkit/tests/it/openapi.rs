//! Every kind of answer of the fake, held against Bitbucket's published description (`../openapi/README.md`).

use crate::description::{Asked, Asker, Description, named, validator};
use jsonschema::Validator;
use serde_json::{Value, json};
use stave_testkit::{Email, FakeBitbucket, Fault, Level, samples};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Fields that are null in practice although the description does not say so: schema, field.
const NULL_IN_PRACTICE: [(&str, &str); 6] = [
    ("repository", "mainbranch"),
    ("repository", "parent"),
    ("tag", "message"),
    ("tag", "date"),
    ("tag", "tagger"),
    ("user", "has_2fa_enabled"),
];

struct Cloud {
    document: Value,
    validators: BTreeMap<String, Validator>,
}

impl Cloud {
    fn read() -> Self {
        let text = include_str!("../openapi/bitbucket-cloud.excerpt.json");
        let mut document: Value = serde_json::from_str(text).unwrap();
        for (schema, field) in NULL_IN_PRACTICE {
            let own = &mut document["components"]["schemas"][schema]["allOf"][1]["properties"][field];
            let described = own.take();
            *own = json!({"anyOf": [{"type": "null"}, described]});
        }
        for link in ["branches", "tags", "source"] {
            let links =
                &mut document["components"]["schemas"]["repository"]["allOf"][1]["properties"]["links"];
            links["properties"][link] = json!({"$ref": "#/components/schemas/link"});
        }
        for subject in ["repository", "workspace"] {
            // The document's own example has `links` around `events`.
            let described = &mut document["components"]["schemas"]["subject_types"]["properties"][subject];
            *described =
                json!({"type": "object", "required": ["links"], "properties": {"links": described.take()}});
        }
        // In practice an object where a scope is missing, a text elsewhere.
        document["components"]["schemas"]["error"]["properties"]["error"]["properties"]["detail"] = json!({});
        let names = document["components"]["schemas"].as_object().unwrap().keys().cloned();
        let validators = names.map(|name| (name.clone(), validator(&document, &named(&name)))).collect();
        Self { document, validators }
    }

    /// The schema of an answer, if it has one.
    fn schema(&self, asked: &Asked<'_>) -> Option<&str> {
        let Asked { method, operation, status, .. } = *asked;
        let responses = &self.document["paths"][operation][method]["responses"];
        let answer =
            responses.get(status.to_string()).or(if status >= 400 { responses.get("default") } else { None });
        let schema = answer
            .and_then(|answer| answer["content"].as_object()?.values().next()?["schema"]["$ref"].as_str());
        let schema = schema.or(if status >= 400 { Some("/error") } else { None });
        schema.map(|schema| schema.rsplit('/').next().unwrap())
    }

    fn problems_of_parts(&self, part: &Value) -> Vec<String> {
        let kind = part["type"].as_str().filter(|kind| self.validators.contains_key(*kind));
        let mut problems = kind.map(|kind| self.problems_of(kind, part)).unwrap_or_default();
        match part {
            Value::Array(items) => {
                problems.extend(items.iter().flat_map(|item| self.problems_of_parts(item)));
            }
            Value::Object(object) => {
                problems.extend(object.values().flat_map(|value| self.problems_of_parts(value)));
            }
            _ => {}
        }
        problems
    }

    fn problems_of(&self, schema: &str, part: &Value) -> Vec<String> {
        let errors = self.validators[schema].iter_errors(part);
        errors.map(|error| format!("no {schema}: {}: {error}", error.instance_path)).collect()
    }
}

impl Description for Cloud {
    const OPEN: &'static [&'static str] = &["{path}", "{name}", "{revision}"];
    const REFUSALS_COUNT: bool = true;

    fn document(&self) -> &Value {
        &self.document
    }

    /// Of the answer as a whole, and of every object in it by what its `type` says it is.
    fn problems(&self, asked: &Asked<'_>, answer: &Value) -> Vec<String> {
        // What a file's description looks like is told by its `type` only.
        let schema = self.schema(asked).filter(|_| !asked.path.contains("format=meta"));
        let whole = schema.into_iter().flat_map(|schema| self.problems_of(schema, answer));
        let problems: BTreeSet<String> = whole.chain(self.problems_of_parts(answer)).collect();
        problems.into_iter().collect()
    }
}

const SCOPES: [&str; 8] =
    ["account", "email", "team", "project", "repository", "repository:admin", "webhook", "pullrequest"];

/// Acme with the samples and an empty repository; ada owns it, grace is a member.
async fn start() -> FakeBitbucket {
    let bitbucket = FakeBitbucket::start().await;
    let acme = bitbucket.workspace("acme");
    acme.owner("ada").member("grace");
    for (name, make) in samples::ALL {
        acme.repository(name).push(make);
    }
    acme.repository("empty").grant("linus", Level::Read);
    bitbucket.workspace("globex").member("ada");
    let emails = [Email::primary("ada@example.com"), Email::unconfirmed("old@example.com")];
    bitbucket.user("ada").emails(&emails);
    bitbucket
}

/// Asked by ada, an owner, with every scope; `{ada}`, `{acme}` and `{mailer}` stand for uuids.
const AS_OWNER: [(&str, u16); 64] = [
    ("GET /user", 200),
    ("GET /user/emails", 200),
    ("GET /user/emails?pagelen=1&page=2", 200),
    ("GET /user/emails/ada@example.com", 200),
    ("GET /user/emails/other@example.com", 404),
    ("GET /user/workspaces", 200),
    ("GET /user/workspaces?pagelen=1", 200),
    ("GET /user/workspaces?pagelen=1&page=2", 200),
    ("GET /user/workspaces?administrator=true", 200),
    ("GET /user/workspaces?pagelen=101", 400),
    ("GET /user/workspaces/acme/permission", 200),
    ("GET /user/workspaces/acme/permissions/repositories", 200),
    ("GET /users/{ada}", 200),
    ("GET /users/nobody", 404),
    ("GET /workspaces/acme", 200),
    ("GET /workspaces/{acme}", 200),
    ("GET /workspaces/nowhere", 404),
    ("GET /workspaces/acme/members", 200),
    ("GET /workspaces/acme/members/{ada}", 200),
    ("GET /workspaces/acme/members/nobody", 404),
    ("GET /workspaces/acme/permissions", 200),
    ("GET /workspaces/acme/permissions/repositories", 200),
    ("GET /workspaces/acme/permissions/repositories/mailer", 200),
    ("GET /workspaces/acme/projects", 200),
    ("GET /workspaces/acme/hooks", 200),
    ("GET /repositories/acme", 200),
    ("GET /repositories/acme?pagelen=2&sort=-updated_on", 200),
    ("GET /repositories/nowhere", 404),
    ("GET /repositories/acme/mailer", 200),
    ("GET /repositories/%7B%7D/{mailer}", 200),
    ("GET /repositories/acme/empty", 200),
    ("GET /repositories/acme/nothing", 404),
    ("GET /repositories/acme/mailer/refs", 200),
    ("GET /repositories/acme/oddities/refs", 200),
    ("GET /repositories/acme/mailer/refs/branches", 200),
    ("GET /repositories/acme/mailer/refs/branches/feature%2Fattachments", 200),
    ("GET /repositories/acme/mailer/refs/tags", 200),
    ("GET /repositories/acme/mailer/refs/tags/v1.0.0", 200),
    ("GET /repositories/acme/mailer/refs/tags/v1.0.1", 200),
    ("GET /repositories/acme/mailer/refs/tags/v9", 404),
    ("GET /repositories/acme/mailer/commit/v2.0.0", 200),
    ("GET /repositories/acme/mailer/commit/v9", 404),
    ("GET /repositories/acme/mailer/commits", 200),
    ("GET /repositories/acme/mailer/commits/v2.0.0", 200),
    ("GET /repositories/acme/mailer/src/v1.0.0/", 200),
    ("GET /repositories/acme/mailer/src/v1.0.0/src", 200),
    ("GET /repositories/acme/mailer/src/v1.0.0/composer.json?format=meta", 200),
    ("GET /repositories/acme/mailer/src/v1.0.0/composer.lock", 404),
    ("GET /repositories/acme/mailer/hooks", 200),
    ("GET /repositories/acme/mailer/permissions-config/users", 200),
    ("GET /repositories/acme/empty/permissions-config/users", 200),
    ("GET /repositories/acme/mailer/permissions-config/groups", 200),
    ("PUT /repositories/acme/mailer/permissions-config/users/x", 403),
    ("DELETE /repositories/acme/mailer/permissions-config/users/x", 403),
    ("PUT /repositories/acme/mailer/permissions-config/groups/x", 403),
    ("DELETE /repositories/acme/mailer/permissions-config/groups/x", 403),
    ("GET /workspaces", 410),
    ("GET /repositories", 410),
    ("GET /user/permissions/workspaces", 410),
    ("GET /user/permissions/repositories", 410),
    ("GET /hook_events", 200),
    ("GET /hook_events/repository", 200),
    ("GET /hook_events/workspace", 200),
    ("GET /hook_events/nothing", 404),
];

/// Asked with other tokens: none, one that nobody made, one with a single scope, a consumer's own, a repository's, a plain
/// member's.
const AS_OTHERS: [(&str, &str, u16); 15] = [
    ("none", "GET /user", 401),
    ("wrong", "GET /user", 401),
    ("none", "GET /repositories/acme/mailer", 404),
    ("narrow", "GET /user", 403),
    ("narrow", "GET /user/workspaces", 403),
    ("none", "GET /user/workspaces", 401),
    ("itself", "GET /user", 200),
    ("itself", "GET /user/workspaces", 200),
    ("itself", "GET /workspaces/acme", 200),
    ("repository", "GET /user", 200),
    ("repository", "GET /repositories/acme/mailer/hooks", 403),
    ("member", "GET /repositories/acme/mailer/hooks", 403),
    ("member", "GET /workspaces/acme/permissions/repositories", 403),
    ("member", "GET /workspaces/acme/hooks", 403),
    ("member", "GET /repositories/acme/mailer/permissions-config/users", 403),
];

#[tokio::test]
async fn every_answer_is_as_described() {
    let bitbucket = start().await;
    let mut asker = Asker::new(format!("{}/2.0", bitbucket.base_url()), Cloud::read());
    let mailer = bitbucket.workspace("acme").repository("mailer");
    let tokens_of = |nickname, scopes: &[&str]| {
        bitbucket.consumer("acme", "http://127.0.0.1:1/", scopes).tokens_of(nickname).access
    };
    let owner = tokens_of("ada", &SCOPES);
    let others = HashMap::from([
        ("none", String::new()),
        ("wrong", "wrong".to_owned()),
        ("narrow", tokens_of("ada", &["team"])),
        ("itself", bitbucket.consumer("acme", "", &SCOPES).private().own_token()),
        ("repository", mailer.access_token(&["repository", "account"])),
        ("member", tokens_of("grace", &SCOPES)),
    ]);
    let encoded = |uuid: &str| uuid.replace('{', "%7B").replace('}', "%7D");
    let (ada, mailer) = (encoded(bitbucket.user("ada").uuid()), encoded(mailer.uuid()));
    let acme = encoded(bitbucket.workspace("acme").uuid());
    for (request, status) in AS_OWNER {
        let request = request.replace("{ada}", &ada).replace("{mailer}", &mailer).replace("{acme}", &acme);
        asker.ask(&owner, &request, None, status).await;
    }
    for (who, request, status) in AS_OTHERS {
        asker.ask(&others[who], request, None, status).await;
    }
    bitbucket.fail_next("/2.0/user/workspaces", Fault::gone());
    asker.ask(&owner, "GET /user/workspaces", None, 410).await;
    webhooks(&mut asker, &owner, "/repositories/acme/mailer").await;
    webhooks(&mut asker, &owner, "/workspaces/acme").await;
    asker.assert_all_as_described();
}

async fn webhooks(asker: &mut Asker<Cloud>, token: &str, of: &str) {
    let wish = json!({"description": "Stave", "url": "http://127.0.0.1:1/hook", "active": true, "secret": "s",
                      "events": ["repo:push", "repo:deleted", "repo:push"]});
    let made = asker.ask(token, &format!("POST {of}/hooks"), Some(wish), 201).await;
    assert_eq!((&made["secret_set"], &made["events"]), (&json!(true), &json!(["repo:deleted", "repo:push"])));
    let id = made["uuid"].as_str().unwrap().trim_matches(['{', '}']);
    asker.ask(token, &format!("GET {of}/hooks/%7B{id}%7D"), None, 200).await;
    asker.ask(token, &format!("GET {of}/hooks"), None, 200).await;
    let changed = json!({"secret": null, "active": false});
    let changed = asker.ask(token, &format!("PUT {of}/hooks/{id}"), Some(changed), 200).await;
    assert_eq!((&changed["secret_set"], &changed["active"]), (&json!(false), &json!(false)));
    asker.ask(token, &format!("GET {of}/hooks/%7Bunknown%7D"), None, 404).await;
    let nonsense = json!({"url": "http://127.0.0.1:1/", "events": ["repo:nonsense"]});
    asker.ask(token, &format!("POST {of}/hooks"), Some(nonsense), 400).await;
}

#[test]
fn the_description_refuses_what_is_wrong() {
    let description = Cloud::read();
    let rows = [
        ("webhook_subscription", json!({"type": "webhook_subscription", "events": ["repo:nonsense"]})),
        ("repository", json!({"type": "repository", "created_on": "yesterday"})),
        ("repository", json!({"type": "repository", "mainbranch": "main"})),
        ("tag", json!({"type": "tag", "name": 1})),
        ("user", json!({"uuid": "{}"})),
        ("error", json!({"type": "error", "error": {"detail": "no message"}})),
    ];
    for (schema, wrong) in rows {
        assert!(!description.validators[schema].is_valid(&wrong), "{schema} {wrong}");
    }
}
