//! The log: lines on the standard error output, for people or as JSON.

use crate::config::LogFormat;
use std::io::IsTerminal;
use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, Targets, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Sends what is logged from now on to the standard error output.
pub(crate) fn start(format: LogFormat, level: LevelFilter) {
    let lines = fmt::layer().with_writer(std::io::stderr);
    let is_coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = match format {
        LogFormat::Human => lines.with_ansi(is_coloured).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
    };
    // A second start in one process, as tests do, keeps the first log.
    _ = tracing_subscriber::registry().with(heard(level)).with(lines).try_init();
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(location = panic.location().map(ToString::to_string), "a defect in Stave: {panic}");
    }));
}

/// The level is for Stave's own words. What the libraries say at `debug` and `trace` may hold headers and statements, so
/// of them only warnings are heard, and of the SQL driver only errors: it warns of every slow statement. Spans are kept
/// at every level: an error without the id of its request is half a message.
///
/// It is a filter for all layers, not one of a layer: those forget an event now and then, when a library has asked
/// whether something would be heard and then said nothing.
fn heard(level: LevelFilter) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    let words = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("sqlx", level.min(LevelFilter::ERROR))
        .with_target("stave", level);
    let is_heard = move |said: &Metadata<'_>| {
        let is_own_span =
            said.is_span() && said.target().starts_with("stave") && said.level() <= &Level::INFO;
        is_own_span || words.would_enable(said.target(), said.level())
    };
    filter_fn(is_heard).with_max_level_hint(level.max(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Page {
        fn write(&mut self, words: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(words)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(level: LevelFilter, speak: impl FnOnce()) -> String {
        let page = Page::default();
        let lines = fmt::layer().json().with_writer({
            let page = page.clone();
            move || page.clone()
        });
        tracing::subscriber::with_default(
            tracing_subscriber::registry().with(heard(level)).with(lines),
            speak,
        );
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn libraries_never_speak_in_detail() {
        let page = written(LevelFilter::TRACE, || {
            tracing::trace!("own detail");
            tracing::warn!(target: "hyper::proto", "a warning");
            tracing::debug!(target: "hyper::proto", "a header");
            tracing::debug!(target: "sqlx::query", "a statement");
            tracing::warn!(target: "sqlx::query", "a slow statement");
        });
        assert!(page.contains("own detail") && page.contains("a warning"), "{page}");
        assert!(!page.contains("a header") && !page.contains("statement"), "{page}");
    }

    #[test]
    fn an_error_names_its_request_at_every_level() {
        let page = written(LevelFilter::ERROR, || {
            tracing::info_span!("request", id = "0123abcd").in_scope(|| {
                tracing::info!("not heard");
                tracing::error!("heard");
            });
        });
        assert!(page.contains("0123abcd") && !page.contains("not heard"), "{page}");
    }
}
