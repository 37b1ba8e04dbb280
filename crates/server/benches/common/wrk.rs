//! The load: `wrk`, one thread on a core of its own.

use super::process::{CLIENT_CORE, Process, pinned};

/// What a server did under load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) requests_a_second: f64,
    /// 99 of 100 answers came within so many milliseconds.
    pub(crate) p99_ms: f64,
    /// Processor time of the server for one request, in microseconds.
    pub(crate) cpu_us: f64,
}

/// Asks over so many connections at once, for so many seconds. Every answer has to be good.
pub(crate) fn load(server: &Process, path: &str, headers: &[String], of: (usize, u32)) -> Measured {
    let (connections, seconds) = of;
    let mut command = pinned(CLIENT_CORE, "wrk");
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency"]);
    command.args(headers.iter().flat_map(|header| ["-H", header.as_str()])).arg(server.url(path));
    let before = server.cpu_seconds();
    let output = command.output().expect("wrk runs; Debian has it in the package wrk");
    let cpu = server.cpu_seconds() - before;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Requests/sec") && !said.contains("Non-2xx"), "{path}: {said}");
    let after = |key: &str| said.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim();
    let requests = said.lines().find(|line| line.contains(" requests in ")).unwrap();
    let requests: f64 = requests.trim().split(' ').next().unwrap().parse().unwrap();
    Measured {
        requests_a_second: after("Requests/sec:").parse().unwrap(),
        p99_ms: milliseconds(after("99%")),
        cpu_us: cpu * 1e6 / requests,
    }
}

/// `850.00us`, `1.20ms` or `1.05s`.
fn milliseconds(text: &str) -> f64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().unwrap();
    match &text[digits.len()..] {
        "us" => number / 1000.0,
        "ms" => number,
        "s" => number * 1000.0,
        other => panic!("wrk counts in {other}"),
    }
}

/// What is in the middle of several rounds, figure by figure.
pub(crate) fn median(rounds: &[Measured]) -> Measured {
    let middle = |figure: fn(&Measured) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Measured {
        requests_a_second: middle(|it| it.requests_a_second),
        p99_ms: middle(|it| it.p99_ms),
        cpu_us: middle(|it| it.cpu_us),
    }
}
