//! Links to other packages.

use super::{Check, Severity, items_of, kind};
use crate::{
    composer::{alias, served::LINKS},
    package::name,
    version::Constraint,
};
use serde_json::Value;

impl Check<'_> {
    pub(super) fn links(&mut self) {
        for section in LINKS {
            for (target, constraint) in self.items(section, Severity::Error) {
                self.link(section, &target, constraint);
            }
        }
        for (target, reason) in self.items("suggest", Severity::Error) {
            if !reason.is_string() {
                let sentence = format!("The reason to suggest {target} is a text, not {}.", kind(reason));
                self.fatal(format!("suggest.{target}"), sentence);
            }
        }
    }

    fn link(&mut self, section: &str, target: &str, constraint: &Value) {
        let field = format!("{section}.{target}");
        if self.manifest.name().is_some_and(|name| name.eq_ignore_ascii_case(target)) {
            return self
                .error(field, format!("A package cannot have itself in “{section}”. Remove the line."));
        }
        if let Err(problem) = name::check(target) {
            self.warning(field.clone(), problem.0);
        }
        match constraint {
            Value::String(constraint) if constraint == "self.version" => {}
            Value::String(constraint) => match Constraint::parse(constraint) {
                Err(problem) => {
                    return self.fatal(field, problem.0);
                }
                Ok(constraint) if !constraint.is_satisfiable() => {
                    self.warning(field.clone(), format!("No version of {target} can match its constraint."));
                }
                Ok(_) => {}
            },
            other => self.error(field.clone(), format!("A constraint is a text, not {}.", kind(other))),
        }
        let is_replaced =
            || self.manifest.get("replace").is_some_and(|replace| replace.get(target).is_some());
        if section == "conflict" && is_replaced() {
            self.error(field, "A package that is replaced conflicts already. Remove the line.");
        }
    }

    pub(super) fn branch_aliases(&mut self) {
        let Some(aliases) = self.manifest.get("extra").and_then(|extra| extra.get("branch-alias")) else {
            return;
        };
        if !super::is_php_array(aliases) {
            return self.error(
                "extra.branch-alias",
                "“branch-alias” is an object, such as {\"dev-main\": \"1.x-dev\"}.",
            );
        }
        for (source, target) in items_of(aliases) {
            if let Some(sentence) = alias::problem(&source, target) {
                self.warning(format!("extra.branch-alias.{source}"), sentence);
            }
        }
    }
}
