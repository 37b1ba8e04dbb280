//! The connector through real HTTP, on loopback.

#![cfg(test)] // so that the lint knows that helpers may unwrap

mod asker;
mod broken;
mod circle;
mod composer_repository;
mod credential;
mod data_center;
mod data_center_oauth1;
mod endpoint;
mod follow;
mod follow_data_center;
mod inspect;
mod log;
mod oauth1;
mod probe;
mod sign_in;
mod site;
mod support;
mod unreachable;
mod webhook;
