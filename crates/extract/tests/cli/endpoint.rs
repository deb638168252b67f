//! Models behind an endpoint, against servers on this machine.

use super::*;
use ::features::Source;
use harness::{Answer, Asked, EMBEDDING, EmbeddingServer, embedding};
use serde_json::Value;
use std::{
    fs,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const KEY: &str = "sk-proj-Zq83hJpLw02mNvXt";
/// Variables of whoever runs the tests.
const CLEARED: [&str; 7] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_API_KEY"];

fn text(number: usize) -> String {
    format!("text number {number} of {} words", number % 7)
}

/// A table of the texts of these numbers.
fn table(numbers: impl Iterator<Item = usize>) -> String {
    let row =
        |n: usize| format!("n{n},{},{},{}\n", text(n), ["good", "bad"][n % 2], ["train", "test"][n / 2 % 2]);
    "id,text,label,split\n".to_owned() + &numbers.map(row).collect::<String>()
}

/// A room with a table of so many texts.
fn room_of(texts: usize) -> Room {
    let room = Room::new();
    room.write("s.csv", table(0..texts));
    room
}

fn arguments<'a>(base: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let usual =
        ["s.csv", "-o", "s.features", "--backbone", "endpoint:m", "--answers", "answers", "--base-url", base];
    [&usual[..], more].concat()
}

fn environment(key: &str) -> Vec<(&str, &str)> {
    CLEARED.iter().map(|name| (*name, "")).chain([("OPENAI_API_KEY", key)]).collect()
}

fn ask(room: &Room, server: &EmbeddingServer, more: &[&str]) -> Run {
    room.call_with(TOOL, &arguments(&server.base(), more), &environment(KEY))
}

