//! Runs a frozen, pretrained network once over a data set and caches its features.
//!
//! It fits nothing and knows no classifier; what it writes is a pure function of the files, the weights and the flags.
#![forbid(unsafe_code)]

mod args;
mod config;
mod endpoint_args;
mod extractor;
mod given;
mod outputs;
mod preprocess;
mod remote;
mod replaced;
mod samples;
mod skips;
mod tally;
mod under_way;
mod zoo_table;

pub use args::Args;

use anyhow::Result;
use cli::{Session, UsageError, count};
use config::Config;
use extractor::Extractor;
use outputs::Outputs;
use pipeline::{Device, Job, Remarks};
use sample::DataSet;
use samples::SampleConfig;
use skips::Skips;
use under_way::UnderWay;

/// The whole tool: arguments → open inputs → run the network → write → one line of counts.
///
/// # Errors
/// Whatever stops it, as one line; nothing is left behind then, unless it is [`cli::Interrupted`]: then the same call goes on.
pub fn run(args: Args) -> Result<()> {
    if args.list_backbones {
        return Ok(cli::print(&zoo_table::render()?)?);
    }
    let session = args.common.start()?;
    if let Some(rows) = args.from_rows.clone() {
        return given::run(&rows, args, &session);
    }
    if args.labels.is_some() || args.name.is_some() {
        return Err(UsageError("--labels and --name go with --from-rows".to_owned()).into());
    }
    if let Some(model) = remote::named(&args) {
        return remote::run(&model, args, &session);
    }
    if let Some(flag) = args.endpoint.first() {
        return Err(UsageError(format!("{flag} goes with --backbone endpoint:MODEL")).into());
    }
    let config = Config::new(args)?;
    let data = open(config.samples(), &session)?;
    let mut extractor = load(&config, &session)?;
    let mut outputs = Outputs::create(&config, &data, &extractor)?;
    let (reuse, notes) = outputs.earlier(&config)?;
    if reuse.most() > 0 {
        session.detail(format!("extract: up to {} rows are there already", count(reuse.most() as u64)));
    }
    let under_way = UnderWay::new(outputs, data.samples.len());
    let interrupt = under_way.listen();
    let (mut skips, mut remarks) = (Skips::new(config.samples(), &data)?, Remarks::default());
    let times = {
        let progress = session.progress(data.samples.len() as u64, config.recipe().noun());
        let job = Job {
            samples: &data.samples,
            recipe: config.recipe(),
            assignment: &config.assignment(&data),
            reuse: &reuse,
            interrupt: interrupt.flag(),
        };
        extractor.run(job, &mut |batch| {
            under_way.push(&data, &batch)?;
            remarks.add_reused(batch.known.len());
            for (sample, reason) in batch.bad {
                skips.add(&data.samples[sample].id, &reason)?;
            }
            for (sample, noticed) in batch.noticed {
                remarks.add(&data.samples[sample].id, noticed);
            }
            progress.advance(batch.size as u64);
            Ok(())
        })?
    };
    drop(reuse);
    if !under_way.is_done() {
        return Err(under_way.suspend()?.into());
    }
    let (skipped, probes) = (skips.finish()?, extractor.probes()?);
    let outputs = under_way.take()?;
    cli::finishing();
    let summaries = outputs.finish(probes, &skipped)?;
    if let Some(note) = &config.backbone().note {
        session.note(format!("extract: {note}"));
    }
    describe(&session, config.samples(), &data);
    match config.device() {
        Device::Cpu(..) => session.detail(format!("extract: {times}")),
        Device::Cards(..) => {
            session.note(format!("extract: {times}; engine {}", extractor.embedder().revision()));
        }
    }
    if let Some(unknown) = remarks.unknown(cli::count) {
        session.detail(format!("extract: {unknown}"));
    }
    for line in notes
        .into_iter()
        .chain(skips::describe(&skipped))
        .chain(remarks.lines((cli::count, cli::name)))
        .chain(summaries)
    {
        session.note(format!("extract: {line}"));
    }
    Ok(())
}

/// The samples of this run, and what had better be known of them.
fn open(config: &SampleConfig, session: &Session) -> Result<DataSet> {
    let data = DataSet::open_inputs(&config.inputs())?;
    config.check_splits(&data)?;
    if let Some(doubt) = data.doubt() {
        session.note(format!("extract: {}", config::doubtful(&config.name(), &doubt)));
    }
    if !data.left_out.is_empty() {
        let names = store::brief::few(&data.left_out);
        session.note(format!("extract: columns that hold neither text nor numbers are left out: {names}"));
    }
    let data = config.part_of(data)?;
    session.detail(format!(
        "extract: {} samples{}, {} threads",
        count(data.samples.len() as u64),
        data.labels().map_or(String::new(), |labels| format!(" in {} classes", labels.words().len())),
        session.threads()
    ));
    Ok(data)
}

/// The network, and where it runs.
fn load(config: &Config, session: &Session) -> Result<Extractor> {
    if let Some(why) = config.no_card() {
        session.note(format!("extract: {why}; runs on the CPU"));
    }
    let extractor = Extractor::load(config)?;
    session.detail(format!(
        "extract: the network runs on {}, {} {}s at a time",
        config.device().opened(extractor.embedder().revision()),
        count(extractor.embedder().batch() as u64),
        config.recipe().noun()
    ));
    Ok(extractor)
}

/// Said once all is done: a run that fails says one line, and that is why.
fn describe(session: &Session, config: &SampleConfig, data: &DataSet) {
    if !data.passed.is_empty() {
        session.note(format!("extract: passed over: {}", data.passed));
    }
    if let Some(ratios) = config.ratios(data) {
        session.note(format!(
            "extract: no splits given; {ratios} per cent for train/val/test by each file's content"
        ));
    }
}

#[cfg(test)]
mod tests {
    use input::Noticed;
    use pipeline::Remarks;

    const HOW: pipeline::Words = (cli::count, cli::name);

    #[test]
    fn kinds_are_counted_and_their_first_named() {
        let mut remarks = Remarks::default();
        assert!(remarks.lines(HOW).is_empty());
        for i in 0..1200 {
            remarks.add(&format!("a/{i}.png"), Noticed { clipped: true, ..Noticed::default() });
        }
        remarks.add("b\u{1b}.jpg", Noticed { damaged: true, ..Noticed::default() });
        let lines = remarks.lines(HOW);
        assert_eq!(
            lines,
            [
                "1 image with damaged JPEG data, of which other decoders may make other pixels: `b\\u{1b}.jpg`",
                "1,200 images with 16-bit grey levels above 255, which became white; --grey16 scale keeps the high byte: \
                 `a/0.png`, `a/1.png`, `a/2.png` and 1,197 more",
            ]
        );
        assert_eq!(remarks.unknown(cli::count), None);
        remarks.add_reused(1400);
        assert!(remarks.unknown(cli::count).is_some_and(|line| line.starts_with("of 1,400 reused rows ")));
        remarks.add(&"x".repeat(5000), Noticed { flattened: true, ..Noticed::default() });
        assert!(remarks.lines(HOW).iter().all(|line| line.chars().count() < 500));
    }
}
