//! `source` and `dist`.

use super::{Check, Severity, kind};
use serde_json::Value;

impl Check<'_> {
    pub(super) fn origins(&mut self) {
        self.origin("source", &["type", "url", "reference"]);
        self.origin("dist", &["type", "url"]);
    }

    fn origin(&mut self, section: &str, required: &[&str]) {
        if self.items(section, Severity::Error).is_empty() {
            return;
        }
        let get = |key: &str| {
            self.manifest.get(section).and_then(|origin| origin.get(key)).filter(|v| !v.is_null())
        };
        let values = ["type", "url", "reference"].map(|key| (key, get(key)));
        for (key, value) in values {
            let field = format!("{section}.{key}");
            match value {
                None if required.contains(&key) => {
                    self.fatal(field, format!("“{key}” is missing in “{section}”."));
                }
                Some(Value::String(text)) if key != "type" && text.trim_start().starts_with('-') => {
                    self.error(
                        field,
                        format!("“{key}” must not start with “-”: programs would take it for an option."),
                    );
                }
                None | Some(Value::String(_)) => {}
                Some(Value::Number(number)) if key == "reference" && number.is_i64() => {}
                Some(other) => self.error(field, format!("“{key}” is a text, not {}.", kind(other))),
            }
        }
    }
}
