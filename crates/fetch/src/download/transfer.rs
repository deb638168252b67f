//! The bytes of one file, which may come in several pieces.

use crate::{error::FetchError, files, patience::Patience};
use cli::{Progress, Session};
use http::{Address, Answer, Client, HttpError, Method, Request};
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

const BUFFER: usize = 256 << 10;
/// Less is no progress: whoever sends a byte a connection would keep us for ever.
const PROGRESS: u64 = 1 << 20;

/// What is to be written where.
pub(crate) struct Transfer<'a> {
    /// What messages call it.
    pub(crate) name: &'a str,
    pub(crate) address: &'a Address,
    /// Where the server has said it before.
    pub(crate) size: Option<u64>,
    pub(crate) to: &'a Path,
    /// Whether what an earlier run left there is the beginning of the same file.
    pub(crate) resumes: bool,
    /// What an answer means that is neither the file nor worth another try.
    pub(crate) refusal: &'a dyn Fn(&Answer) -> FetchError,
}

/// How far it has come.
struct State<'a> {
    session: &'a Session,
    file: File,
    got: u64,
    size: Option<u64>,
    /// The version that the bytes belong to, where only the server can say it.
    version: Option<String>,
    bar: Progress,
}

impl Transfer<'_> {
    /// The whole file, open for reading.
    ///
    /// # Errors
    /// Where the server refuses, the connection breaks off too often, there are too many bytes, or the disk refuses.
    pub(crate) fn run(&self, client: &Client, session: &Session) -> Result<File, FetchError> {
        let opened = File::options().create(true).read(true).write(true).truncate(false).open(self.to);
        let mut state = self.begin(opened, session).map_err(|source| files::failed(self.to, source))?;
        match self.all(client, &mut state) {
            Ok(()) => Ok(state.file),
            Err(why) => {
                // Nothing of it is worth going on with.
                if state.got == 0 || matches!(why, FetchError::Long { .. }) {
                    let _ = fs::remove_file(self.to);
                }
                Err(why)
            }
        }
    }

    fn all(&self, client: &Client, state: &mut State<'_>) -> Result<(), FetchError> {
        let mut patience = Patience::new(state.session);
        while state.size != Some(state.got) {
            let before = state.got;
            match self.more(client, state) {
                Ok(()) => break,
                Err(why) => {
                    if state.got >= before + PROGRESS {
                        patience.renew();
                    }
                    patience.wait(why)?;
                }
            }
        }
        Ok(())
    }

    fn begin<'s>(&self, opened: io::Result<File>, session: &'s Session) -> io::Result<State<'s>> {
        let mut file = opened?;
        let mut got = file.seek(SeekFrom::End(0))?;
        if !self.resumes || self.size.is_some_and(|size| got > size) {
            restart(&mut file)?;
            got = 0;
        }
        let bar = self.bar(session, self.size, got);
        Ok(State { session, file, got, size: self.size, version: None, bar })
    }

    /// One connection's worth.
    fn more(&self, client: &Client, state: &mut State<'_>) -> Result<(), FetchError> {
        if !self.resumes && state.version.is_none() {
            self.begin_again(state)?;
        }
        let (from, version) = (state.got, state.version.as_deref());
        let answer = client.send(&Request { method: Method::GET, address: self.address, from, version })?;
        if let Some(busy) = answer.busy() {
            return Err(busy.into());
        }
        let broken = |answer: &Answer, why: &str| {
            FetchError::from(HttpError::Broken {
                host: answer.address.host().to_owned(),
                why: why.to_owned(),
            })
        };
        match answer.status() {
            200 => self.begin_again(state)?,
            206 if from > 0 && begins_at(&answer) == Some(from) => {}
            206 | 416 if from > 0 => {
                self.begin_again(state)?;
                return Err(broken(&answer, "it sends other bytes than it was asked for"));
            }
            206 => return Err(broken(&answer, "it sends a part of the file")),
            _ => return Err((self.refusal)(&answer)),
        }
        if self.size.is_none() {
            state.size = size_of(&answer);
            state.bar = self.bar(state.session, state.size, state.got);
        }
        if answer.status() == 200 {
            state.version = (!self.resumes).then(|| version_of(&answer)).flatten();
        }
        self.receive(answer, state)
    }

    fn receive(&self, answer: Answer, state: &mut State<'_>) -> Result<(), FetchError> {
        let mut reader = answer.into_reader();
        let mut buffer = vec![0; BUFFER];
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) if state.size.is_some_and(|size| state.got < size) => {
                    return Err(self.cut(state, "the server closed it".to_owned()));
                }
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.cut(state, error.to_string())),
            };
            if let Some(size) = state.size.filter(|size| state.got + n as u64 > *size) {
                return Err(FetchError::Long { file: self.name.to_owned(), size });
            }
            state.file.write_all(&buffer[..n]).map_err(|source| files::failed(self.to, source))?;
            state.got += n as u64;
            state.bar.advance(n as u64);
        }
    }

    fn bar(&self, session: &Session, size: Option<u64>, got: u64) -> Progress {
        let bar = session.bytes(size, got);
        bar.tell(self.name);
        bar
    }

    fn cut(&self, state: &State<'_>, why: String) -> FetchError {
        FetchError::Cut { file: self.name.to_owned(), got: state.got, why }
    }

    fn begin_again(&self, state: &mut State<'_>) -> Result<(), FetchError> {
        if state.got > 0 {
            restart(&mut state.file).map_err(|source| files::failed(self.to, source))?;
            state.got = 0;
            state.bar.restart();
        }
        Ok(())
    }
}

fn restart(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()
}

/// The first byte of `Content-Range: bytes FIRST-LAST/SIZE`.
fn begins_at(answer: &Answer) -> Option<u64> {
    answer.header("content-range")?.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// Bytes of the whole file, of which this may be the rest.
fn size_of(answer: &Answer) -> Option<u64> {
    match answer.header("content-range").and_then(|range| range.rsplit_once('/')) {
        Some((_, size)) if answer.status() == 206 => size.parse().ok(),
        _ => answer.number("content-length"),
    }
}

/// What a later request may be made conditional on.
fn version_of(answer: &Answer) -> Option<String> {
    let strong = answer.header("etag").filter(|etag| etag.starts_with('"'));
    strong.or_else(|| answer.header("last-modified")).map(str::to_owned)
}
