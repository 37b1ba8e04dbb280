//! Every kind of answer of the fake, held against Bitbucket's published description (`../../openapi/README.md`).

use super::start;
use crate::description::{Asked, Asker, Description, named, validator};
use serde_json::{Map, Value, json};
use stave_testkit::{FakeDataCenter, Level, Version};

/// What answers always have, although the description requires nothing: schema, fields.
const REQUIRED: [(&str, &[&str]); 10] = [
    ("RestApplicationProperties", &["version", "buildNumber", "buildDate", "displayName"]),
    ("RestApplicationUser", &["name", "slug", "id", "displayName", "active", "type", "links"]),
    ("RestDetailedUser", &["name", "slug", "id", "displayName", "active", "type", "links"]),
    ("RestProject", &["key", "id", "name", "public", "type", "links"]),
    ("RestRepository", &["slug", "id", "name", "scmId", "state", "public", "archived", "project", "links"]),
    ("RestBranch", &["id", "displayId", "type", "latestCommit", "isDefault"]),
    ("RestTag", &["id", "displayId", "type", "latestCommit", "hash"]),
    ("RestWebhook", &["id", "name", "url", "events", "active", "configuration", "scopeType", "createdDate"]),
    ("RestPermittedUser", &["user", "permission"]),
    ("RestErrorMessage", &["context", "message", "exceptionName"]),
];

struct DataCenter {
    document: Value,
}

impl DataCenter {
    fn read() -> Self {
        let text = include_str!("../../openapi/bitbucket-datacenter.excerpt.json");
        let mut document: Value = serde_json::from_str(text).unwrap();
        mend(&mut document);
        close(&mut document);
        for (schema, fields) in REQUIRED {
            document["components"]["schemas"][schema]["required"] = json!(fields);
        }
        Self { document }
    }
}

impl Description for DataCenter {
    const OPEN: &'static [&'static str] = &[];
    const REFUSALS_COUNT: bool = false;

    fn document(&self) -> &Value {
        &self.document
    }

    /// Refusals that are not described are held against the general one, and a 201 where the description says 200
    /// against that.
    fn problems(&self, asked: &Asked<'_>, answer: &Value) -> Vec<String> {
        let Asked { method, operation, status, .. } = *asked;
        let responses = &self.document["paths"][operation][method]["responses"];
        let described = responses.get(status.to_string()).or(responses.get("200").filter(|_| status < 300));
        let schema = described.and_then(|it| it["content"].as_object()?.values().next()?.get("schema"));
        let refusal = named("RestErrors");
        let schema = if status < 400 { schema.expect("a success is described") } else { &refusal };
        let errors = validator(&self.document, schema);
        errors.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path)).collect()
    }
}

/// What the description is known to get wrong.
fn mend(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let branch = schemas["RestBranch"]["properties"].as_object_mut().unwrap();
    let is_default = branch.remove("default").unwrap();
    branch.insert("isDefault".to_owned(), is_default);
    for field in ["id", "createdDate", "updatedDate"] {
        schemas["RestWebhook"]["properties"][field] = json!({"type": "integer"});
    }
    for (schema, field) in
        [("RestErrorMessage", "context"), ("RestErrorMessage", "exceptionName"), ("RestTag", "hash")]
    {
        schemas[schema]["properties"][field]["type"] = json!(["string", "null"]);
    }
    let paths = &mut document["paths"];
    let page = paths["/api/latest/admin/groups/more-members"]["get"]["responses"]["200"].to_string();
    let page_of = |schema| serde_json::from_str::<Value>(&page.replace("RestDetailedUser", schema)).unwrap();
    // It says one user, or nothing, where there is a page.
    for (path, schema) in [
        ("/api/latest/users", "RestApplicationUser"),
        ("/api/latest/projects/{projectKey}/webhooks", "RestWebhook"),
        ("/api/latest/projects/{projectKey}/repos/{repositorySlug}/webhooks", "RestWebhook"),
    ] {
        paths[path]["get"]["responses"]["200"] = page_of(schema);
    }
}

/// Lets no object have what is not described, wherever something is described; a personal project has an owner.
fn close(value: &mut Value) {
    let is_object = |object: &Map<String, Value>| {
        object.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if is_object(object) {
                object.insert("additionalProperties".to_owned(), json!(false));
                let properties = object["properties"].as_object_mut().unwrap();
                if properties.contains_key("key") {
                    let owner = json!({"$ref": "#/components/schemas/RestApplicationUser"});
                    properties.insert("owner".to_owned(), owner);
                }
            }
        }
        _ => {}
    }
}

/// PHP with the samples, a public and a personal project; ada is admin of PHP and of her own.
async fn start_full() -> FakeDataCenter {
    let server = start(Version::V9_4).await;
    server.seed_demo().project("OPEN").public().repository("tools").archive();
    server.project("PHP").repository("empty").initialising(true);
    server.project("~ada").repository("own");
    server.user("linus").without_email();
    server
}

const PHP: &str = "/api/latest/projects/PHP";

