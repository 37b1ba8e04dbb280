//! Which decisions a statement may make wrong that were right before.

/// Whether a statement can make a decision of each kind wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Whether a visitor with a pass may see a page behind a proxy.
    pub(crate) passes: bool,
    /// What the holder of a token reads.
    pub(crate) readers: bool,
}

impl Touched {
    pub(crate) fn by(sql: &str) -> Self {
        Self { passes: PASSES.is_touched_by(sql), readers: READERS.is_touched_by(sql) }
    }
}

/// What decisions of one kind are made from.
struct Grounds {
    /// The tables, with all that lead to them by deletion.
    tables: &'static [&'static str],
    /// Columns of them that decide nothing.
    signs_of_life: &'static [(&'static str, &'static [&'static str])],
    /// Whether a new row decides nothing that was decided before.
    forgives_new_rows: bool,
}

/// Nobody has a pass yet that hangs on a new row. A browser shows a sign of life once a minute, which only lets a login live on.
/// So visitors who come and go do not make the decisions about others forgotten.
const PASSES: Grounds = Grounds {
    tables: &["website", "website_member", "website_login", "website_pass", "organization", "integration"],
    signs_of_life: &[("website_login", &["seen_at"])],
    forgives_new_rows: true,
};

/// A new row counts: it may be what somebody may read from now on.
const READERS: Grounds = Grounds {
    tables: &[
        "token",
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
        "synchronization",
        "remote_person",
        "remote_group",
        "remote_group_person",
    ],
    signs_of_life: &[
        ("token", &["used_at"]),
        ("identity", &["grant", "grant_revision", "broken_because", "refreshing_until"]),
        ("repository", &["checked_at", "last_error"]),
        (
            "synchronization",
            &["succeeded_at", "failing_since", "last_error", "notes", "next_at", "told_at", "preview"],
        ),
    ],
    forgives_new_rows: false,
};

impl Grounds {
    fn is_touched_by(&self, sql: &str) -> bool {
        let is_new_row = sql.starts_with("INSERT") && !sql.contains("ON CONFLICT");
        let decides_nothing = is_new_row && self.forgives_new_rows || self.is_sign_of_life(sql);
        // A name is quoted in a statement, so it is not found in a longer one.
        !decides_nothing && self.tables.iter().any(|table| sql.contains(&format!("\"{table}\"")))
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
    use super::Touched;
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
            (r#"UPDATE "token" SET "used_at" = $1 WHERE "token"."id" = $2"#, false, false),
            (r#"UPDATE "token" SET "secret_hash" = $1, "used_at" = $2 WHERE "id" = $3"#, false, true),
            (r#"UPDATE "repository" SET "checked_at" = ?, "last_error" = ? WHERE "id" = ?"#, false, false),
            (r#"UPDATE "repository" SET "checked_at" = ?, "number" = ? WHERE "id" = ?"#, false, true),
            (r#"UPDATE "identity" SET "grant_revision" = "grant_revision" + ?, "grant" = ?"#, false, false),
            (r#"INSERT INTO "team_package" ("team_id") VALUES (?)"#, false, true),
            (r#"DELETE FROM "member" WHERE "user_id" = ?"#, false, true),
            (r#"UPDATE "job" SET "state" = ?"#, false, false),
        ] {
            assert_eq!(Touched::by(sql), Touched { passes, readers }, "{sql}");
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
            Box::pin(storage.token_used(id(1), at(1))),
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
