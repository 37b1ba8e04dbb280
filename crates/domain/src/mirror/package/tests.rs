//! Files as they are found, good and bad.

use super::*;
use crate::{
    Timestamp,
    version::{Archive, RemoteArchive},
};
use serde_json::json;

fn name() -> PackageName {
    "acme/lib".parse().unwrap()
}

fn read(file: &Value) -> MirrorPackage {
    MirrorPackage::read(&name(), file.to_string().as_bytes()).unwrap().unwrap()
}

/// A version that lacks nothing, and what differs.
fn version(version: &str, other: &Value) -> Value {
    let mut keys = json!({
        "name": "acme/lib",
        "version": version,
        "dist": {"type": "zip", "url": format!("https://r.example/{version}.zip"), "reference": "a".repeat(40), "shasum": ""}
    });
    for (key, value) in other.as_object().unwrap() {
        keys[key] = value.clone();
    }
    keys
}

fn of_versions(versions: &[Value]) -> MirrorPackage {
    read(&json!({"packages": {"acme/lib": versions}}))
}

fn versions(package: &MirrorPackage) -> String {
    package.found.iter().map(|found| found.version.as_str()).collect::<Vec<_>>().join(" ")
}

/// Why the only version of a file is left out.
fn refusal(other: &Value) -> String {
    let package = of_versions(&[version("1.0", other)]);
    assert_eq!((package.found.len(), package.left_out.count), (0, 1), "{other}");
    let [(_, because)] = package.left_out.versions.try_into().unwrap();
    because
}

#[test]
fn a_minified_file_is_expanded() {
    let package = read(&json!({
        "minified": "composer/2.0",
        "packages": {"acme/lib": [
            {
                "name": "acme/lib", "description": "Demo", "version": "v2.0.0", "version_normalized": "9.9.9.9", "type": "Library",
                "require": {"PHP": ">=8"}, "homepage": "https://x.example",
                "source": {"type": "git", "url": "https://g.example/x.git", "reference": "b".repeat(40), "mirrors": []},
                "dist": {"type": "ZIP", "url": "https://r.example/2.zip", "reference": "b".repeat(40), "shasum": "A".repeat(40)},
                "time": "2024-03-01T10:00:00+00:00", "published-time": "2024-03-02T10:00:00+00:00", "notification-url": "https://r.example/n"
            },
            {
                "version": "dev-main", "homepage": "__unset", "default-branch": true, "abandoned": "acme/other", "description": "Next",
                "dist": {"type": "zip", "url": "https://r.example/main.zip", "reference": null}, "source": "__unset", "published-time": "__unset"
            }
        ]},
        "security-advisories": [{"advisoryId": "PKSA-1", "affectedVersions": "<2"}],
        "filter": {"malware": [{"constraint": "1.0", "reason": "steals", "odd": 1}, {"constraint": "what?"}, 7], "advisories": [{"constraint": "*"}]}
    }));
    assert_eq!((versions(&package).as_str(), package.left_out.count), ("v2.0.0 dev-main", 0));
    let [release, branch] = package.found.as_slice() else { panic!() };
    assert_eq!(
        (release.normalized.as_str(), release.is_dev, release.reference_name.as_str()),
        ("2.0.0.0", false, "v2.0.0")
    );
    assert_eq!(release.commit, "b".repeat(40));
    assert_eq!(release.published_at, Some("2024-03-02T10:00:00Z".parse().unwrap()));
    assert_eq!(release.released_at, "2024-03-01T10:00:00Z".parse().unwrap());
    assert_eq!(
        release.manifest,
        format!(
            r#"{{"description":"Demo","homepage":"https://x.example","require":{{"php":">=8"}},"source":{{"type":"git","url":"https://g.example/x.git","reference":"{}"}},"type":"library"}}"#,
            "b".repeat(40)
        )
    );
    let archive = RemoteArchive {
        url: "https://r.example/2.zip".into(),
        kind: "zip".into(),
        shasum: Some("a".repeat(40)),
        reference: Some("b".repeat(40)),
    };
    assert_eq!(release.archive, Archive::Remote(archive));
    assert!(branch.is_dev && branch.is_default_branch);
    assert_eq!(branch.published_at, Some(branch.released_at), "the time that it kept from the one before");
    assert!(
        !branch.manifest.contains("homepage") && !branch.manifest.contains("source"),
        "{}",
        branch.manifest
    );
    assert_eq!((package.description.as_str(), package.abandoned.as_deref()), ("Next", Some("acme/other")));
    assert_eq!(package.advisories.len(), 1);
    assert_eq!(
        Value::Object(package.filter),
        json!({"malware": [{"constraint": "1.0", "reason": "steals"}]})
    );
}

