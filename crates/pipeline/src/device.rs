//! Where the network runs: what was asked for, and what it comes to.

use engine::{Isa, Precision, cuda::CardError};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// What `--device` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// A card, where there is one.
    Auto,
    /// The processor.
    Cpu,
    /// Cards, each once, in the driver's numbers.
    Cards(Vec<usize>),
}

/// What `--precision` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrecisionName {
    /// The fastest that gives what f32 gives, to its tolerance.
    Auto,
    /// One of them.
    Given(Precision),
}

/// Flags that do not go together, or not with this build.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeviceError(String);

/// What is asked for.
pub struct DeviceRequest {
    /// `--device`.
    pub name: DeviceName,
    /// `--precision`.
    pub precision: Option<PrecisionName>,
    /// `--isa`.
    pub isa: Option<Isa>,
}

/// What runs the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// The processor, by one of its instruction sets; in f32 or bf16. Without a precision: bf16 where it holds the network's
    /// numbers.
    Cpu(Isa, Option<Precision>),
    /// Cards by their numbers. Without a precision: the most exact of 16 bits that holds the network's numbers.
    Cards(Vec<usize>, Option<Precision>),
}

/// Looks whether there is a card that can be used.
pub type Look = fn() -> Result<(), CardError>;

/// What looks for a card; `None` in a build without CUDA.
pub const LOOK: Option<Look> = {
    #[cfg(feature = "cuda")]
    let look: Option<Look> = Some(|| engine::cuda::Driver::look_at(0).map(drop));
    #[cfg(not(feature = "cuda"))]
    let look: Option<Look> = None;
    look
};

impl DeviceRequest {
    /// What runs the network, and why that is no card where one was looked for in vain.
    ///
    /// # Errors
    /// [`DeviceError`] where flags do not go together, or not with this build.
    pub fn settle(
        self,
        look: Option<impl FnOnce() -> Result<(), CardError>>,
    ) -> Result<(Device, Option<String>), DeviceError> {
        let usage = |text: String| Err(DeviceError(text));
        let DeviceRequest { name, precision, isa } = self;
        let (name, without) = match (name, look) {
            (DeviceName::Cards(_), None) => {
                let how = "build it with `make cuda` (or --features headstart-extract/cuda)";
                return usage(format!("this build has no CUDA; {how}"));
            }
            // Whoever names an instruction set wants it.
            (DeviceName::Auto, Some(look)) if isa.is_none() => match look() {
                Ok(()) => (DeviceName::Cards(vec![0]), None),
                Err(error) => (DeviceName::Cpu, Some(format!("no card: {error}"))),
            },
            (DeviceName::Auto, _) => (DeviceName::Cpu, None),
            (name, _) => (name, None),
        };
        match name {
            DeviceName::Cards(_) if isa.is_some() => {
                usage("--isa goes with the CPU; give --device cpu, or leave --isa out".to_owned())
            }
            DeviceName::Cards(cards) => {
                let given = match precision {
                    Some(PrecisionName::Given(precision)) => Some(precision),
                    None | Some(PrecisionName::Auto) => None,
                };
                Ok((Device::Cards(cards, given), without))
            }
            DeviceName::Auto | DeviceName::Cpu => {
                let isa = isa.unwrap_or_else(Isa::best);
                let precision = match precision {
                    Some(PrecisionName::Auto) if isa.has_bf16() => None,
                    None | Some(PrecisionName::Auto) => Some(Precision::F32),
                    Some(PrecisionName::Given(precision @ (Precision::F32 | Precision::Bf16))) => {
                        Some(precision)
                    }
                    Some(PrecisionName::Given(precision)) => {
                        let why = without.map(|why| format!(" ({why})")).unwrap_or_default();
                        return usage(format!(
                            "the CPU runs in f32 or bf16, not in {precision}{why}; give one of them, or --device cuda"
                        ));
                    }
                };
                Ok((Device::Cpu(isa, precision), without))
            }
        }
    }
}

impl Device {
    /// With the precision that it was opened in. revision: the name of the engine.
    #[must_use]
    pub fn opened(&self, revision: &str) -> Device {
        let made = Precision::of_engine(revision);
        match self {
            Device::Cpu(isa, _) => Device::Cpu(*isa, Some(made.unwrap_or(Precision::F32))),
            Device::Cards(cards, _) => Device::Cards(cards.clone(), made),
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<DeviceName, String> {
        let numbers = match text {
            "auto" => return Ok(DeviceName::Auto),
            "cpu" => return Ok(DeviceName::Cpu),
            "cuda" => return Ok(DeviceName::Cards(vec![0])),
            _ => text.strip_prefix("cuda:").into_iter().flat_map(|numbers| numbers.split(',')),
        };
        let number = |digits: &str| {
            let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_plain)
        };
        let cards: Option<Vec<usize>> = numbers.map(number).collect();
        let Some(cards) = cards.filter(|cards| !cards.is_empty()) else {
            return Err(
                "expected auto, cpu, cuda, or cards by their numbers such as cuda:1 or cuda:0,1".to_owned()
            );
        };
        let mut seen = BTreeSet::new();
        match cards.iter().find(|card| !seen.insert(**card)) {
            Some(card) => Err(format!("card {card} is named twice")),
            None => Ok(DeviceName::Cards(cards)),
        }
    }
}

impl FromStr for PrecisionName {
    type Err = String;

