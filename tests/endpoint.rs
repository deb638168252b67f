//! The main job on texts whose features a remote model computes.

use harness::{Answer, EmbeddingServer, Room, Run, embedding, program, sentences, write_bert};
use std::fs;

const CLEARED: [&str; 7] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_API_KEY"];

fn extract(room: &Room, server: &EmbeddingServer, output: &str, answers: &str) -> Run {
    let base = server.base();
    let flags =
        ["s.csv", "-o", output, "--backbone", "endpoint:m", "--base-url", &base, "--answers", answers];
    room.call_with(program("extract"), &flags, &CLEARED.map(|name| (name, "")))
}

#[test]
fn a_head_learns_from_what_an_endpoint_answers() {
    let (room, server) = (Room::new(), EmbeddingServer::start());
    let rows = sentences(60).into_iter().enumerate().map(|(i, (text, class))| {
        format!("{text},{class},{}\n", if i / 8 % 4 == 3 { "test" } else { "train" })
    });
    room.write("s.csv", format!("text,label,split\n{}", rows.collect::<String>()));
    extract(&room, &server, "s.features", "answers").fine();
    room.tool("fit-head", &["s.features", "-o", "s.head", "--head", "linear"]).fine();
    let run = room.tool("evaluate", &["s.features", "s.head", "-o", "m.csv", "--report", "r.html"]).fine();
    let accuracy: f64 = run
        .stdout()
        .lines()
        .find_map(|line| line.trim().strip_prefix("accuracy")?.split_whitespace().next()?.parse().ok())
        .unwrap();
    assert!(accuracy > 0.7, "{accuracy}");
    assert!(fs::read_to_string(room.path("r.html")).unwrap().contains("endpoint:m"));
    let run = room.tool("predict", &["s.head", "s.features"]).fine();
    assert_eq!(run.stdout().lines().count(), 120);
    let run = room.tool("predict", &["s.head", "s.csv"]);
    run.failed(
        1,
        &[
            "`s.head` takes features only",
            "features of endpoint:m, which runs elsewhere: extract its features first",
        ],
    );
    for (to, output) in [("onnx", "m.onnx"), ("bundle", "m.hst")] {
        room.tool("export", &["s.head", "-o", output, "--to", to])
            .failed(1, &["endpoint:m", "there is none to export"]);
    }
    room.tool("export", &["s.features", "-o", "s.parquet"]).fine();

    // Beside a network's features of the same texts.
    write_bert(&room.path("bert"));
    room.tool("extract", &["s.csv", "-o", "b.features", "--weights", "bert"]).fine();
    room.tool("fit-head", &["b.features", "s.features", "-o", "both.head", "--head", "linear"]).fine();
    room.tool("evaluate", &["s.features", "b.features", "both.head", "-o", "both.csv"]).fine();

    // The same model's answers from elsewhere, and those of another that goes by its name.
    extract(&room, &EmbeddingServer::start(), "t.features", "others").fine();
    room.tool("evaluate", &["t.features", "s.head", "-o", "t.csv"]).fine();
    let other = EmbeddingServer::with(|asked, _| {
        let turned = |text: &String| embedding(text, 16).into_iter().rev().collect();
        Answer::these(&asked.texts.iter().map(turned).collect::<Vec<Vec<f32>>>())
    });
    extract(&room, &other, "o.features", "another").fine();
    room.tool("evaluate", &["o.features", "s.head", "-o", "o.csv"]).failed(
        1,
        &["what the model answers to four made-up sentences differs", "has changed: extract both anew"],
    );
}
