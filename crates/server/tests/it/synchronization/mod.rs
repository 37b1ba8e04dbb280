//! Synchronization: an organization follows a workspace of Bitbucket Cloud, or a project of Data Center.

#![expect(clippy::print_stdout, reason = "figures are for whoever runs these tests; none is asserted")]

mod acme;
mod delivery;
mod failure;
mod following;
mod platform;
mod random;
mod scale;
mod truth;
