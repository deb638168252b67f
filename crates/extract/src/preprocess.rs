//! The recipe that the flags describe: a preset or the backbone's own, then each flag on top.

use crate::args::{Args, Preset};
use cli::UsageError;
use input::{
    Recipe,
    image::{Decode, Grey16, Preprocessing, Resize},
    text::Tokenisation,
};

/// The recipe in force. `own`: the backbone's, where that is known.
///
/// # Errors
/// [`UsageError`] where a flag makes no sense, or they make none together.
pub(crate) fn of(args: &Args, own: Option<Recipe>) -> Result<Recipe, UsageError> {
    if let Some(Recipe::Text(own)) = own {
        return texts(args, own);
    }
    let of_texts = [
        ("--text-column", args.text_column.is_some()),
        ("--text-column-2", args.text_column_2.is_some()),
        ("--max-tokens", args.max_tokens.is_some()),
        ("--window", args.window.is_some()),
    ];
    if let Some((flag, _)) = of_texts.iter().find(|(_, given)| *given).filter(|_| own.is_some()) {
        return Err(UsageError(format!("{flag} goes with a network of texts; this one reads pictures")));
    }
    let mut made = match (args.preprocess, own) {
        (Some(Preset::Imagenet), _) => Preprocessing::imagenet(),
        (Some(Preset::Keras), _) => Preprocessing::keras_caffe(),
        (None, Some(Recipe::Image(own))) => own,
        (None, Some(Recipe::Text(_)) | None) => {
            return Err(UsageError(
                "nothing says how pictures were prepared for these weights; give --preprocess, and flags on top of it"
                    .to_owned(),
            ));
        }
    };
    if let Some(text) = &args.resize {
        made.resize =
            match size(text).ok_or_else(|| wrong("resize", "a size such as 256 or 224x224", text))? {
                Size::One(side) => Resize::ShorterSide(side),
                Size::Two(height, width) => Resize::Exact(height, width),
            };
    }
    if let Some(text) = &args.crop {
        made.crop = match size(text) {
            Some(Size::One(side)) => Some((side, side)),
            Some(Size::Two(height, width)) => Some((height, width)),
            None if text == "none" => None,
            None => return Err(wrong("crop", "a size such as 224 or 224x224, or none", text)),
        };
    }
    made.filter = args.filter.unwrap_or(made.filter);
    made.channels = args.channels.unwrap_or(made.channels);
    made.divisor = args.divisor.unwrap_or(made.divisor);
    made.mean = args.mean.unwrap_or(made.mean);
    made.std = args.std.unwrap_or(made.std);
    made.decode = args.decode;
    made.grey16 = args.grey16;
    made.check().map_err(|error| UsageError(error.to_string()))?;
    Ok(made.into())
}

/// As the network's folder says, and the flags of texts.
fn texts(args: &Args, own: Tokenisation) -> Result<Recipe, UsageError> {
    let of_pictures = [
        ("--preprocess", args.preprocess.is_some()),
        ("--resize", args.resize.is_some()),
        ("--crop", args.crop.is_some()),
        ("--filter", args.filter.is_some()),
        ("--channels", args.channels.is_some()),
        ("--divisor", args.divisor.is_some()),
        ("--mean", args.mean.is_some()),
        ("--std", args.std.is_some()),
        ("--decode", args.decode != Decode::Exact),
        ("--grey16", args.grey16 != Grey16::Clip),
        ("--views", args.views != 1),
    ];
    if let Some((flag, _)) = of_pictures.iter().find(|(_, given)| *given) {
        return Err(UsageError(format!("{flag} goes with pictures; this network reads texts")));
    }
    let (flag, most) = match (args.window.flatten(), args.max_tokens) {
        (Some(length), Some(_)) => {
            return Err(UsageError(format!(
                "--window {length} says how many tokens are read; leave out --max-tokens"
            )));
        }
        (Some(length), None) => ("--window", length),
        (None, most) => ("--max-tokens", most.unwrap_or(own.max_tokens())),
    };
    if most > own.max_tokens() {
        let own = own.max_tokens();
        return Err(UsageError(format!("{flag} takes at most the network's {own}, got {most}")));
    }
    if args.window.is_some() && args.text_column_2.is_some() {
        return Err(UsageError("--window is of single texts; leave out --text-column-2".to_owned()));
    }
    let wrong = |flag: &'static str| move |reason| UsageError(format!("{flag}: {reason}"));
    let own = if most == own.max_tokens() { own } else { own.with_max_tokens(most).map_err(wrong(flag))? };
    match args.window {
        Some(_) => {
            let flag = if args.stride.is_some() { "--stride" } else { "--window" };
            own.with_windows(args.stride).map(Recipe::Text).map_err(wrong(flag))
        }
        None => Ok(Recipe::Text(own)),
    }
}

