//! Which decisions a statement may make wrong that were right before.

use serde::{Deserialize, Serialize};

/// Whether a statement can make a decision of each kind wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of decision, and any of them go together")]
pub(crate) struct Touched {
    /// Whether a visitor with a pass may see a page behind a proxy.
    pub(crate) passes: bool,
    /// What the holder of a token reads.
    pub(crate) readers: bool,
    /// Which packages there are for them: wherever the former is wrong, and when a mirror has brought one.
    pub(crate) lists: bool,
    /// Where the dist of a commit is.
    pub(crate) dists: bool,
}

impl Touched {
    pub(crate) fn by(sql: &str) -> Self {
        Self {
            passes: PASSES.is_touched_by(sql),
            readers: READERS.is_touched_by(sql),
            lists: READERS.is_touched_by(sql),
            dists: DISTS.is_touched_by(sql),
        }
    }

    pub(crate) fn everything() -> Self {
        Self { passes: true, readers: true, lists: true, dists: true }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            passes: self.passes || other.passes,
            readers: self.readers || other.readers,
            lists: self.lists || other.lists,
            dists: self.dists || other.dists,
        }
    }
}

/// Whether a statement writes documents, or takes some along with something else.
pub(crate) fn writes_documents(sql: &str) -> bool {
    DOCUMENTS.is_touched_by(sql)
}

/// What decisions of one kind are made from.
struct Grounds {
    /// The tables, with all that lead to them by deletion.
    tables: &'static [&'static str],
    /// Tables of which only a deletion counts: it takes rows of those along.
    roots: &'static [&'static str],
    /// Columns of them that decide nothing.
    signs_of_life: &'static [(&'static str, &'static [&'static str])],
    /// Those of which a new row decides nothing that was decided before.
    forgives_new_rows_of: &'static [&'static str],
}

/// Nobody has a pass yet that hangs on a new row. A browser shows a sign of life once a minute, which only lets a login live on.
/// So visitors who come and go do not make the decisions about others forgotten.
const PASSES: Grounds = Grounds {
    tables: &["website", "website_member", "website_login", "website_pass", "organization", "integration"],
    roots: &[],
    signs_of_life: &[("website_login", &["seen_at"])],
    forgives_new_rows_of: &[
        "website",
        "website_member",
        "website_login",
        "website_pass",
        "organization",
        "integration",
    ],
};

/// A new row counts: it may be what somebody may read from now on.
const READERS: Grounds = Grounds {
    tables: &[
        "token",
        "security",
        "member",
        "organization",
        "user",
        "integration",
        "identity",
        "team",
        "team_member",
        "team_package",
        "package",
        "repository",
        "mirror",
        "synchronization",
        "remote_person",
        "remote_group",
        "remote_group_person",
    ],
    roots: &[],
    signs_of_life: &[
        ("token", &["used_at", "used_from"]),
        ("identity", &["grant", "grant_revision", "broken_because", "refreshing_until"]),
        ("repository", &["checked_at", "last_error"]),
        ("mirror", &["checked_at", "last_error", "failing_since", "changes_since"]),
        (
            "synchronization",
            &["succeeded_at", "failing_since", "last_error", "notes", "next_at", "told_at", "preview"],
        ),
    ],
    forgives_new_rows_of: &[],
};

/// A dist that is new is no other one's; a refusal that is new may be of one that was sent until now.
const DISTS: Grounds = Grounds {
    tables: &["package", "dist", "refusal"],
    roots: &["organization", "repository", "mirror"],
    signs_of_life: &[],
    forgives_new_rows_of: &["package", "dist"],
};

/// Who writes a document names it; this is for what goes along with something else.
const DOCUMENTS: Grounds = Grounds {
    tables: &["document"],
    roots: &["package", "organization", "repository", "mirror"],
    signs_of_life: &[],
    forgives_new_rows_of: &[],
};

impl Grounds {
    fn is_touched_by(&self, sql: &str) -> bool {
        let new_row_of = sql.strip_prefix("INSERT INTO \"").filter(|_| !sql.contains("DO UPDATE"));
        let new_row_of = new_row_of.and_then(|rest| rest.split('"').next());
        let is_forgiven = new_row_of.is_some_and(|table| self.forgives_new_rows_of.contains(&table));
        let decides_nothing = is_forgiven || self.is_sign_of_life(sql);
        // A name is quoted in a statement, so it is not found in a longer one.
        let names = |table: &&str| sql.contains(&format!("\"{table}\""));
        let is_deletion = || sql.starts_with("DELETE");
        !decides_nothing && (self.tables.iter().any(names) || is_deletion() && self.roots.iter().any(names))
    }