#[test]
fn the_place_of_a_version_in_the_file_changes_nothing_of_it() {
    let (one, two) = (
        version("1.0", &json!({"homepage": "https://x.example", "type": "library"})),
        version("2.0", &json!({"type": "library"})),
    );
    let whole = of_versions(&[two.clone(), one.clone()]);
    let keys = [two, one].map(|version| version.as_object().unwrap().clone());
    let minified = read(
        &json!({"minified": "composer/2.0", "packages": {"acme/lib": crate::composer::metadata::minify(&keys)}}),
    );
    assert_eq!(whole, minified);
}

#[test]
fn lists_objects_and_names_of_any_case() {
    let one = version("1.0", &json!({}));
    for file in [
        json!({"packages": {"acme/lib": [one]}}),
        json!({"packages": {"acme/lib": {"1.0": one}}}),
        json!({"packages": {"Acme/Lib": {"x": version("1.0", &json!({"name": "Acme/Lib", "uid": 7}))}, "other/lib": [7]}}),
    ] {
        assert_eq!(versions(&read(&file)), "1.0", "{file}");
    }
    assert_eq!(read(&json!({"packages": {"acme/lib": []}})), MirrorPackage::default());
}

#[test]
fn what_is_not_there_is_no_failure_and_a_failure_is_no_absence() {
    for file in [
        "{\"packages\": {}}",
        "{\"packages\": []}",
        "{\"packages\": {\"a/b\": []}}",
        "{\"packages\": {\"acme/lib\": null}}",
    ] {
        assert_eq!(MirrorPackage::read(&name(), file.as_bytes()), Ok(None), "{file}");
        assert_eq!(is_in(&name(), file.as_bytes()), Ok(false), "{file}");
    }
    for file in [
        "",
        "{}",
        "[]",
        "<html>",
        "{\"status\": \"error\"}",
        "{\"packages\": 7}",
        "{\"packages\": [1]}",
        "{\"packages\": {\"acme/lib\": [{\"version\": \"1",
    ] {
        assert!(MirrorPackage::read(&name(), file.as_bytes()).is_err(), "{file}");
        assert!(is_in(&name(), file.as_bytes()).is_err(), "{file}");
    }
    assert!(MirrorPackage::read(&name(), b"{\"packages\": {\"acme/lib\": 7}}").is_err());
    assert!(MirrorPackage::read(&name(), b"{\"packages\": {\"acme/lib\": [\"\xff\"]}}").is_err());
}

#[test]
fn one_bad_version_costs_itself_alone() {
    let bad = [
        json!({"name": "acme/lib"}),
        json!(7),
        version("not a version", &json!({})),
        version("1.1", &json!({"require": {"php": "what?"}})),
        version("1.2", &json!({"name": "acme/other"})),
        version("v1.0", &json!({})),
    ];
    let mut all = vec![version("1.0", &json!({}))];
    all.extend(bad);
    all.push(version("0.9", &json!({})));
    let package = of_versions(&all);
    assert_eq!((versions(&package).as_str(), package.left_out.count), ("1.0 0.9", 6));
    let named: Vec<_> = package.left_out.versions.iter().map(|(version, _)| version.as_str()).collect();
    assert_eq!(named, ["?", "?", "not a version", "1.1", "1.2", "v1.0"]);
    assert!(
        package.left_out.versions.iter().all(|(_, because)| because.ends_with('.')),
        "{:?}",
        package.left_out.versions
    );
}

