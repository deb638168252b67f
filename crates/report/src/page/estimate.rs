//! A number, and how far one may trust it.

use serde::ser::{Serialize, SerializeTuple as _, Serializer};

/// A value with its 95 % interval where one is known. A value that is not finite is undefined
/// (the AUC of a class without rows, say) and shown as a dash.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value itself.
    pub value: f64,
    /// Lower and upper end of its 95 % interval.
    pub interval: Option<[f64; 2]>,
}

/// What numbers a figure may take, and which of them are good: it fixes the axis that the figure is
/// drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// 0 to 1, the higher the better: accuracy, F1, AUC.
    Share,
    /// −1 to 1, the higher the better: Cohen's kappa, Matthews' coefficient.
    Correlation,
    /// From 0 upwards, the lower the better: log loss, Brier score, ECE.
    Loss,
}

impl Estimate {
    /// A value whose interval is not known.
    pub fn bare(value: f64) -> Estimate {
        Estimate { value, interval: None }
    }

    /// A value within `low` to `high`.
    pub fn within(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, interval: Some([low, high]) }
    }
}

impl From<f64> for Estimate {
    fn from(value: f64) -> Estimate {
        Estimate::bare(value)
    }
}

/// A number, or a list of value, low and high: tables of a thousand classes have six a row.
impl Serialize for Estimate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some([low, high]) = self.interval else {
            return serializer.serialize_f64(self.value);
        };
        let mut tuple = serializer.serialize_tuple(3)?;
        for number in [self.value, low, high] {
            tuple.serialize_element(&number)?;
        }
        tuple.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_takes_no_more_room_than_its_numbers() {
        for (estimate, expected) in [
            (Estimate::bare(0.5), "0.5"),
            (Estimate::within(0.5, 0.25, 0.75), "[0.5,0.25,0.75]"),
            (Estimate::bare(f64::NAN), "null"),
        ] {
            assert_eq!(serde_json::to_string(&estimate).unwrap(), expected);
        }
    }
}