    /// Whether a statement changes columns alone that decide nothing.
    fn is_sign_of_life(&self, sql: &str) -> bool {
        let Some((table, rest)) = sql.strip_prefix("UPDATE \"").and_then(|rest| rest.split_once("\" SET "))
        else {
            return false;
        };
        let Some((_, columns)) = self.signs_of_life.iter().find(|(name, _)| *name == table) else {
            return false;
        };
        let changes = rest.split_once(" WHERE ").map_or(rest, |(changes, _)| changes);
        changes.split(", ").all(|change| {
            let column = change.strip_prefix('"').and_then(|change| change.split_once("\" = "));
            column.is_some_and(|(column, _)| columns.contains(&column))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Touched, writes_documents};
    use crate::{
        StorageError,
        testing::{
            acme_mailer, ada, at, connected, id, member, synchronization::synchronization, test_storage,
        },
    };
    use futures::future::BoxFuture;
    use stave_domain::{organization::Role, secret::Sealed, team::Team};

    #[test]
    fn what_may_make_a_decision_wrong() {
        for (sql, passes, readers) in [
            (r#"UPDATE "website_login" SET "seen_at" = ? WHERE "website_login"."id" = ?"#, false, false),
            (r#"UPDATE "website_login" SET "seen_at" = ?, "member_id" = ? WHERE "id" = ?"#, true, false),
            (r#"INSERT INTO "website_login" ("id") VALUES (?)"#, false, false),
            (
                r#"INSERT INTO "website_login" ("id") VALUES (?) ON CONFLICT ("id") DO UPDATE SET "id" = ?"#,
                true,
                false,
            ),
            (r#"DELETE FROM "website_pass" WHERE "secret_hash" = ?"#, true, false),
            (r#"DELETE FROM "website_trip""#, false, false),
            (r#"UPDATE "organization" SET "name" = ?"#, true, true),
            (r#"UPDATE "token" SET "used_at" = $1, "used_from" = $2 WHERE "token"."id" = $3"#, false, false),
            (r#"UPDATE "token" SET "description" = $1, "selection" = $2 WHERE "id" = $3"#, false, true),
            (r#"UPDATE "token" SET "secret_hash" = $1, "used_at" = $2 WHERE "id" = $3"#, false, true),
            (r#"UPDATE "repository" SET "checked_at" = ?, "last_error" = ? WHERE "id" = ?"#, false, false),
            (r#"UPDATE "repository" SET "checked_at" = ?, "number" = ? WHERE "id" = ?"#, false, true),
            (r#"UPDATE "identity" SET "grant_revision" = "grant_revision" + ?, "grant" = ?"#, false, false),
            (r#"INSERT INTO "team_package" ("team_id") VALUES (?)"#, false, true),
            (r#"DELETE FROM "member" WHERE "user_id" = ?"#, false, true),
            (r#"UPDATE "job" SET "state" = ?"#, false, false),
        ] {
            let touched = Touched::by(sql);
            assert_eq!((touched.passes, touched.readers), (passes, readers), "{sql}");
        }
    }

    #[test]
    fn what_may_make_something_else_of_what_is_sent() {
        for (sql, dists, documents) in [
            (r#"INSERT INTO "dist" ("commit") VALUES (?) ON CONFLICT ("commit") DO NOTHING"#, false, false),
            (r#"DELETE FROM "dist" WHERE "commit" = ?"#, true, false),
            (r#"INSERT INTO "package" ("id") VALUES (?)"#, false, false),
            (r#"INSERT INTO "refusal" ("commit") VALUES (?)"#, true, false),
            (r#"UPDATE "package" SET "name" = ?"#, true, false),
            (r#"DELETE FROM "package" WHERE "id" = ?"#, true, true),
            (r#"DELETE FROM "repository" WHERE "id" = ?"#, true, true),
            (r#"UPDATE "repository" SET "checked_at" = ?"#, false, false),
            (r#"DELETE FROM "mirror" WHERE "id" = ?"#, true, true),
            (r#"UPDATE "organization" SET "name" = ?"#, false, false),
            (
                r#"INSERT INTO "document" ("name") VALUES (?) ON CONFLICT ("name") DO UPDATE SET "a" = ?"#,
                false,
                true,
            ),
            (r#"UPDATE "token" SET "used_at" = $1"#, false, false),
        ] {
            assert_eq!((Touched::by(sql).dists, writes_documents(sql)), (dists, documents), "{sql}");
        }
    }

    #[tokio::test]
    async fn what_readers_are_decided_from_is_counted() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let identity = connected(&storage, ada(&storage).await).await;
        storage.synchronization_insert(&synchronization(1, "one")).await.unwrap();
        let counted = async |change: BoxFuture<'_, Result<(), StorageError>>| {
            let before = storage.reader_change_count();
            change.await.unwrap();
            storage.reader_change_count() - before
        };
        let nobody_reads_more_or_less: [BoxFuture<'_, _>; 5] = [
            Box::pin(storage.repository_checked(id(1), at(1), Some("No."))),
            Box::pin(storage.token_used(id(1), at(1), None)),
            Box::pin(storage.synchronization_succeeded(id(1), at(1), at(2), &[])),
            Box::pin(storage.member_delete(acme, id(99))),
            Box::pin(async {
                assert!(storage.identity_grant_update(identity.id, 1, &Sealed(vec![2])).await?);
                storage.setting_put("a", "1").await
            }),
        ];
        for (number, change) in nobody_reads_more_or_less.into_iter().enumerate() {
            assert_eq!(counted(change).await, 0, "{number}");
        }
        let ada = member(acme, id(1), Role::Member);
        let team = Team {
            id: id(1),
            organization_id: acme,
            name: "devs".into(),
            group: None,
            reads_all: false,
            adds_packages: false,
            created_at: at(0),
        };
        let somebody_does: [BoxFuture<'_, _>; 4] = [
            Box::pin(storage.member_upsert(&ada)),
            Box::pin(storage.team_insert(&team)),
            Box::pin(storage.team_package_put(team.id, mailer)),
            Box::pin(storage.identity_delete(identity.id)),
        ];
        for (number, change) in somebody_does.into_iter().enumerate() {
            assert_eq!(counted(change).await, 1, "{number}");
        }
    }
}
