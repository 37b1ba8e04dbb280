//! Archives that somebody uploads or a mirror sends.
#![no_main]

use stave_app::archive;
use std::io::Write;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (Ok(mut file), folder) = (tempfile::NamedTempFile::new(), std::env::temp_dir()) else { return };
    if file.write_all(bytes).is_err() || archive::check(file.path()).is_err() {
        return;
    }
    // What passed can be made a zip of, if it is none.
    _ = archive::to_zip(file.path(), "top", &folder);
});
