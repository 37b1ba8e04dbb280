//! Asking one request after the other on one connection.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

/// A connection that is kept open.
pub(crate) struct Client {
    stream: TcpStream,
    token: String,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Duration,
}

impl Client {
    pub(crate) fn new(port: u16, token: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, token: token.to_owned() }
    }

    /// The same connection with another token.
    pub(crate) fn become_holder_of(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\nAccept-Encoding: gzip\r\n\r\n",
            self.token
        );
        let began = Instant::now();
        self.stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        let head = loop {
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the connection was closed");
            answer.extend_from_slice(&buffer[..count]);
            if let Some(end) = answer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let mut body = answer.split_off(head);
        let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        while body.len() < length {
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the connection was closed");
            body.extend_from_slice(&buffer[..count]);
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body, took: began.elapsed() }
    }

    /// Asks until it is there.
    pub(crate) fn wait_for(&mut self, path: &str) -> Reply {
        let began = Instant::now();
        loop {
            let reply = self.get(path);
            if reply.status == 200 {
                return reply;
            }
            assert!(began.elapsed() < Duration::from_mins(2), "{path}: {}", reply.head);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The median of so many answers, in microseconds; all of them have to be good.
    pub(crate) fn median_us(&mut self, count: usize, path: impl Fn(usize) -> String) -> f64 {
        let mut times: Vec<f64> = (0..count)
            .map(|number| {
                let reply = self.get(&path(number));
                assert_eq!(reply.status, 200, "{}", reply.head);
                reply.took.as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[count / 2]
    }
}
