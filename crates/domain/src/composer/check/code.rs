//! What the installer acts on.

use super::{Check, Severity, is_php_array, items_of, kind};
use serde_json::Value;

impl Check<'_> {
    pub(super) fn code(&mut self) {
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if self.text("type", Severity::Fatal).is_some_and(|kind| !is_word(kind)) {
            self.warning("type", "“type” has only letters, digits and “-”.");
        }
        let has_target_dir = self.text("target-dir", Severity::Fatal).is_some();
        self.items("extra", Severity::Error);
        self.items("scripts", Severity::Error);
        self.items("transport-options", Severity::Error);
        for (index, path) in self.items("include-path", Severity::Fatal) {
            if !path.is_string() && !path.is_number() {
                self.error(format!("include-path.{index}"), format!("A path is a text, not {}.", kind(path)));
            }
        }
        self.binaries();
        self.autoload(has_target_dir);
        self.php_extension();
    }

    fn binaries(&mut self) {
        match self.manifest.get("bin") {
            None => {}
            Some(Value::String(path)) => self.binary("bin", path),
            Some(_) => {
                for (index, path) in self.items("bin", Severity::Fatal) {
                    let field = format!("bin.{index}");
                    match path {
                        Value::String(path) => self.binary(&field, path),
                        other => {
                            self.fatal(field, format!("A path in “bin” is a text, not {}.", kind(other)));
                        }
                    }
                }
            }
        }
    }

    fn binary(&mut self, field: &str, path: &str) {
        if path.split(['/', '\\']).any(|part| part == "..") {
            self.error(field, format!("The path {path} leaves the package. Remove the “..”."));
        } else if path.contains(|c: char| c.is_control() || ";&|`$<>(){}[]!*?'\"".contains(c)) {
            self.error(
                field,
                format!("The path {path} has characters that a shell acts on. Rename the file."),
            );
        }
    }

    fn autoload(&mut self, has_target_dir: bool) {
        const KINDS: [&str; 5] = ["psr-0", "psr-4", "classmap", "files", "exclude-from-classmap"];
        for (kind, map) in self.items("autoload", Severity::Fatal) {
            if !KINDS.contains(&kind.as_str()) {
                self.error("autoload", format!("“autoload” knows {}, not {kind}.", KINDS.join(", ")));
            }
            let namespaces = if kind == "psr-4" { items_of(map) } else { Vec::new() };
            for (namespace, _) in namespaces {
                if !namespace.is_empty() && !namespace.ends_with('\\') {
                    self.error(
                        "autoload.psr-4",
                        format!("The namespace {namespace} ends with a backslash: {namespace}\\."),
                    );
                }
            }
            if kind == "psr-4" && has_target_dir {
                self.error("target-dir", "“target-dir” cannot be used together with psr-4. Remove it.");
            }
        }
    }

    fn php_extension(&mut self) {
        let Some(extension) = self.manifest.get("php-ext") else { return };
        if !is_php_array(extension) {
            return self.error("php-ext", format!("“php-ext” is an object, not {}.", kind(extension)));
        }
        if !matches!(self.manifest.text("type"), Some("php-ext" | "php-ext-zend")) {
            self.error("php-ext", "“php-ext” belongs to packages of type php-ext or php-ext-zend.");
        }
        for (key, value) in items_of(extension) {
            let is_right = match key.as_str() {
                "extension-name" => value.is_string(),
                "build-path" => value.is_string() || value.is_null(),
                "priority" => value.is_i64(),
                "support-zts" | "support-nts" => value.is_boolean(),
                "configure-options" | "os-families" | "os-families-exclude" => value.is_array(),
                _ => true,
            };
            if !is_right {
                self.error(format!("php-ext.{key}"), format!("“{key}” cannot be {}.", kind(value)));
            }
            if key.starts_with("os-families") {
                self.os_families(&key, value);
            }
        }
    }

    fn os_families(&mut self, key: &str, families: &Value) {
        const FAMILIES: [&str; 6] = ["windows", "bsd", "darwin", "solaris", "linux", "unknown"];
        for (index, family) in items_of(families) {
            if !family.as_str().is_some_and(|family| FAMILIES.contains(&family)) {
                let sentence = format!("{family} is not one of {}.", FAMILIES.join(", "));
                self.error(format!("php-ext.{key}.{index}"), sentence);
            }
        }
    }
}
