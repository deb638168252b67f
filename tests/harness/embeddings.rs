//! A server on this machine that answers `/v1/embeddings`, or says what a test wants it to say.

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use store::Digest;

/// d of what it answers, where nothing else is asked for.
pub const EMBEDDING: usize = 16;

/// It serves as long as the test runs.
pub struct EmbeddingServer {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    log: Mutex<Vec<Asked>>,
    /// How often each text was answered in full.
    answered: Mutex<BTreeMap<String, usize>>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Such as `/v1/embeddings`.
    pub path: String,
    /// By names in small letters.
    pub headers: BTreeMap<String, String>,
    /// What it says.
    pub body: Value,
    /// Its texts.
    pub texts: Vec<String>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Bytes of the body after which the connection ends.
    cut: Option<usize>,
    /// Bytes at a time, with a pause in between.
    piece: usize,
    never: bool,
}

/// The features of a text: each word moves it its own way. (d,), of length one.
pub fn embedding(text: &str, width: usize) -> Vec<f32> {
    let mut row = vec![0.01_f32; width];
    for word in text.split_whitespace() {
        let digest = Digest::of(word.to_lowercase().as_bytes());
        let bytes = digest.as_bytes();
        row.iter_mut().enumerate().for_each(|(at, value)| *value += f32::from(bytes[at % 32] as i8) / 128.0);
    }
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    row.iter().map(|value| value / length).collect()
}

impl EmbeddingServer {
    /// One that answers everything.
    pub fn start() -> EmbeddingServer {
        EmbeddingServer::with(|asked, _| Answer::rows(asked))
    }

    /// `answer` is given each request, and how many came before it.
    pub fn with(answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> EmbeddingServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let (answer, own) = (Arc::new(answer), Arc::clone(&state));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, state) = (Arc::clone(&answer), Arc::clone(&own));
                thread::spawn(move || {
                    let Some(asked) = Asked::read(&connection) else { return };
                    let nth = {
                        let mut log = state.log.lock().unwrap();
                        log.push(asked.clone());
                        log.len() - 1
                    };
                    let answer = answer(&asked, nth);
                    if answer.status == 200 && answer.cut.is_none() && !answer.never {
                        let mut answered = state.answered.lock().unwrap();
                        asked.texts.iter().for_each(|text| *answered.entry(text.clone()).or_default() += 1);
                    }
                    answer.write(&connection);
                });
            }
        });
        EmbeddingServer { port, state }
    }

    /// What `--base-url` takes.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// All requests so far.
    pub fn log(&self) -> Vec<Asked> {
        self.state.log.lock().unwrap().clone()
    }

    /// How often each text was answered, the made-up sentences left out.
    pub fn answered(&self) -> BTreeMap<String, usize> {
        let mut answered = self.state.answered.lock().unwrap().clone();
        answered.retain(|text, _| !input::text::PROBES.contains(&text.as_str()));
        answered
    }
}

impl Asked {
    fn read(connection: &TcpStream) -> Option<Asked> {
        let mut reader = BufReader::new(connection);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
            Some(line.trim_end().to_owned())
        };
        let path = line()?.split(' ').nth(1)?.to_owned();
        let mut headers = BTreeMap::new();
        while let Some((name, value)) = line()?.split_once(':') {
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        let body: Value = serde_json::from_slice(&body).ok()?;
        let texts = body["input"].as_array()?.iter().map(|text| text.as_str().unwrap().to_owned()).collect();
        Some(Asked { path, headers, body, texts })
    }

    /// Whether these are the made-up sentences.
    pub fn is_of_probes(&self) -> bool {
        self.texts == input::text::PROBES
    }

    /// The width that is asked for.
    pub fn width(&self) -> usize {
        self.body["dimensions"].as_u64().map_or(EMBEDDING, |n| n as usize)
    }
}

impl Answer {
    /// What a server answers that is as it should be; the last row comes first.
    pub fn rows(asked: &Asked) -> Answer {
        let rows: Vec<Vec<f32>> = asked.texts.iter().map(|text| embedding(text, asked.width())).collect();
        Answer::these(&rows)
    }

    /// These rows.
    pub fn these(rows: &[Vec<f32>]) -> Answer {
        let item = |(index, row): (usize, &Vec<f32>)| json!({"object": "embedding", "index": index, "embedding": row});
        let data: Vec<Value> = rows.iter().enumerate().rev().map(item).collect();
        let usage = json!({"prompt_tokens": 3 * rows.len(), "total_tokens": 3 * rows.len()});
        Answer::new(200, json!({"object": "list", "data": data, "model": "m", "usage": usage}).to_string())
    }

    /// A status and a body.
    pub fn new(status: u16, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref().to_vec();
        Answer { status, headers: Vec::new(), body, cut: None, piece: usize::MAX, never: false }
    }

    /// An error as OpenAI writes it.
    pub fn error(status: u16, message: &str) -> Answer {
        Answer::new(status, json!({"error": {"message": message, "type": "error"}}).to_string())
    }

    /// Nothing, for as long as the test runs.
    pub fn never() -> Answer {
        Answer { never: true, ..Answer::new(200, "") }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The connection ends after so many bytes of the body.
    pub fn cut(mut self, after: usize) -> Answer {
        self.cut = Some(after);
        self
    }

    /// So many bytes come at a time.
    pub fn slowly(mut self, piece: usize) -> Answer {
        self.piece = piece;
        self
    }

    fn write(&self, mut connection: &TcpStream) {
        if self.never {
            thread::sleep(Duration::from_secs(600));
            return;
        }
        let mut text = format!("HTTP/1.1 {} Whatever\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        let sent = self.cut.unwrap_or(self.body.len()).min(self.body.len());
        // Whoever asked may be gone.
        if connection.write_all(text.as_bytes()).is_err() {
            return;
        }
        for piece in self.body[..sent].chunks(self.piece.min(sent).max(1)) {
            if connection.write_all(piece).and_then(|()| connection.flush()).is_err() {
                return;
            }
            if piece.len() < sent {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}
