//! Where a mirror's dists are.

use crate::vector::{Failures, cases, text};
use serde_json::json;
use stave_domain::{
    mirror::{DistOf, MirrorRoot},
    version::RemoteArchive,
};
use url::Url;

#[test]
fn the_addresses_of_dists_are_filled_in() {
    let mut failures = Failures::default();
    for case in cases("dist-mirror-urls") {
        let template = text(&case, "template");
        let root =
            json!({"packages": [], "mirrors": [{"dist-url": template, "preferred": true}]}).to_string();
        let url = Url::parse("https://r.example").unwrap();
        let root = MirrorRoot::parse(&url, root.as_bytes()).unwrap();
        let archive = RemoteArchive {
            url: String::new(),
            kind: text(&case, "type").to_owned(),
            shasum: None,
            reference: case["reference"].as_str().map(str::to_owned),
        };
        let dist = DistOf {
            name: text(&case, "package"),
            version: text(&case, "version"),
            normalized: text(&case, "version_normalized"),
            archive: &archive,
        };
        let filled: Vec<_> = root.dist_urls(&dist).iter().map(Url::to_string).collect();
        failures.compare(template, filled, vec![text(&case, "url").to_owned()]);
    }
    failures.report();
}
