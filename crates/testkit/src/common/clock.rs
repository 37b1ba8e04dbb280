//! A clock that a test can move.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The time of the machine, moved by as much as a test wants.
#[derive(Default)]
pub(crate) struct Clock {
    moved: SignedDuration,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "a fake is another machine: it has its own clock")]
        let now = Timestamp::now();
        now + self.moved
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.moved += signed(by);
    }

    pub(crate) fn go_back(&mut self, by: Duration) {
        self.moved -= signed(by);
    }
}

fn signed(by: Duration) -> SignedDuration {
    SignedDuration::try_from(by).expect("a test moves time by years at most")
}