/// One whose answers to anything but probes are these.
fn serves(answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> EmbeddingServer {
    EmbeddingServer::with(
        move |asked, nth| if asked.is_of_probes() { Answer::rows(asked) } else { answer(asked, nth) },
    )
}

#[test]
fn rows_are_what_the_server_answers() {
    let (room, server) = (room_of(10), EmbeddingServer::start());
    let run = ask(&room, &server, &["--batch", "4", "--dimensions", "8"]).fine();
    let said = run.stderr();
    for line in [
        "extract: 10 texts to ask for; about ",
        " tokens (an estimate: 4 bytes a token)\n",
        "was asked for 10 texts, and counted 42 tokens\n",
        "extract: 6 train, 4 test; 2 classes: bad 5, good 5\n",
        "extract: 10 rows of 8 features, 0 skipped → s.features\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let features = open(&room, "s.features");
    assert_eq!((features.len(), features.dim(), features.columns()), (10, 8, &["label".to_owned()][..]));
    for row in 0..10 {
        let number: usize = features.id(row)[1..].parse().unwrap();
        assert_eq!(features.matrix(&[row]), embedding(&text(number), 8), "{number}");
    }
    let Source::Endpoint(source) = &features.index().source else { panic!("{:?}", features.index().source) };
    assert_eq!((source.model.as_str(), source.dimensions), ("m", Some(8)));
    let probes: Vec<f32> = input::text::PROBES.iter().flat_map(|text| embedding(text, 8)).collect();
    assert_eq!((features.probes(), source.probes), (probes.clone(), ::features::probes_digest(&probes)));
    let log = server.log();
    assert!(log[0].is_of_probes() && log.len() == 4);
    for asked in &log {
        assert_eq!(asked.path, "/v1/embeddings");
        assert_eq!(asked.headers["authorization"], format!("Bearer {KEY}"));
        let says = |field: &str| asked.body[field].clone();
        assert_eq!((says("model"), says("encoding_format")), (Value::from("m"), Value::from("float")));
        assert_eq!(says("dimensions"), 8);
        assert!(asked.texts.len() <= 4);
    }
}

#[test]
fn no_text_is_asked_twice() {
    let (room, server) = (room_of(20), EmbeddingServer::start());
    // Each text three times, by other names.
    let rows: String = (0..60).map(|n| format!("r{n},{}\n", text(n % 20))).collect();
    room.write("t.csv", format!("id,text\n{rows}"));
    ask(&room, &server, &["--batch", "3"]).fine();
    let first = room.bytes("s.features");
    let asked = server.log().len();
    let run = ask(&room, &server, &["--force"]).fine();
    assert!(run.stderr().contains("0 texts to ask for, 20 are answered already"), "{}", run.stderr());
    assert_eq!(server.log().len(), asked + 1, "probes are asked anew, and nothing else");
    assert!(room.bytes("s.features") == first);

    room.write("s.csv", table(15..30));
    ask(&room, &server, &["--force", "--batch", "3"]).fine();
    room.write("s.csv", fs::read(room.path("t.csv")).unwrap());
    ask(&room, &server, &["--force"]).fine();
    assert_eq!(open(&room, "s.features").len(), 60);
    let answered = server.answered();
    assert_eq!(answered.len(), 30);
    assert!(answered.values().all(|times| *times == 1), "{answered:?}");
    // Other widths are other answers.
    ask(&room, &server, &["--force", "--dimensions", "4"]).fine();
    assert_eq!(server.answered()[&text(0)], 2);
    assert_eq!(fs::read_dir(room.path("answers")).unwrap().count(), 2);
}

#[test]
fn bytes_do_not_depend_on_how_texts_were_asked_for() {
    let server = EmbeddingServer::start();
    let mut all = Vec::new();
    for (before, flags) in [
        (0, &["--batch", "64", "--concurrency", "1"][..]),
        (0, &["--batch", "1", "--concurrency", "8"]),
        (0, &["--batch", "7", "--concurrency", "3"]),
        (11, &["--batch", "5"]),
        (40, &[]),
    ] {
        let room = room_of(40);
        if before > 0 {
            room.write("s.csv", table((0..before).rev()));
            ask(&room, &server, &["-o", "x.features"]).failed(2, &["-o"]);
            ask(&room, &server, &["--batch", "2"]).fine();
            fs::remove_dir_all(room.path("s.features")).unwrap();
            room.write("s.csv", table(0..40));
        }
        ask(&room, &server, flags).fine();
        all.push(room.bytes("s.features"));
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn refusals_are_one_line() {
    let echo = format!("Incorrect API key provided: {KEY}. Not {}*****{}", &KEY[..8], &KEY[14..]);
    let denied = echo.clone();
    for (answer, code, parts) in [
        (
            Answer::error(401, &denied),
            1,
            &["refuses (401): Incorrect API key provided: [key] Not [key]; check the key in OPENAI_API_KEY"]
                [..],
        ),
        (Answer::error(403, "no"), 1, &["refuses (403): no; check the key"]),
        (Answer::error(404, "no model `m`"), 1, &["/v1/embeddings refuses (404): no model `m`"]),
        (Answer::error(400, "two\nlines \u{1b}[31m"), 1, &[r"refuses (400): two lines \u{1b}[31m"]),
        (Answer::new(418, "x".repeat(9000)), 1, &["refuses (418): xxxxx", "x…"]),
        (Answer::error(429, "You have no insufficient_quota left"), 1, &["refuses (429): You have no"]),
        (
            Answer::error(429, "later").header("Retry-After", "301"),
            1,
            &["cannot serve now (429): later; it asks to wait 301 s"],
        ),
        (
            Answer::new(200, "<html>Log in to our hotel</html>"),
            1,
            &["does not answer as /v1/embeddings does: it sends no embeddings"],
        ),
        (Answer::new(200, "{}"), 1, &["it sends no embeddings (missing field `data`"]),
        (Answer::these(&[vec![1.0], vec![2.0], vec![3.0]]), 1, &["it sends 3 embeddings for 4 texts"]),
        (
            Answer::error(307, "").header("Location", "/v2/embeddings"),
            1,
            &["sends elsewhere, which is not followed"],
        ),
    ] {
        let (room, server) = (room_of(4), EmbeddingServer::with(move |_, _| answer.clone()));
        // The estimate comes before.
        ask(&room, &server, &["--quiet"]).failed(code, parts);
        assert_eq!(server.log().len(), 1, "{parts:?}");
        assert!(
            !room.names().contains(&"s.features".to_owned()) && !room.names()[0].starts_with('.'),
            "{:?}",
            room.names()
        );
    }
    // Where nobody has a key.
    let (room, server) = (room_of(4), EmbeddingServer::with(|_, _| Answer::error(401, "who are you?")));
    let run = room.call_with(TOOL, &arguments(&server.base(), &["--quiet"]), &environment(""));
    run.failed(1, &["refuses (401): who are you?; put a key into OPENAI_API_KEY"]);
    assert!(!server.log()[0].headers.contains_key("authorization"));
}

#[test]
fn a_redirect_takes_the_key_nowhere() {
    let other = EmbeddingServer::start();
    let to = format!("{}/embeddings", other.base());
    for status in [301, 302, 303, 307, 308] {
        let to = to.clone();
        let server = EmbeddingServer::with(move |_, _| Answer::error(status, "").header("Location", &to));
        ask(&room_of(2), &server, &["--quiet"]).failed(1, &["sends elsewhere, which is not followed"]);
    }
    assert!(other.log().is_empty());
}

#[test]
fn what_passes_is_asked_again() {
    type Fault = fn(&Asked) -> Answer;
    let once = |answer: Fault| {
        let failed = AtomicBool::new(false);
        serves(move |asked, _| match failed.swap(true, Ordering::SeqCst) {
            true => Answer::rows(asked),
            false => answer(asked),
        })
    };
    let faults: [(Fault, u64); 6] = [
        (|_| Answer::error(429, "slower").header("Retry-After", "1"), 1000),
        (|_| Answer::error(500, "oops"), 250),
        (|_| Answer::new(529, "overloaded"), 250),
        (|asked| Answer::rows(asked).cut(100), 250),
        (|asked| Answer::rows(asked).slowly(400), 0),
        (|_| Answer::never(), 1000),
    ];
    for (number, (fault, least)) in faults.into_iter().enumerate() {
        let (room, server, start) = (room_of(12), once(fault), Instant::now());
        let timeout: &[&str] = if number == 5 { &["--timeout", "1"] } else { &[] };
        ask(&room, &server, &[&["--batch", "4", "--concurrency", "2"], timeout].concat()).fine();
        assert!(start.elapsed() >= Duration::from_millis(least), "{number}");
        assert_eq!(open(&room, "s.features").len(), 12);
        assert!(server.answered().values().all(|times| *times == 1), "{number}: {:?}", server.answered());
    }
    // But not for ever.
    let (room, server) = (room_of(2), serves(|_, _| Answer::error(503, "down")));
    ask(&room, &server, &["--quiet"]).failed(1, &["cannot serve now (503): down"]);
    assert_eq!(server.log().len(), 7);
    // Nobody is there.
    let base = "http://127.0.0.1:9/v1";
    room.call_with(TOOL, &arguments(base, &["--quiet"]), &environment(KEY))
        .failed(1, &["cannot reach 127.0.0.1:9"]);
}

#[test]
fn rows_of_another_width_are_refused() {
    let (room, server) = (
        room_of(12),
        serves(|asked, nth| {
            let width = if nth > 2 { 5 } else { EMBEDDING };
            Answer::these(&asked.texts.iter().map(|text| embedding(text, width)).collect::<Vec<_>>())
        }),
    );
    ask(&room, &server, &["--quiet", "--batch", "3", "--concurrency", "1"])
        .failed(1, &["m answers with 5 numbers for a text, expected 16"]);
    assert_eq!(room.names(), ["answers", "s.csv"]);
    // Who cannot shorten rows.
    let server = EmbeddingServer::with(|asked, _| {
        Answer::these(&asked.texts.iter().map(|text| embedding(text, 16)).collect::<Vec<_>>())
    });
    ask(&room, &server, &["--quiet", "--dimensions", "8"])
        .failed(1, &["m answers with 16 numbers for a text, expected 8"]);
}

#[test]
fn a_model_that_has_changed_is_refused() {
    let (room, first) = (room_of(12), EmbeddingServer::start());
    ask(&room, &first, &[]).fine();
    let bytes = room.bytes("s.features");
    let by = |noise: f32| {
        EmbeddingServer::with(move |asked, _| {
            let row = |text: &String| {
                let row = embedding(text, EMBEDDING).into_iter().enumerate();
                row.map(|(at, value)| value + if at % 2 == 0 { noise } else { -noise }).collect()
            };
            Answer::these(&asked.texts.iter().map(row).collect::<Vec<Vec<f32>>>())
        })
    };
    // The last digits change from answer to answer.
    let server = by(1e-4);
    ask(&room, &server, &["--force"]).fine();
    assert!(room.bytes("s.features") == bytes);
    let server = by(0.02);
    room.write("s.csv", table(0..20));
    let run = ask(&room, &server, &["--force", "--quiet"]);
    run.failed(
        1,
        &["m answers four made-up sentences otherwise than before (", "at most 1e-4): the model has changed"],
    );
    assert_eq!(server.log().len(), 1, "nothing is paid for");
    assert!(room.bytes("s.features") == bytes);
    let server = EmbeddingServer::with(|asked, _| {
        Answer::these(&asked.texts.iter().map(|text| embedding(text, 8)).collect::<Vec<_>>())
    });
    ask(&room, &server, &["--force", "--quiet"])
        .failed(1, &["m answers with 8 numbers for a text, expected 16"]);
    fs::remove_dir_all(room.path("answers")).unwrap();
    ask(&room, &server, &["--force"]).fine();
    assert_eq!(open(&room, "s.features").dim(), 8);
}

#[test]
fn texts_that_a_server_refuses_are_skipped() {
    let refuses = || {
        serves(|asked, _| {
            match asked.texts.iter().any(|text| text.contains("number 13 ") || text.is_empty()) {
                true => Answer::error(400, "input 0 has 9000 tokens, 8192 at most"),
                false => Answer::rows(asked),
            }
        })
    };
    let (room, server) = (room_of(30), refuses());
    let rows: String = (30..40).map(|n| format!("n{n},{},good,train\n", text(n))).collect();
    room.write("s.csv", table(0..30) + &rows + &format!("twin,{},good,train\n", text(13)));
    let run = ask(&room, &server, &["--max-skipped", "6"]).fine();
    let line = "extract: skipped `n13`: http://127.0.0.1:";
    assert!(
        run.stderr().contains(line) && run.stderr().contains("refuses (400): input 0 has 9000 tokens"),
        "{}",
        run.stderr()
    );
    let features = open(&room, "s.features");
    let skipped: Vec<&str> = features.index().skipped.iter().map(|skipped| skipped.id.as_str()).collect();
    assert_eq!((features.len(), skipped), (39, vec!["n13", "twin"]));
    assert!(server.answered().values().all(|times| *times == 1));
    ask(&room, &refuses(), &["--force", "--quiet"])
        .failed(1, &["1 of 41 samples cannot be used", "--max-skipped 1"]);
    ask(&room, &refuses(), &["--force", "--quiet", "--on-error", "fail"])
        .failed(1, &["`n13` http://127.0.0.1:", "refuses (400)"]);

    // A server that takes a few at a time is asked for a few.
    let (room, server) = (
        room_of(40),
        serves(|asked, _| match asked.texts.len() > 4 {
            true => Answer::error(413, "batch size > maximum allowed batch size 4"),
            false => Answer::rows(asked),
        }),
    );
    ask(&room, &server, &["--batch", "16", "--concurrency", "1"]).fine();
    assert_eq!(open(&room, "s.features").len(), 40);
    assert!(server.log().len() < 20, "{}", server.log().len());
    // What is no text is not sent.
    let (room, server) = (Room::new(), EmbeddingServer::start());
    room.write("s.csv/train/a/1.txt", "fine");
    room.write("s.csv/train/a/2.txt", b"\xff\xfe\x00");
    room.write("s.csv/train/b/3.txt", "\u{feff}also fine\n");
    ask(&room, &server, &["--max-skipped", "50"]).fine();
    assert_eq!(server.answered().into_keys().collect::<Vec<_>>(), ["also fine\n", "fine"]);
    ask(&room, &server, &["--force", "--quiet"])
        .failed(1, &["1 of 3 samples cannot be used", "is no UTF-8 text"]);
}

#[test]
fn costs_are_told_before_anything_is_sent() {
    let (room, server) = (room_of(100), EmbeddingServer::start());
    let priced = |most: &'static str| ["--quiet", "--price-per-million", "1000", "--max-cost", most];
    ask(&room, &server, &priced("0.5"))
        .failed(1, &["nothing was asked for: about ", " USD is more than --max-cost 0.50"]);
    assert!(server.log().is_empty() && room.names() == ["answers", "s.csv"]);
    let run = ask(&room, &server, &priced("5")[1..]).fine();
    let said = run.stderr();
    assert!(
        said.contains("100 texts to ask for; about ") && said.contains(" USD (an estimate: 4 bytes a token)"),
        "{said}"
    );
    assert!(said.contains("counted 312 tokens, 0.31 USD"), "{said}");
    // What is there costs nothing.
    ask(&room, &server, &["--force", "--price-per-million", "1000", "--max-cost", "0.1"]).fine();
    // A server that counts more than was thought.
    let (room, server) = (
        room_of(100),
        EmbeddingServer::with(|asked, _| {
            let rows = asked
                .texts
                .iter()
                .map(|text| embedding(text, EMBEDDING))
                .map(|row| serde_json::json!({"embedding": row}));
            let data: Vec<Value> = rows.collect();
            Answer::new(
                200,
                serde_json::json!({"data": data, "usage": {"total_tokens": 1000 * data.len()}}).to_string(),
            )
        }),
    );
    ask(&room, &server, &[&priced("10")[..], &["--batch", "5", "--concurrency", "1"]].concat())
        .failed(1, &["the server has counted ", "more than --max-cost 10.00; answers that came are kept"]);
    assert!(server.log().len() < 5);
}

/// A run that is ended by `end` while requests hang, and the same run again.
fn stopped(end: impl Fn(&mut std::process::Child), code: Option<i32>) {
    let open_again = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open_again);
    let server = EmbeddingServer::with(move |asked, nth| match nth < 6 || is_open.load(Ordering::SeqCst) {
        true => Answer::rows(asked),
        false => Answer::never(),
    });
    let room = room_of(60);
    let base = server.base();
    let flags = arguments(&base, &["--batch", "3", "--concurrency", "2"]);
    let mut child = Command::new(TOOL)
        .args(&flags)
        .envs(environment(KEY))
        .current_dir(room.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Both threads hang, so whatever was answered was kept.
    while server.log().len() < 8 {
        thread::sleep(Duration::from_millis(5));
    }
    end(&mut child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), code, "{}", String::from_utf8_lossy(&output.stderr));
    if code == Some(130) {
        let said = String::from_utf8(output.stderr).unwrap();
        let line = "extract: interrupted after 15 of 60 texts; run the same command again to go on\n";
        assert!(said.ends_with(line), "{said}");
    }
    assert_eq!(server.answered().len(), 15);
    // As a machine leaves it that lost its power.
    let journal = fs::read_dir(room.path("answers")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&journal).unwrap();
    bytes.extend([7; 50]);
    fs::write(&journal, bytes).unwrap();
    open_again.store(true, Ordering::SeqCst);
    let run = room.call_with(TOOL, &flags, &environment(KEY)).fine();
    assert!(run.stderr().contains("45 texts to ask for, 15 are answered already"), "{}", run.stderr());
    let answered = server.answered();
    assert_eq!(answered.len(), 60);
    assert!(answered.values().all(|times| *times == 1), "{answered:?}");
    let whole = room_of(60);
    ask(&whole, &EmbeddingServer::start(), &[]).fine();
    assert!(room.bytes("s.features") == whole.bytes("s.features"));
    assert_eq!(room.names(), ["answers", "s.csv", "s.features"]);
}

#[test]
fn a_run_that_is_killed_goes_on() {
    stopped(|child| child.kill().unwrap(), None);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_goes_on() {
    let interrupt = |child: &mut std::process::Child| {
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    };
    stopped(interrupt, Some(130));
}

#[test]
fn nothing_of_the_key_is_anywhere() {
    let room = room_of(20);
    let echo = format!("you sent Bearer {KEY}, that is {}…{}", &KEY[..10], &KEY[10..]);
    let server = EmbeddingServer::with(move |asked, nth| match nth {
        0 => Answer::error(401, &echo),
        1 => Answer::new(500, &echo),
        4 => Answer::error(400, &echo),
        _ => Answer::rows(asked),
    });
    let mut said = String::new();
    for flags in
        [&["--verbose"][..], &["--verbose", "--batch", "2", "--concurrency", "1", "--max-skipped", "50"]]
    {
        let run = ask(&room, &server, flags);
        said += &(run.stdout() + &run.stderr());
    }
    assert!(said.contains("[key]") && said.contains("rows of 16 features"), "{said}");
    let whole = room
        .bytes("")
        .into_iter()
        .flat_map(|(name, bytes)| [name.into_os_string().into_encoded_bytes(), bytes]);
    for bytes in whole.chain([said.into_bytes()]) {
        for part in KEY.as_bytes().windows(7) {
            assert!(!bytes.windows(7).any(|own| own == part), "{}", String::from_utf8_lossy(part));
        }
    }
    // Texts are in no answers either.
    for bytes in room.bytes("answers").into_values() {
        assert!(!String::from_utf8_lossy(&bytes).contains("number"));
    }
}

#[test]
fn wrong_calls_of_endpoints() {
    let (room, server) = (room_of(3), EmbeddingServer::start());
    let base = server.base();
    for (flags, parts) in [
        (&["--weights", "w"][..], &["--weights does not go with --backbone endpoint:MODEL"][..]),
        (&["--tap", "mean"], &["--tap does not go"]),
        (&["--text-column-2", "b"], &["--text-column-2 does not go"]),
        (&["--views", "3"], &["--views does not go"]),
        (&["--update"], &["--update goes with networks", "--force asks for none twice"]),
        (&["--batch", "0"], &["--batch takes a number from 1 to 2048, got 0"]),
        (&["--concurrency", "0"], &["--concurrency takes a number from 1 to 256"]),
        (&["--dimensions", "0"], &["--dimensions takes a number from 1"]),
        (&["--timeout", "0"], &["--timeout takes a number from 1"]),
        (&["--max-cost", "1"], &["--max-cost needs --price-per-million"]),
        (&["--price-per-million=-1"], &["--price-per-million"]),
        (&["--price-per-million", "NaN"], &["--price-per-million takes US dollars"]),
        (&["--key-env", "NOT_SET_AT_ALL"], &["--key-env names a variable that is not set"]),
        (&["--key-env", KEY], &["--key-env takes the name of a variable"]),
    ] {
        let run = room.call_with(TOOL, &arguments(&base, flags), &environment(KEY));
        run.failed(2, parts);
        assert!(!run.stderr().contains(KEY), "{}", run.stderr());
    }
    for (base, part) in [
        ("http://box.example:8080/v1", "shows the key of OPENAI_API_KEY to everybody in between"),
        ("https://me:secret@box.example/v1", "an address with a name or a password is not taken"),
        ("box.example/v1", "an address begins with https://"),
        ("https://box.example/v1?key=secret", "without ? and #"),
    ] {
        let run = room.call_with(TOOL, &arguments(base, &[]), &environment(KEY));
        run.failed(
            2,
            &["--base-url", part].into_iter().skip(usize::from(part.contains("shows"))).collect::<Vec<_>>(),
        );
        assert!(!run.stderr().contains("me:secret"), "{}", run.stderr());
    }
    extract(&room, &["s.csv", "-o", "s.features", "--base-url", &base])
        .failed(2, &["--base-url goes with --backbone endpoint:MODEL"]);
    extract(&room, &["s.csv", "-o", "s.features", "--backbone", "endpoint:"])
        .failed(2, &["endpoint:MODEL takes a name of 1 to 200 characters"]);
    ask(&room, &server, &[]).fine();
    let log = server.log().len();
    ask(&room, &server, &["--quiet"]).failed(1, &["`s.features` exists; give --force to replace it"]);
    assert_eq!(server.log().len(), log);
    // A word that no header holds is not said.
    let run = room.call_with(TOOL, &arguments(&base, &["--force"]), &environment("sk two words"));
    run.failed(2, &["OPENAI_API_KEY holds no key"]);
}
