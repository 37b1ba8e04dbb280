//! composer.json, as anybody may write it.
#![no_main]

use stave_domain::composer::manifest::Manifest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    _ = (manifest.version(), manifest.time(), manifest.archive_excludes());
    if let Ok(name) = "acme/mailer".parse() {
        let served = manifest.served(&name);
        // Of a file with nothing but a name nothing is left: the name comes from elsewhere.
        assert!(served == "{}" || served.parse::<Manifest>().is_ok(), "what is served can be read: {served}");
    }
});
