use super::*;
use crate::{
    id::CredentialId,
    mirror::{Adds, MirrorTimeout},
    security::{CooldownDays, PluginPolicy},
    version::Archive,
};
use serde_json::json;
use uuid::Uuid;

fn mirror(credential_id: Option<CredentialId>) -> Mirror {
    let nil = Uuid::nil();
    Mirror {
        id: nil.into(),
        organization_id: nil.into(),
        name: "Upstream".into(),
        url: "https://packages.example".parse().unwrap(),
        credential_id,
        timeout: MirrorTimeout(None),
        adds: Adds::Automatically,
        position: 0,
        root: None,
        changes_since: None,
        checked_at: None,
        last_error: None,
        failing_since: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn at(day: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day)
}

/// A release that was first seen on day 10.
fn version(normalized: &str, manifest: &Value) -> Version {
    Version {
        id: Uuid::nil().into(),
        package_id: Uuid::nil().into(),
        version: normalized.trim_end_matches(".0").into(),
        normalized: normalized.into(),
        is_dev: normalized.ends_with("-dev") || normalized.starts_with("dev-"),
        is_default_branch: false,
        reference_name: normalized.into(),
        commit: "0".repeat(40),
        archive: Archive::Commit,
        released_at: at(0),
        published_at: at(10),
        manifest: manifest.to_string(),
        removed_at: None,
    }
}

fn malware(entries: Value) -> KnownAgainst {
    KnownAgainst { filter: Keys::from_iter([("malware".into(), entries)]), ..KnownAgainst::default() }
}

/// What is said of a version of acme/lib on day 12.
fn said(
    settings: &SecuritySettings,
    is_mirrored: bool,
    known: &KnownAgainst,
    version: &Version,
) -> (Option<Withheld>, Option<String>) {
    let (name, mirror) = ("acme/lib".parse().unwrap(), mirror(None));
    let guard = Guard::new(settings, &name, is_mirrored.then_some(&mirror), known);
    let refused = guard.refuses(version);
    assert!(refused.is_none() || guard.may_refuse(), "whoever asks only if it may refuse misses {refused:?}");
    (guard.withholds(version, at(12)), refused)
}

#[test]
fn whose_source_is_hidden() {
    let (name, known) = ("acme/lib".parse().unwrap(), KnownAgainst::default());
    let (public, private) = (mirror(None), mirror(Some(Uuid::nil().into())));
    for (hides_source, own, from_public, from_private) in [
        (HideSource::Never, false, false, false),
        (HideSource::PublicMirrors, false, true, false),
        (HideSource::AllMirrors, false, true, true),
        (HideSource::Always, true, true, true),
    ] {
        let settings = SecuritySettings { hides_source, ..SecuritySettings::of_new() };
        let hidden = |mirror| Guard::new(&settings, &name, mirror, &known).hides_source();
        assert_eq!(
            (hidden(None), hidden(Some(&public)), hidden(Some(&private))),
            (own, from_public, from_private),
            "{hides_source:?}"
        );
    }
}

#[test]
fn malware_is_left_out_and_not_downloaded() {
    let known = malware(json!([
        {"constraint": "1.2.0", "reason": "Steals keys.", "url": "https://feed.example/1", "id": "M-1"},
        {"constraint": "this is nothing"}, {"reason": "no constraint"}, 7
    ]));
    for (normalized, is_blocked) in
        [("1.2.0.0", true), ("1.1.0.0", false), ("1.2.1.0", false), ("dev-main", false)]
    {
        for (blocks_malware, is_blocked) in [(true, is_blocked), (false, false)] {
            let settings = SecuritySettings { blocks_malware, ..SecuritySettings::until_now() };
            let (withheld, refused) = said(&settings, true, &known, &version(normalized, &json!({})));
            assert_eq!((withheld.is_some(), refused.is_some()), (is_blocked, is_blocked), "{normalized}");
        }
    }
    let (withheld, refused) =
        said(&SecuritySettings::of_new(), true, &known, &version("1.2.0.0", &json!({})));
    assert_eq!(withheld.unwrap().because, "It is flagged as malware (Steals keys, https://feed.example/1).");
    assert_eq!(
        refused.unwrap(),
        "acme/lib 1.2 is not downloaded. It is flagged as malware (Steals keys, https://feed.example/1). Run \"composer \
         update acme/lib\" to lock another version, or ask an owner of the organization to look at Settings > Security."
    );
    let everything = malware(json!([{"constraint": "*"}]));
    assert!(
        said(&SecuritySettings::of_new(), true, &everything, &version("dev-main", &json!({}))).1.is_some()
    );
    let other_list = KnownAgainst {
        filter: Keys::from_iter([("typosquatting".into(), json!([{"constraint": "*"}]))]),
        ..KnownAgainst::default()
    };
    let clean = said(&SecuritySettings::of_new(), true, &other_list, &version("1.2.0.0", &json!({})));
    assert_eq!(clean, (None, None), "a list that a project has to name blocks nothing by itself");
}

#[test]
fn plugins_that_are_not_on_the_list() {
    let limited = |allowed: &str, blocks_downloads| SecuritySettings {
        plugins: PluginPolicy { is_limited: true, allowed: allowed.parse().unwrap(), blocks_downloads },
        ..SecuritySettings::until_now()
    };
    let open = SecuritySettings {
        plugins: PluginPolicy { is_limited: false, ..limited("other/plugin", true).plugins },
        ..SecuritySettings::until_now()
    };
    let known = KnownAgainst::default();
    // What of a plugin and of a library is withheld and refused.
    for (settings, plugin) in [
        (open, (false, false)),
        (limited("other/plugin", false), (true, false)),
        (limited("other/plugin", true), (true, true)),
        (limited("", true), (true, true)),
        (limited("acme/*", true), (false, false)),
        (limited("acme/lib", true), (false, false)),
    ] {
        for (kind, (is_withheld, is_refused)) in
            [("composer-plugin", plugin), ("composer-installer", plugin), ("library", (false, false))]
        {
            for is_mirrored in [false, true] {
                let version = version("1.0.0.0", &json!({"type": kind, "require": {"php": "*"}}));
                let (withheld, refused) = said(&settings, is_mirrored, &known, &version);
                assert_eq!(
                    (withheld.is_some(), refused.is_some()),
                    (is_withheld, is_refused),
                    "{settings:?} {kind}"
                );
            }
        }
    }
}

#[test]
fn advisories_block_if_they_are_asked_to() {
    let advisory = Advisory {
        id: "PKSA-1".to_owned(),
        package: "acme/lib".parse().unwrap(),
        affected: ">=1.0,<1.2".parse().unwrap(),
        report: None,
    };
    let known = KnownAgainst { advisories: vec![advisory], ..KnownAgainst::default() };
    let blocking = SecuritySettings { blocks_advisories: true, ..SecuritySettings::of_new() };
    for (settings, normalized, is_blocked) in [
        (&SecuritySettings::of_new(), "1.1.0.0", false),
        (&blocking, "1.1.0.0", true),
        (&blocking, "1.2.0.0", false),
        (&blocking, "dev-main", false),
        (&blocking, "1.1.9999999.9999999-dev", true),
    ] {
        let (withheld, refused) = said(settings, false, &known, &version(normalized, &json!({})));
        assert_eq!((withheld.is_some(), refused.is_some()), (is_blocked, is_blocked), "{normalized}");
    }
    let (withheld, _) = said(&blocking, true, &known, &version("1.1.0.0", &json!({})));
    assert_eq!(withheld.unwrap().because, "The security advisory PKSA-1 names it.");
}

#[test]
fn a_release_has_to_be_old_enough() {
    let waiting = |days, exceptions: &str| SecuritySettings {
        cooldown_days: CooldownDays(days),
        cooldown_exceptions: exceptions.parse().unwrap(),
        ..SecuritySettings::of_new()
    };
    // First seen on day 10; it is day 12.
    for (settings, is_mirrored, normalized, until) in [
        (waiting(0, ""), true, "1.0.0.0", None),
        (waiting(2, ""), true, "1.0.0.0", None),
        (waiting(3, ""), true, "1.0.0.0", Some(at(13))),
        (waiting(3, ""), true, "1.0.0.0-beta1", Some(at(13))),
        (waiting(3, ""), true, "dev-main", None),
        (waiting(3, ""), false, "1.0.0.0", None),
        (waiting(3, "acme/*"), true, "1.0.0.0", None),
        (waiting(3, "other/*"), true, "1.0.0.0", Some(at(13))),
    ] {
        let (withheld, refused) =
            said(&settings, is_mirrored, &KnownAgainst::default(), &version(normalized, &json!({})));
        assert_eq!(withheld.and_then(|it| it.until), until, "{settings:?} {normalized}");
        assert_eq!(refused, None, "lock files go on");
    }
    let (withheld, _) =
        said(&waiting(3, ""), true, &KnownAgainst::default(), &version("1.0.0.0", &json!({})));
    assert_eq!(withheld.unwrap().because, "It was first seen less than 3 days ago.");
}

#[test]
fn a_name_that_became_private_is_no_longer_a_mirrors() {
    let private = SecuritySettings { private_names: "acme/*".parse().unwrap(), ..SecuritySettings::of_new() };
    let release = version("1.0.0.0", &json!({}));
    let known = KnownAgainst::default();
    assert!(said(&private, true, &known, &release).0.is_some());
    assert_eq!(said(&private, false, &known, &release), (None, None), "the organization's own package");
}

#[test]
fn what_could_only_be_cloned_is_left_out_with_the_source() {
    let source =
        json!({"type": "library", "source": {"type": "git", "url": "https://git.example", "reference": "1"}});
    for (hides_source, archive, manifest, is_withheld) in [
        (HideSource::AllMirrors, Archive::Nothing, &source, true),
        (HideSource::Never, Archive::Nothing, &source, false),
        (HideSource::AllMirrors, Archive::Upload, &source, false),
        (HideSource::AllMirrors, Archive::Nothing, &json!({"type": "metapackage"}), false),
    ] {
        let settings = SecuritySettings { hides_source, ..SecuritySettings::of_new() };
        let release = Version { archive, ..version("1.0.0.0", manifest) };
        let (withheld, _) = said(&settings, true, &KnownAgainst::default(), &release);
        assert_eq!(withheld.is_some(), is_withheld, "{hides_source:?} {manifest}");
    }
}
