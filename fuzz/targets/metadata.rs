//! packages.json and p2 files of other Composer repositories, and the constraints in them.
#![no_main]

use stave_domain::{
    mirror::{MirrorPackage, MirrorRoot},
    version::Constraint,
};
use url::Url;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (Ok(url), Ok(name)) = (Url::parse("https://mirror.example/sub"), "acme/mailer".parse()) else { return };
    if let Ok(root) = MirrorRoot::parse(&url, bytes) {
        _ = root.may_have(&name);
    }
    if let Ok(Some(package)) = MirrorPackage::read(&name, bytes) {
        for version in &package.found {
            assert!(stave_domain::version::normalize(&version.version).is_ok() || version.is_dev, "{version:?}");
            assert_eq!(version.commit.len(), 40, "{version:?}");
        }
    }
    if let Ok(text) = str::from_utf8(bytes) {
        _ = text.parse::<Constraint>();
    }
});
