//! Archives of versions: zips with a composer.json and a little PHP.

use serde_json::json;
use std::io::{Cursor, Write as _};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A zip with one folder, as code hosts make them; `number` makes it another one than all others, `filler` so many bytes larger.
pub(super) fn zip(name: &str, version: &str, number: u32, filler: usize) -> Vec<u8> {
    let folder = format!("{}-{number}", name.replace('/', "-"));
    let manifest = json!({"name": name, "description": format!("{name} {version}")}).to_string();
    let source = format!("<?php\n\nreturn '{version} {number}';\n");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut file = |path: &str, options, bytes: &[u8]| {
        zip.start_file(format!("{folder}/{path}"), options).expect("a zip takes another file");
        zip.write_all(bytes).expect("a zip in memory can be written");
    };
    file("composer.json", packed, manifest.as_bytes());
    file("src/version.php", packed, source.as_bytes());
    if filler > 0 {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        file("filler.bin", stored, &vec![b'x'; filler]);
    }
    zip.finish().expect("a zip in memory can be finished").into_inner()
}
