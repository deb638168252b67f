//! What the programs are asked to do.

/// A program, what it is asked for, and what it leaves.
#[derive(Debug)]
pub struct Job {
    /// How it is called on the command line of `chaos`.
    pub name: &'static str,
    pub(crate) program: &'static str,
    /// Paths are as from a folder beside `in`, where [`Shop`](crate::Shop) lays the inputs out.
    pub(crate) arguments: &'static [&'static str],
    /// The same outputs of other inputs or settings: what is replaced.
    pub(crate) older: &'static [&'static str],
    /// The flag that lets it replace those.
    pub(crate) replaces: &'static str,
    pub(crate) outputs: &'static [&'static str],
    /// Whether what a stopped run leaves is taken over by the next.
    pub(crate) resumes: bool,
}

/// `export` to a folder of another library's.
macro_rules! to_theirs {
    ($to:literal) => {
        Job {
            name: $to,
            program: "export",
            arguments: &[
                "../in/theirs.head",
                "-o",
                "o.model",
                "--to",
                $to,
                "--weights",
                "../in/theirs.safetensors",
            ],
            older: &[
                "../in/theirs-older.head",
                "-o",
                "o.model",
                "--to",
                $to,
                "--weights",
                "../in/theirs.safetensors",
            ],
            replaces: "--force",
            outputs: &["o.model"],
            resumes: false,
        }
    };
}

/// Every program with every kind of output.
pub const JOBS: &[Job] = &[
    Job {
        name: "extract",
        program: "extract",
        arguments: &["../in/small", "-o", "o.features"],
        older: &["../in/small", "-o", "o.features", "--dtype", "f16"],
        replaces: "--force",
        outputs: &["o.features"],
        resumes: true,
    },
    Job {
        name: "taps",
        program: "extract",
        arguments: &["../in/small", "-o", "o.features", "--tap", "pooled", "--tap", "layer4", "--views", "2"],
        older: &["../in/small", "-o", "o.features", "--tap", "pooled", "--tap", "layer4"],
        replaces: "--force",
        outputs: &["o.pooled.features", "o.layer4.features"],
        resumes: true,
    },
    Job {
        name: "update",
        program: "extract",
        arguments: &["../in/small", "-o", "o.features", "--views", "2"],
        older: &["../in/small", "-o", "o.features"],
        replaces: "--update",
        outputs: &["o.features"],
        resumes: true,
    },
    Job {
        name: "fit",
        program: "fit-head",
        arguments: &["../in/small.features", "-o", "o.head", "--table", "t.csv", "--l2", "1,100"],
        older: &["../in/small.features", "-o", "o.head", "--table", "t.csv", "--l2", "10"],
        replaces: "--force",
        outputs: &["o.head", "t.csv"],
        resumes: false,
    },
    Job {
        name: "evaluate",
        program: "evaluate",
        arguments: &[
            "../in/small.features",
            "../in/small.head",
            "-o",
            "m.parquet",
            "--predictions",
            "p.csv",
            "--report",
            "r.html",
            "--hardest",
            "h.json",
            "--suspects",
            "s.csv",
            "--duplicates",
            "d.parquet",
            "--images",
            "../in/small",
        ],
        older: &[
            "../in/older.features",
            "../in/older.head",
            "-o",
            "m.parquet",
            "--predictions",
            "p.csv",
            "--report",
            "r.html",
            "--hardest",
            "h.json",
            "--suspects",
            "s.csv",
            "--duplicates",
            "d.parquet",
            "--images",
            "../in/small",
        ],
        replaces: "--force",
        outputs: &["m.parquet", "p.csv", "r.html", "h.json", "s.csv", "d.parquet"],
        resumes: false,
    },
    Job {
        name: "onnx",
        program: "export",
        arguments: &["../in/small.head", "-o", "o.onnx"],
        older: &["../in/older.head", "-o", "o.onnx"],
        replaces: "--force",
        outputs: &["o.onnx"],
        resumes: false,
    },
    Job {
        name: "model",
        program: "export",
        arguments: &["../in/small.head", "-o", "o.model", "--to", "safetensors"],
        older: &["../in/older.head", "-o", "o.model", "--to", "safetensors"],
        replaces: "--force",
        outputs: &["o.model"],
        resumes: false,
    },
    Job {
        name: "keras",
        program: "export",
        arguments: &["../in/small.head", "-o", "o.model", "--to", "keras"],
        older: &["../in/older.head", "-o", "o.model", "--to", "keras"],
        replaces: "--force",
        outputs: &["o.model"],
        resumes: false,
    },
    to_theirs!("hf"),
    to_theirs!("torch"),
    Job {
        name: "whole",
        program: "export",
        arguments: &["../in/small.head", "-o", "o.onnx", "--with-preprocessing", "--dtype", "f16"],
        older: &["../in/older.head", "-o", "o.onnx"],
        replaces: "--force",
        outputs: &["o.onnx"],
        resumes: false,
    },
    Job {
        name: "bundle",
        program: "export",
        arguments: &["../in/small.head", "-o", "o.hst"],
        older: &["../in/older.head", "-o", "o.hst"],
        replaces: "--force",
        outputs: &["o.hst"],
        resumes: false,
    },
    Job {
        name: "predict",
        program: "predict",
        arguments: &["../in/small.head", "../in/small", "-o", "p.csv", "--on-error", "fail"],
        older: &["../in/older.head", "../in/small", "-o", "p.csv", "--on-error", "fail"],
        replaces: "--force",
        outputs: &["p.csv"],
        resumes: false,
    },
    Job {
        name: "lines",
        program: "predict",
        arguments: &["../in/small.head", "../in/small.features", "-o", "p.jsonl", "--probabilities"],
        older: &["../in/older.head", "../in/older.features", "-o", "p.jsonl"],
        replaces: "--force",
        outputs: &["p.jsonl"],
        resumes: false,
    },
    Job {
        name: "npy",
        program: "export",
        arguments: &["../in/small.features", "-o", "o.npy", "--rows", "rows.csv"],
        older: &["../in/older.features", "-o", "o.npy", "--rows", "rows.csv", "--split", "test"],
        replaces: "--force",
        outputs: &["o.npy", "rows.csv"],
        resumes: false,
    },
];

/// So many rows that whole shards are left by a kill: a second or two of work.
pub const SHARDS: Job = Job {
    name: "shards",
    program: "extract",
    arguments: &["../in/small", "-o", "o.features", "--views", "300", "--shard-size", "1"],
    older: &["../in/small", "-o", "o.features", "--dtype", "f16"],
    replaces: "--force",
    outputs: &["o.features"],
    resumes: true,
};

impl Job {
    /// By its name.
    pub fn named(name: &str) -> Option<&'static Job> {
        JOBS.iter().chain([&SHARDS]).find(|job| job.name == name)
    }
}