/// Asked by ada, with the scope of a project's admin; `{php}` stands for the project.
const AS_ADMIN: [(&str, u16); 39] = [
    ("GET /api/latest/application-properties", 200),
    ("GET /authconfig/latest/login-options", 200),
    ("GET /api/latest/users", 200),
    ("GET /api/latest/users?group=php&filter=grace", 200),
    ("GET /api/latest/users?group=php&limit=1&start=1", 200),
    ("GET /api/latest/users?group=nobody", 200),
    ("GET /api/latest/users?group=php&limit=0", 400),
    ("GET /api/latest/users?permission.1=PROJECT_READ&permission.1.projectKey=PHP", 200),
    ("GET /api/latest/users?permission.1=NONSENSE", 400),
    ("GET /api/latest/users/ada?avatarSize=48", 200),
    ("GET /api/latest/users/nobody", 404),
    ("GET /api/latest/groups", 200),
    ("GET /api/latest/admin/groups/more-members?context=php", 200),
    ("GET /api/latest/repos?limit=2", 200),
    ("GET /api/latest/repos?archived=ALL", 200),
    ("GET /api/latest/repos?permission=NONSENSE", 400),
    ("GET /api/latest/projects", 200),
    ("GET /api/latest/projects?permission=NONSENSE", 400),
    ("GET /api/latest/projects/~ada", 200),
    ("GET /api/latest/projects/~ada/repos", 200),
    ("GET /api/latest/projects/NOWHERE", 404),
    ("GET {php}", 200),
    ("GET {php}/permissions/users", 200),
    ("GET {php}/permissions/groups", 200),
    ("GET {php}/permissions/PROJECT_READ/all", 200),
    ("GET {php}/permissions/NONSENSE/all", 400),
    ("GET {php}/repos", 200),
    ("GET {php}/repos/mailer", 200),
    ("GET {php}/repos/empty", 200),
    ("GET {php}/repos/nothing", 404),
    ("GET {php}/repos/mailer/permissions/users", 200),
    ("GET {php}/repos/mailer/permissions/groups", 200),
    ("GET {php}/repos/mailer/branches", 200),
    ("GET {php}/repos/mailer/branches/default", 200),
    ("GET {php}/repos/mailer/default-branch", 200),
    ("GET {php}/repos/empty/default-branch", 404),
    ("GET {php}/repos/mailer/tags?limit=3", 200),
    ("GET {php}/repos/mailer/tags/v1.0.1", 200),
    ("GET {php}/repos/mailer/tags/v9", 404),
];

/// Asked with other tokens: none, one that nobody made, that of somebody without rights.
const AS_OTHERS: [(&str, &str, u16); 7] = [
    ("", "GET /api/latest/application-properties", 200),
    ("", "GET /api/latest/users/ada", 401),
    ("wrong", "GET /api/latest/application-properties", 401),
    ("eve", "GET {php}/permissions/users", 401),
    ("eve", "GET {php}/repos/mailer", 401),
    ("eve", "GET {php}/repos/mailer/webhooks", 401),
    ("eve", "GET {php}/webhooks", 401),
];

#[tokio::test]
async fn every_answer_is_as_described() {
    let server = start_full().await;
    let mut asker = Asker::new(format!("{}/rest", server.base_url()), DataCenter::read());
    let link = server.link("http://127.0.0.1:1/", &["PROJECT_ADMIN"]);
    let (ada, eve) = (link.tokens_of("ada").access, link.tokens_of("eve").access);
    server.project("PHP").repository("mailer").grant_group("php", Level::Write);
    for (request, status) in AS_ADMIN {
        asker.ask(&ada, &request.replace("{php}", PHP), None, status).await;
    }
    for (who, request, status) in AS_OTHERS {
        let token = if who == "eve" { &eve } else { who };
        asker.ask(token, &request.replace("{php}", PHP), None, status).await;
    }
    webhooks(&mut asker, &ada, &format!("{PHP}/repos/mailer")).await;
    webhooks(&mut asker, &ada, PHP).await;
    asker.assert_all_as_described();
}

async fn webhooks(asker: &mut Asker<DataCenter>, token: &str, of: &str) {
    let wish = json!({"name": "Stave", "url": "http://127.0.0.1:1/hook", "events": ["repo:refs_changed"],
                      "configuration": {"secret": "s"}});
    let made = asker.ask(token, &format!("POST {of}/webhooks"), Some(wish.clone()), 201).await;
    let id = &made["id"];
    asker.ask(token, &format!("GET {of}/webhooks"), None, 200).await;
    asker.ask(token, &format!("GET {of}/webhooks/{id}"), None, 200).await;
    asker.ask(token, &format!("PUT {of}/webhooks/{id}"), Some(wish), 200).await;
    asker.ask(token, &format!("POST {of}/webhooks"), Some(json!({"name": "Stave"})), 400).await;
    asker.ask(token, &format!("DELETE {of}/webhooks/{id}"), None, 204).await;
    asker.ask(token, &format!("GET {of}/webhooks/{id}"), None, 404).await;
}

#[test]
fn the_description_refuses_what_is_wrong() {
    let description = DataCenter::read();
    let user = json!({"name": "ada", "slug": "ada", "id": 1, "displayName": "Ada", "active": true, "type": "NORMAL",
                      "links": {}});
    let changed = |field: &str, value: Value| {
        let mut user = user.clone();
        user[field] = value;
        user
    };
    let is_valid =
        |schema: &str, value: &Value| validator(&description.document, &named(schema)).is_valid(value);
    assert!(is_valid("RestApplicationUser", &user));
    let rows = [
        ("RestApplicationUser", changed("id", json!("1"))),
        ("RestApplicationUser", changed("type", json!("ROBOT"))),
        ("RestApplicationUser", changed("nickname", json!("ada"))),
        ("RestApplicationUser", json!({"name": "ada"})),
        ("RestErrors", json!({"errors": [{"message": "no context"}]})),
        ("RestBranch", json!({"id": "refs/heads/main", "default": true})),
    ];
    for (schema, wrong) in rows {
        assert!(!is_valid(schema, &wrong), "{schema} {wrong}");
    }
}
