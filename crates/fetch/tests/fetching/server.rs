//! A server on this machine that says what a test wants it to say.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Of a slow server, between any two pieces.
const PAUSE: Duration = Duration::from_millis(20);

/// It serves as long as the test runs.
pub(crate) struct Server {
    port: u16,
    log: Arc<Mutex<Vec<Ask>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Bytes of the body after which the connection ends.
    cut: Option<usize>,
    /// Bytes at a time, with a pause in between.
    piece: usize,
}

impl Server {
    /// `answer` is given each request, and how many of that method and path came before it.
    pub(crate) fn start(answer: impl Fn(&Ask, usize) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::<Ask>::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&log));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                thread::spawn(move || {
                    let Some(ask) = Ask::read(&connection) else { return };
                    let nth = {
                        let mut seen = seen.lock().unwrap();
                        let alike = |other: &&Ask| other.method == ask.method && other.path == ask.path;
                        let nth = seen.iter().filter(alike).count();
                        seen.push(ask.clone());
                        nth
                    };
                    answer(&ask, nth).write(&connection, ask.method == "HEAD");
                });
            }
        });
        Server { port, log }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All requests so far.
    pub(crate) fn log(&self) -> Vec<Ask> {
        self.log.lock().unwrap().clone()
    }

    /// The same as `METHOD path`, with the range that was asked for.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |ask: &Ask| {
            let range = ask.headers.get("range").map_or_else(String::new, |range| format!(" {range}"));
            format!("{} {}{range}", ask.method, ask.path)
        };
        self.log().iter().map(line).collect()
    }

    /// How often files were asked for.
    pub(crate) fn gets(&self) -> usize {
        self.log().iter().filter(|ask| ask.method == "GET" && !ask.path.starts_with("/api/")).count()
    }
}

impl Ask {
    fn read(connection: &TcpStream) -> Option<Ask> {
        let mut lines = BufReader::new(connection).lines();
        let first = lines.next()?.ok()?;
        let mut words = first.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        for line in lines {
            let line = line.ok()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        Some(Ask { method, path, headers })
    }

    /// The first byte that is wanted.
    pub(crate) fn from(&self) -> usize {
        let range = self.headers.get("range").and_then(|range| range.strip_prefix("bytes="));
        range.and_then(|range| range.strip_suffix('-')).map_or(0, |from| from.parse().unwrap())
    }
}

impl Reply {
    pub(crate) fn new(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new(), cut: None, piece: usize::MAX }
    }

    /// A file, or the rest of it that is asked for.
    pub(crate) fn file(ask: &Ask, bytes: &[u8]) -> Reply {
        match ask.from() {
            0 => Reply::new(200).body(bytes),
            from if from >= bytes.len() => Reply::new(416),
            from => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Reply::new(206).header("Content-Range", &range).body(&bytes[from..])
            }
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, bytes: impl AsRef<[u8]>) -> Reply {
        self.body = bytes.as_ref().to_vec();
        self
    }

    /// The connection ends after so many bytes of the body.
    pub(crate) fn cut(mut self, after: usize) -> Reply {
        self.cut = Some(after);
        self
    }

    /// So many bytes come at a time.
    pub(crate) fn slowly(mut self, piece: usize) -> Reply {
        self.piece = piece;
        self
    }

    fn write(&self, mut connection: &TcpStream, head: bool) {
        let mut text = format!("HTTP/1.1 {} Whatever\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.headers.iter().any(|(name, _)| name == "Content-Length") {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        text += "\r\n";
        let sent = if head { 0 } else { self.cut.unwrap_or(self.body.len()) };
        // Whoever asked may be gone.
        if connection.write_all(text.as_bytes()).is_err() {
            return;
        }
        for piece in self.body[..sent].chunks(self.piece.min(sent).max(1)) {
            if connection.write_all(piece).and_then(|()| connection.flush()).is_err() {
                return;
            }
            if piece.len() < sent {
                thread::sleep(PAUSE);
            }
        }
    }
}