#[test]
fn why_a_version_is_left_out() {
    for (other, part) in [
        (json!({"version": null}), "no version"),
        (json!({"version": [1]}), "is not a version"),
        (json!({"version": "dev-a\u{0}b"}), "control characters"),
        (json!({"version": format!("dev-{}", "x".repeat(600))}), "too long"),
        (json!({"dist": null}), "neither an archive nor a source"),
        (json!({"dist": {"type": "path", "url": "../lib"}}), "neither an archive nor a source"),
        (json!({"dist": {"type": "zip", "url": "/tmp/x.zip"}}), "neither an archive nor a source"),
        (json!({"dist": {"type": "zip", "url": "https://r.example/x", "shasum": "7"}}), "no SHA-1"),
        (json!({"autoload": "x"}), "autoload"),
        (json!({"suggest": {"a/b": 7}}), "suggest"),
        (
            json!({"extra": "x".repeat(crate::composer::manifest::LARGEST_BYTES), "funding": ["x".repeat(1_100_000)]}),
            "1 MiB",
        ),
        (json!({"require": {"a/b": "not one ".repeat(200_000)}}), "1 MiB"),
    ] {
        let because = refusal(&other);
        assert!(because.contains(part) && because.ends_with('.'), "{because}");
    }
}

#[test]
fn what_may_be_missing() {
    let commit = |other: Value| {
        let package = of_versions(&[version("1.0", &other)]);
        let [found] = package.found.try_into().unwrap_or_else(|found| panic!("{other}: {found:?}"));
        (found.archive.is_there(), found.commit)
    };
    let source = json!({"type": "git", "url": "https://g.example/x", "reference": "c".repeat(40)});
    assert_eq!(commit(json!({"dist": null, "source": source.clone()})), (false, "c".repeat(40)));
    assert!(!commit(json!({"dist": null, "type": "MetaPackage"})).0);
    assert!(!commit(json!({"type": "metapackage"})).0);
    // Without a commit, what identifies the bytes: other bytes are another state.
    let of_dist = |reference: Value, shasum: Value| {
        commit(json!({"dist": {"type": "zip", "url": "https://r.example/1.zip", "reference": reference, "shasum": shasum}})).1
    };
    let states = [
        of_dist(Value::Null, Value::Null),
        of_dist(json!("v1"), Value::Null),
        of_dist(json!("D".repeat(40)), Value::Null),
        of_dist(Value::Null, json!("a".repeat(40))),
    ];
    assert_eq!(states.iter().collect::<HashSet<_>>().len(), 4);
    assert!(states.iter().all(|state| state.len() == 40), "{states:?}");
    assert_eq!(of_dist(Value::Null, json!("")), states[0]);

    let [found] = of_versions(&[version("1.0", &json!({"time": "soon"}))]).found.try_into().unwrap();
    assert_eq!((found.released_at, found.published_at), (Timestamp::UNIX_EPOCH, None));
    // A source that clients would stumble over is not passed on.
    for source in [
        json!({"type": "git", "url": "x", "reference": null}),
        json!({"type": "git", "url": "--x", "reference": "1"}),
    ] {
        let package = of_versions(&[version("1.0", &json!({"source": source}))]);
        assert_eq!(package.found[0].manifest, "{}");
    }
    let former = of_versions(&[version("dev-master", &json!({"version_normalized": "9999999-dev"}))]);
    assert!(former.found[0].is_default_branch && former.found[0].normalized == "dev-master");
}

#[test]
fn gaps_in_an_address_are_filled() {
    let dist = json!({"type": "tar", "url": "https://r.example/%package%/%prettyVersion%-%reference%.%type%?a=%20", "reference": "abc"});
    let package = of_versions(&[version("v1.0", &json!({"dist": dist}))]);
    let Archive::Remote(archive) = &package.found[0].archive else { panic!("{package:?}") };
    assert_eq!(archive.url, "https://r.example/acme/lib/v1.0-abc.tar?a=%20");
}

#[test]
fn releases_and_branches_come_from_two_files() {
    let releases = read(&json!({
        "packages": {"acme/lib": [version("1.0", &json!({"description": "Releases"}))]}, "filter": {"malware": [{"constraint": "1"}]}
    }));
    let branches = of_versions(&[
        version("dev-main", &json!({"description": "Main"})),
        version("1.0.0", &json!({})),
        json!(7),
    ]);
    let both = releases.clone().and(branches.clone());
    assert_eq!(
        (versions(&both).as_str(), both.description.as_str(), both.left_out.count),
        ("1.0 dev-main", "Releases", 1)
    );
    assert_eq!(both.filter.len(), 1);
    assert_eq!(MirrorPackage::default().and(branches).description, "Main");
}