    fn from_str(text: &str) -> Result<PrecisionName, String> {
        if text == "auto" {
            return Ok(PrecisionName::Auto);
        }
        let given = text.parse().map(PrecisionName::Given);
        given.map_err(|_| "expected auto, f32, tf32, bf16 or f16".to_owned())
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu(isa, precision) => {
                write!(f, "the CPU ({})", format!("{isa:?}").to_lowercase())?;
                match precision {
                    Some(Precision::F32) => Ok(()),
                    Some(precision) => write!(f, " in {precision}"),
                    None => f.write_str(" in bf16, or f32"),
                }
            }
            Device::Cards(cards, precision) => {
                let cards = cards.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
                write!(f, "cuda:{cards}")?;
                precision.map_or(Ok(()), |precision| write!(f, " in {precision}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named() {
        for (text, expected) in [
            ("auto", Ok(DeviceName::Auto)),
            ("cpu", Ok(DeviceName::Cpu)),
            ("cuda", Ok(DeviceName::Cards(vec![0]))),
            ("cuda:3", Ok(DeviceName::Cards(vec![3]))),
            ("cuda:1,0", Ok(DeviceName::Cards(vec![1, 0]))),
            ("cuda:0,0", Err("card 0 is named twice")),
            ("cuda:1,01", Err("card 1 is named twice")),
            ("cuda:", Err("expected auto, cpu")),
            ("cuda:0,", Err("expected auto, cpu")),
            ("cuda:0, 1", Err("expected auto, cpu")),
            ("cuda:+1", Err("expected auto, cpu")),
            ("cuda:-1", Err("expected auto, cpu")),
            ("cuda:99999999999999999999", Err("expected auto, cpu")),
            ("cuda0", Err("expected auto, cpu")),
            ("CPU", Err("expected auto, cpu")),
            ("", Err("expected auto, cpu")),
        ] {
            match (text.parse::<DeviceName>(), expected) {
                (Err(message), Err(part)) => assert!(message.contains(part), "{text}: {message}"),
                (got, expected) => assert_eq!(got.ok(), expected.ok(), "{text}"),
            }
        }
    }

    #[test]
    fn flags_and_machines_settle_it() {
        const NONE: &str = "no NVIDIA driver on this machine";
        let found = |what: Option<()>| what.ok_or_else(|| CardError::Absent(NONE.to_owned()));
        let cpu = || Ok("the CPU".to_owned());
        let card = |text: &str| Ok(text.to_owned());
        let no_cuda = || Err("this build has no CUDA; build it with `make cuda`");
        let isa = Isa::best();
        let in_bf16 = || Ok(Device::Cpu(isa, Some(Precision::Bf16)).to_string());
        let in_f32 = |isa| Ok(Device::Cpu(isa, Some(Precision::F32)).to_string() + "!");
        let fastest = || Ok(Device::Cpu(isa, (!isa.has_bf16()).then_some(Precision::F32)).to_string());
        // What is given; what a build has; what that comes to.
        for (device, precision, isa, found, expected) in [
            ("auto", None, None, None, cpu()),
            ("auto", None, None, Some(found(Some(()))), card("cuda:0")),
            ("auto", Some("tf32"), None, Some(found(Some(()))), card("cuda:0 in tf32")),
            (
                "auto",
                None,
                None,
                Some(found(None)),
                card("the CPU; no card: no NVIDIA driver on this machine"),
            ),
            ("auto", None, Some(isa), Some(found(Some(()))), cpu()),
            ("auto", None, Some(isa), Some(found(None)), cpu()),
            ("auto", Some("f32"), None, None, cpu()),
            ("auto", Some("bf16"), None, None, in_bf16()),
            ("auto", Some("auto"), None, None, fastest()),
            ("cpu", Some("auto"), Some(Isa::Portable), None, in_f32(Isa::Portable)),
            ("cuda", Some("auto"), None, Some(found(Some(()))), card("cuda:0")),
            ("auto", Some("bf16"), Some(isa), Some(found(Some(()))), in_bf16()),
            ("auto", Some("f16"), None, Some(found(None)), Err("not in f16 (no card: no NVIDIA driver")),
            ("cpu", None, None, Some(found(Some(()))), cpu()),
            ("cpu", None, Some(isa), None, cpu()),
            (
                "cpu",
                Some("tf32"),
                None,
                Some(found(Some(()))),
                Err("the CPU runs in f32 or bf16, not in tf32; give one of them"),
            ),
            ("cuda", None, None, Some(found(Some(()))), card("cuda:0")),
            ("cuda:1,0", Some("f32"), None, Some(found(Some(()))), card("cuda:1,0 in f32")),
            // It is opened later, and then told to be missing.
            ("cuda:7", None, None, Some(found(Some(()))), card("cuda:7")),
            ("cuda", None, Some(isa), Some(found(Some(()))), Err("--isa goes with the CPU")),
            ("cuda", None, None, None, no_cuda()),
            ("cuda:0,1", Some("f16"), None, None, no_cuda()),
        ] {
            let told = format!("--device {device} --precision {precision:?} --isa {isa:?}, {found:?}");
            let precision = precision.and_then(|text| text.parse().ok());
            let request = DeviceRequest { name: device.parse().unwrap_or(DeviceName::Cpu), precision, isa };
            match (request.settle(found.map(|found| || found)), expected) {
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{told}: {error}"),
                (Ok((device, without)), Ok(expected)) => {
                    let got = without.map_or(format!("{device}!"), |why| format!("the CPU; {why}"));
                    assert!(got.starts_with(&expected), "{told}: {got}");
                }
                (got, expected) => panic!("{told}: got {got:?}, expected {expected:?}"),
            }
        }
    }
}
