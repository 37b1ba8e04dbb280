//! Tables of packages.json files as they are found.

use super::*;
use crate::version::RemoteArchive;
use serde_json::json;

fn url() -> Url {
    Url::parse("https://repo.example.com/acme").unwrap()
}

fn parse(root: &Value) -> Result<MirrorRoot, String> {
    MirrorRoot::parse(&url(), root.to_string().as_bytes()).map_err(|problem| problem.0)
}

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

#[test]
fn a_root_of_composer_2() {
    let root = parse(&json!({
        "packages": [], "metadata-url": "/acme/p2/%package%.json", "available-packages": [], "providers-url": "/gone",
        "available-package-patterns": ["acme/*"], "metadata-changes-url": "https://api.example.com/changes.json",
        "mirrors": [
            {"dist-url": "/dists/%package%/%version%/%reference%.%type%", "preferred": true},
            {"git-url": "x"}, {"dist-url": "https://cdn.example.com/%package%.zip"}
        ],
        "security-advisories": {"metadata": true, "api-url": "/api/advisories/", "query-all": true},
        "filter": {"metadata": true, "summary-url": "/filter.json", "lists": {
            "malware": {"enabled": true}, "off": {"enabled": false}, "advisories": {"enabled": true}, "ignore-x": {"enabled": true}
        }},
        "notify-batch": 7, "search": null
    }))
    .unwrap();
    assert!(matches!(root.files, Files::Metadata(_)));
    assert_eq!(root.changes_url.as_ref().unwrap().as_str(), "https://api.example.com/changes.json");
    let advisories = root.advisories.clone().unwrap();
    assert!(advisories.in_metadata);
    assert_eq!(advisories.api_url.unwrap().as_str(), "https://repo.example.com/api/advisories/");
    let filter = root.filter.clone().unwrap();
    assert_eq!(filter.lists, ["malware"]);
    assert_eq!(filter.summary_url.unwrap().as_str(), "https://repo.example.com/filter.json");
    assert_eq!([root.may_have(&name("acme/lib")), root.may_have(&name("other/lib"))], [true, false]);
    let archive = RemoteArchive {
        url: "https://host.example.com/1.zip".into(),
        kind: "zip".into(),
        shasum: None,
        reference: Some("a".repeat(40)),
    };
    let dist = DistOf { name: "acme/lib", version: "v1.0", normalized: "1.0.0.0", archive: &archive };
    let urls: Vec<_> = root.dist_urls(&dist).iter().map(Url::to_string).collect();
    let preferred = format!("https://repo.example.com/dists/acme/lib/1.0.0.0/{}.zip", "a".repeat(40));
    assert_eq!(
        urls,
        [preferred.as_str(), "https://host.example.com/1.zip", "https://cdn.example.com/acme/lib.zip"]
    );
    let kept = serde_json::to_string(&root).unwrap();
    assert_eq!(serde_json::from_str::<MirrorRoot>(&kept).unwrap(), root);
}

#[test]
fn where_packages_are() {
    let here = |has_includes| Files::Here { has_includes };
    for (root, files) in [
        (json!({"packages": []}), here(false)),
        (json!({"packages": {}, "includes": {"include/all$1.json": {"sha1": "1"}}}), here(true)),
        (json!({"packages": {"Acme/Lib": {}}, "providers-url": "/p/%package%$%hash%.json"}), here(false)),
    ] {
        assert_eq!(parse(&root).unwrap().files, files, "{root}");
    }
    let hashed = json!({"packages": [], "providers-url": "/p/%package%$%hash%.json", "provider-includes": {"p/a$%hash%.json": {"sha256": "1"}}});
    assert!(matches!(parse(&hashed).unwrap().files, Files::Hashed(_)));
    let lazy = json!({"packages": [], "providers-lazy-url": "/p/%package%.json", "providers-url": "/p/%package%$%hash%.json", "providers": {"a/b": {}}});
    assert!(matches!(parse(&lazy).unwrap().files, Files::Lazy(_)));
    let inline = parse(&json!({"packages": {"Acme/Lib": {"1.0": {}}}})).unwrap();
    assert_eq!([inline.may_have(&name("acme/lib")), inline.may_have(&name("acme/x"))], [true, false]);
    let mixed =
        parse(&json!({"packages": {"a/b": {}}, "metadata-url": "/%package%", "available-packages": ["c/D"]}))
            .unwrap();
    let names = ["a/b", "c/d", "e/f"].map(name);
    assert_eq!(names.each_ref().map(|name| mixed.may_have(name)), [true, true, false]);
    assert_eq!(names.each_ref().map(|name| mixed.is_inline(name)), [true, false, false]);
}

#[test]
fn what_is_no_root_is_refused_in_a_sentence() {
    for (body, part) in [
        ("<html>", "no JSON object: expected value at line 1 column 1."),
        ("", "no JSON object"),
        ("[1]", "no JSON object"),
        ("{\"packages\": [], \"metadata-url\": \"/p2/%package%", "no JSON object: EOF"),
        ("{}", "names no packages"),
        ("{\"status\": \"error\", \"message\": \"no\"}", "names no packages"),
        ("{\"metadata-url\": \"/p2/package.json\"}", "which is not an address with %package%"),
        ("{\"metadata-url\": \"file:///%package%\"}", "which is not an address"),
        ("{\"providers-url\": \"/p/%package%\", \"providers\": {\"a/b\": {}}}", "with %package% and %hash%"),
    ] {
        let problem = MirrorRoot::parse(&url(), body.as_bytes()).unwrap_err().0;
        assert!(problem.contains(part) && problem.ends_with('.'), "{body}: {problem}");
    }
}

#[test]
fn what_is_odd_is_passed_over() {
    let root = parse(&json!({
        "packages": 7, "metadata-url": "/p2/%package%.json", "available-packages": "all", "mirrors": {"a": 1},
        "metadata-changes-url": "ftp://x/", "security-advisories": {"metadata": "yes"}, "filter": {"metadata": true, "lists": []}
    }));
    let expected = parse(&json!({"metadata-url": "/p2/%package%.json"}));
    assert_eq!(root.unwrap(), expected.unwrap());
}
