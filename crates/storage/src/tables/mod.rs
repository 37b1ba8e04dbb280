//! The tables: one `SeaORM` entity each, and how its rows become records of the domain.
//!
//! Private to this room. Records go in with `From<&Record>`, which spells every column, so that a new column stops
//! the build and not the service; rows come out with `TryFrom<Model>`, which names what cannot be.
#![expect(unreachable_pub, reason = "SeaORM's derives write `pub` items; none of them leaves the room")]

pub mod advisory;
pub mod attempt;
pub mod check;
pub mod credential;
pub mod definition;
pub mod delivery;
pub mod dist;
pub mod document;
pub mod document_name;
pub mod download;
pub mod endpoint;
pub mod identity;
pub mod install;
pub mod integration;
pub mod job;
pub mod log;
pub mod login;
pub mod member;
pub mod mirror;
pub mod mirrored_package;
pub mod organization;
pub mod organization_key;
pub mod package;
pub mod package_facet;
pub mod publication;
pub mod readme;
pub mod refusal;
pub mod registration;
pub mod remote_group;
pub mod remote_group_person;
pub mod remote_person;
pub mod remote_repository;
pub mod repository;
pub mod run;
pub mod security;
pub mod setting;
pub mod synchronization;
pub mod team;
pub mod team_member;
pub mod team_package;
pub mod token;
pub mod user;
pub mod version;
pub mod webhook;
pub mod website;

use crate::StorageError;
use stave_domain::{Timestamp, secret::SecretHash};
use std::{fmt::Display, str::FromStr};

/// A row on its way to being a record. What cannot be is reported with table, column and row.
pub struct Row {
    table: &'static str,
    id: String,
}

impl Row {
    pub fn of(table: &'static str, id: impl Display) -> Self {
        Self { table, id: id.to_string() }
    }

    pub fn corrupt(&self, column: &'static str) -> StorageError {
        StorageError::Corrupt { table: self.table, column, id: self.id.clone() }
    }

    pub fn instant(&self, column: &'static str, millis: i64) -> Result<Timestamp, StorageError> {
        Timestamp::from_millisecond(millis).map_err(|_| self.corrupt(column))
    }

    pub fn instant_or_null(
        &self,
        column: &'static str,
        millis: Option<i64>,
    ) -> Result<Option<Timestamp>, StorageError> {
        millis.map(|millis| self.instant(column, millis)).transpose()
    }

    pub fn hash(&self, column: &'static str, bytes: Vec<u8>) -> Result<SecretHash, StorageError> {
        bytes.try_into().map(SecretHash).map_err(|_| self.corrupt(column))
    }

    pub fn parse<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, StorageError> {
        text.parse().map_err(|_| self.corrupt(column))
    }

    pub fn parse_or_null<T: FromStr>(
        &self,
        column: &'static str,
        text: Option<String>,
    ) -> Result<Option<T>, StorageError> {
        text.map(|text| self.parse(column, &text)).transpose()
    }

    pub fn json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
        text: &str,
    ) -> Result<T, StorageError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(column))
    }

    pub fn number<T: TryFrom<i64>>(&self, column: &'static str, value: i64) -> Result<T, StorageError> {
        value.try_into().map_err(|_| self.corrupt(column))
    }
}

/// The first bytes of a hash: enough to find the row by, useless for anything else.
pub fn hash_prefix(hash: &[u8]) -> String {
    hex::encode(&hash[..hash.len().min(4)])
}

/// What a search looks through: the texts in lower case, because only Rust knows lower case on both engines.
pub fn search_text(texts: &[&str]) -> String {
    texts.join("\n").to_lowercase()
}

/// JSON text of a value of ours.
pub fn json_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("our own values have no maps with odd keys and no failing serializer")
}