enum Size {
    One(u32),
    /// Height, width.
    Two(u32, u32),
}

fn size(text: &str) -> Option<Size> {
    match text.split_once('x') {
        None => text.parse().ok().map(Size::One),
        Some((height, width)) => Some(Size::Two(height.parse().ok()?, width.parse().ok()?)),
    }
}

fn wrong(flag: &str, expected: &str, got: &str) -> UsageError {
    UsageError(format!("--{flag} takes {expected}, got `{got}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use input::image::{Channels, Filter};

    fn with(flags: &[&str]) -> Result<Recipe, String> {
        let args = Args::try_parse_from(["extract", "in", "-o", "out"].iter().chain(flags))
            .map_err(|e| e.to_string())?;
        of(&args, Some(Preprocessing::imagenet().into())).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_lie_on_top_of_presets() {
        assert_eq!(with(&[]), Ok(Preprocessing::imagenet().into()));
        assert_eq!(with(&["--preprocess", "keras"]), Ok(Preprocessing::keras_caffe().into()));
        let flags = [
            "--resize",
            "232",
            "--filter",
            "bicubic",
            "--channels",
            "bgr",
            "--mean=-1,0,2",
            "--crop",
            "96x128",
        ];
        let expected = Preprocessing {
            resize: Resize::ShorterSide(232),
            filter: Filter::Bicubic,
            channels: Channels::Bgr,
            mean: [-1.0, 0.0, 2.0],
            crop: Some((96, 128)),
            ..Preprocessing::imagenet()
        };
        assert_eq!(with(&flags), Ok(expected.into()));
        let exact = Preprocessing { resize: Resize::Exact(64, 48), crop: None, ..Preprocessing::imagenet() };
        assert_eq!(with(&["--resize", "64x48", "--crop", "none"]), Ok(exact.into()));
        let fast = Preprocessing { decode: Decode::Fast, ..Preprocessing::imagenet() };
        assert_eq!(with(&["--decode", "fast"]), Ok(fast.into()));
        let scaled = Preprocessing { grey16: Grey16::Scale, ..Preprocessing::imagenet() };
        assert_eq!(with(&["--grey16", "scale"]), Ok(scaled.into()));
        assert_eq!(with(&["--grey16", "clip"]), Ok(Preprocessing::imagenet().into()));
        assert_eq!(with(&["--decode", "exact"]), Ok(Preprocessing::imagenet().into()));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (flags, expected) in [
            (&["--crop", "none"][..], "needs a centre crop"),
            (&["--resize", "big"], "--resize takes"),
            (&["--resize", "64x"], "--resize takes"),
            (&["--crop", "0"], "outside 1 to 8192"),
            (&["--std", "1,0,1"], "other than zero"),
            (&["--std", "1,1"], "expected three numbers"),
            (&["--filter", "lanczos"], "expected bilinear or bicubic"),
            (&["--decode", "slow"], "expected exact or fast"),
            (&["--grey16", "white"], "expected clip or scale"),
        ] {
            let message = with(flags).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
