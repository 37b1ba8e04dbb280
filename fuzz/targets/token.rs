//! What a client sends to prove who it is.
#![no_main]

use stave_domain::token::{in_authorization, is_well_formed};

libfuzzer_sys::fuzz_target!(|text: &str| {
    _ = is_well_formed(text);
    if let Some(found) = in_authorization(text) {
        _ = is_well_formed(found.expose());
    }
    let header = format!("Bearer {text}");
    assert_eq!(in_authorization(&header).is_some(), !text.trim().is_empty(), "{header:?}");
});