#[test]
fn what_grows_without_end_is_cut() {
    let many = vec!["7"; crate::mirror::raw::MOST_VERSIONS + 5].join(",");
    let file = format!("{{\"packages\":{{\"acme/lib\":[{many}]}}}}");
    let package = MirrorPackage::read(&name(), file.as_bytes()).unwrap().unwrap();
    assert_eq!(
        (package.left_out.count, package.left_out.versions.len()),
        (crate::mirror::raw::MOST_VERSIONS + 5, MOST_PROBLEMS)
    );

    // Each version is small, and large once it is expanded.
    let first = version("0.0", &json!({"keywords": ["x".repeat(900_000)]}));
    let next = (1..2_000).map(|number| json!({"version": format!("0.{number}")}));
    let minified = Value::Array(std::iter::once(first).chain(next).collect()).to_string();
    let (name, versions) = (name(), serde_json::from_str(&minified).unwrap());
    let mut reading = Reading { bytes_left: 2_000_000, ..Reading::new(&name) };
    reading.read(&versions, true);
    assert_eq!((reading.package.found.len(), reading.package.left_out.count), (3, 1_997));
    assert!(
        reading.package.left_out.versions[0].1.contains("128 MiB"),
        "{:?}",
        reading.package.left_out.versions
    );
}

#[test]
fn a_difference_from_something_unreadable_is_not_guessed() {
    let file = json!({"minified": "composer/2.0", "packages": {"acme/lib": [version("2.0", &json!({})), 7, {"version": "1.0"}]}});
    let package = read(&file);
    assert_eq!((versions(&package).as_str(), package.left_out.count), ("2.0", 2));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let whole = format!(
        "{{\"packages\":{{\"acme/lib\":[{},{{\"version\":\"1.0\",\"extra\":{deep}}}]}}}}",
        version("2.0", &json!({}))
    );
    let package = MirrorPackage::read(&name(), whole.as_bytes()).unwrap().unwrap();
    assert_eq!((versions(&package).as_str(), package.left_out.count), ("2.0", 1));
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        _ = MirrorPackage::read(&name(), &bytes);
        _ = crate::mirror::MirrorRoot::parse(&"https://r.example".parse().unwrap(), &bytes);
    }

    #[test]
    fn no_keys_make_it_panic(
        keys in proptest::collection::vec((proptest::sample::select(KEYS.as_slice()), proptest::sample::select(VALUES.as_slice())), 0..12)
    ) {
        let keys: Vec<_> = keys.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let file = format!(
            "{{\"minified\":\"composer/2.0\",\"packages\":{{\"acme/lib\":[{{\"version\":\"1.0\"}},{{{}}}]}}}}", keys.join(",")
        );
        let package = MirrorPackage::read(&name(), file.as_bytes()).unwrap().unwrap();
        proptest::prop_assert_eq!(package.found.len() + package.left_out.count, 2);
    }
}

const KEYS: [&str; 20] = [
    "name",
    "version",
    "version_normalized",
    "type",
    "dist",
    "source",
    "time",
    "published-time",
    "require",
    "suggest",
    "autoload",
    "bin",
    "extra",
    "abandoned",
    "default-branch",
    "keywords",
    "description",
    "authors",
    "archive",
    "replace",
];
const VALUES: [&str; 20] = [
    "null",
    "true",
    "7",
    "-1.5e300",
    "\"\"",
    "\"x\"",
    "\"__unset\"",
    "\"dev-é\"",
    "\"1.x-dev\"",
    "\"acme/lib\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[null]",
    "{\"a/b\":7}",
    "{\"type\":\"zip\",\"url\":\"https://%package%\"}",
    "{\"type\":\"zip\",\"url\":\"https://r.example/%reference%\",\"reference\":7}",
    "{\"psr-4\":{\"\":[]}}",
    "{\"branch-alias\":7}",
];
